"""The guest of a moved booking is who booked it, whatever their contact's e-mail is by now."""

import pytest

from tests.deliveries import confirmed, moved
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts

RIKU, CORRECTED = "riku@hinode.example", "riku.sato@hinode.example"


@pytest.mark.both_databases
@pytest.mark.parametrize("is_reversed", [False, True])
async def test_a_guest_whose_email_was_corrected_moves_the_booking_and_stays_one_contact(
    world: World, *, is_reversed: bool
) -> None:
    await world.handle(await world.receive(confirmed()))
    (riku,) = await world.people()
    await world.edit(riku.id, email=CORRECTED)
    await world.sync()
    halves = moved("b1", "b2")

    for half in reversed(halves) if is_reversed else halves:
        await world.handle(await world.receive(half))

    assert [one.id for one in await world.people()] == [riku.id]
    (note,) = await world.notes_of(CORRECTED)
    assert "TimeRex booking b1" in note
    assert len(await world.crm()) == 1


@pytest.mark.parametrize("is_reversed", [False, True])
async def test_a_deleted_guest_who_moves_a_booking_stays_deleted(
    world: World, *, is_reversed: bool
) -> None:
    await world.handle(await world.receive(confirmed()))
    (riku,) = await world.people()
    await world.ledger.write(workspace_contacts.delete_contact, NAME, riku.id, world.clock.now())
    halves = moved("b1", "b2")

    for half in reversed(halves) if is_reversed else halves:
        await world.handle(await world.receive(half))

    assert await world.people() == []
    assert len(await world.notes_of(RIKU)) == 1
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex booked"]


async def test_a_move_under_another_email_belongs_to_another_contact(world: World) -> None:
    await world.handle(await world.receive(confirmed()))
    _, new = moved("b1", "b2", "mei@umi.example")

    await world.handle(await world.receive(new))

    assert len(await world.people()) == 2
