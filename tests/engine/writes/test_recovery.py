"""A crash between intent, remote write and outcome: the next run recovers, without duplicates."""

from contextlib import suppress

import pytest

from tests.deliveries import cancelled, confirmed
from tests.engine.world import World, killed_at
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import intents
from timerex_ghl.domain.shared.errors import FatalError
from timerex_ghl.domain.shared.record_ref import RecordRef

RIKU = "riku@hinode.example"
MOMENTS = ("after-intent", "after-write", "after-outcome")


async def assert_all_final(world: World) -> None:
    contact_id = (await world.people())[0].id
    key = RecordRef.contact(contact_id)
    assert await world.ledger.read(intents.open_intents, world.context.connection, [key]) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("action", ["contact.create", "tags.add", "note.create"])
async def test_a_new_booking_survives_a_crash(world: World, action: str, moment: str) -> None:
    event = await world.receive(confirmed())
    with killed_at(world, action, moment):
        await world.handle(event)

    (outcome,) = await world.handle(event)

    assert outcome.what in {"applied", "no-op"}
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex booked"]
    assert len(await world.notes_of(RIKU)) == 1
    await assert_all_final(world)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("action", ["tags.add", "tags.remove", "note.update"])
async def test_a_cancellation_survives_a_crash(world: World, action: str, moment: str) -> None:
    await world.handle(await world.receive(confirmed()))
    event = await world.receive(cancelled())
    with killed_at(world, action, moment):
        await world.handle(event)

    await world.handle(event)

    notes = await world.notes_of(RIKU)
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex cancelled"]
    assert len(notes) == 1
    assert "Cancelled" in notes[0]
    await assert_all_final(world)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_an_edit_survives_a_crash(world: World, moment: str) -> None:
    row = await world.add(RIKU, first_name="Riku")
    await world.sync()
    await world.edit(row.id, city="Kyoto")
    with killed_at(world, "contact.update", moment):
        await world.sync()

    await world.sync()

    assert (await world.one_in_crm(RIKU))["city"] == "Kyoto"
    await assert_all_final(world)
    assert (await world.sync()).applied == 0


@pytest.mark.parametrize("operation", ["create-contact", "create-note", "add-tags"])
async def test_an_answer_lost_after_the_write_doubles_nothing(world: World, operation: str) -> None:
    fault = {"operation": operation, "nth": 1, "kind": "drop_after_commit"}
    await world.ask("POST", "/ghl/faults", fault)
    event = await world.receive(confirmed())
    (first,) = await world.handle(event)
    assert first.what == "waiting"

    await world.handle(event)

    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex booked"]
    assert len(await world.notes_of(RIKU)) == 1
    await assert_all_final(world)


CREATES = ["create-contact", "create-note"]


@pytest.mark.both_databases
@pytest.mark.parametrize("status", [400, 401, 422])
@pytest.mark.parametrize("operation", CREATES)
async def test_a_create_that_was_refused_and_made_all_the_same_doubles_nothing(
    world: World, operation: str, status: int
) -> None:
    fault = {"operation": operation, "kind": "status_after_commit", "value": status}
    await world.ask("POST", "/ghl/faults", fault)
    event = await world.receive(confirmed())

    with suppress(FatalError):  # of a 401, after which the connection rests
        await world.handle(event)
    (outcome,) = await world.handle(event, replay=True)

    assert outcome.what in {"applied", "no-op"}
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex booked"]
    assert len(await world.notes_of(RIKU)) == 1
    assert await world.ledger.read(reviews.open_reviews, world.context.connection) == []
    await assert_all_final(world)


@pytest.mark.parametrize("operation", CREATES)
async def test_a_refused_create_is_looked_up_again_before_it_is_sent_again(
    world: World, operation: str
) -> None:
    """At first GHL's look-up may not show what it made."""
    look_up = {"create-contact": "get-duplicate-contact", "create-note": "get-all-notes"}[operation]
    await world.ask("POST", "/ghl/contacts", {"email": "mei@umi.example"})
    refused = {"operation": operation, "kind": "status_after_commit", "value": 422}
    await world.ask("POST", "/ghl/faults", refused)
    before = {"create-contact": 1, "create-note": 0}[operation]
    not_shown = {"operation": look_up, "kind": "status", "value": 400, "nth": before + 1}
    await world.ask("POST", "/ghl/faults", not_shown)
    event = await world.receive(confirmed())

    (first,) = await world.handle(event)
    (second,) = await world.handle(event, replay=True)

    assert first.what == "dead"
    assert second.what in {"applied", "no-op"}
    assert len(await world.notes_of(RIKU)) == 1
    await assert_all_final(world)


async def test_a_booking_without_errors_is_looked_up_once(world: World) -> None:
    await world.handle(await world.receive(confirmed()))

    calls = await world.calls()
    assert [call.split("/")[-1] or call for call in calls] == [
        "duplicate", "POST /contacts/", "tags", "notes",
    ]  # fmt: skip
