"""Bookings of guests who were deleted in the workspace: the CRM is right, and nobody comes back."""

import pytest

from tests.deliveries import cancelled, confirmed
from tests.engine.world import NAME, World, killed_at
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.domain.reviews.review_decisions import Decision, Way
from timerex_ghl.domain.shared.models import ContactId
from timerex_ghl.engine.reviews.resolve_review import resolve

RIKU = "riku@hinode.example"
pytestmark = pytest.mark.both_databases


async def delete_everyone(world: World) -> ContactId:
    (row,) = await world.people()
    await world.ledger.write(workspace_contacts.delete_contact, NAME, row.id, world.context.now())
    return row.id


async def test_a_cancellation_reaches_the_crm_and_the_guest_stays_deleted(world: World) -> None:
    await world.handle(await world.receive(confirmed()))
    riku = await delete_everyone(world)
    await world.edit_crm(RIKU, city="Kobe")

    (outcome,) = await world.handle(await world.receive(cancelled()))

    assert outcome.what == "applied"
    (note,) = await world.notes_of(RIKU)
    contact = await world.one_in_crm(RIKU)
    assert "Cancelled" in note
    assert (contact["tags"], contact["city"]) == (["timerex cancelled"], "Kobe")
    assert (await world.here(riku)).deleted
    assert await world.people() == []


async def test_a_guest_deleted_while_the_booking_waits_is_not_created_and_asked_about_once(
    world: World,
) -> None:
    refusal = {"operation": "create-contact", "nth": 1, "kind": "status", "value": 503}
    await world.ask("POST", "/ghl/faults", refusal)
    event = await world.receive(confirmed())
    await world.handle(event)
    riku = await delete_everyone(world)

    for _ in range(2):
        await world.handle(event, replay=True)

    assert await world.crm() == []
    (review,) = await world.ledger.read(reviews.open_reviews, NAME)
    assert (review.kind, await world.state_of(event)) == ("gone", "review")
    made = await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "email": RIKU})
    decision = Decision(way=Way.LINK, by="mei", link_to=made["contact"]["id"])
    await resolve(world.context, review.id, decision)
    await world.handle(event)

    assert await world.state_of(event) == "applied"
    assert len(await world.notes_of(RIKU)) == 1
    assert (await world.here(riku)).deleted
    assert await world.ledger.read(reviews.open_reviews, NAME) == []


async def test_a_cancellation_of_a_guest_whom_the_crm_never_had_is_ignored(world: World) -> None:
    refusal = {"operation": "create-contact", "nth": 1, "kind": "status", "value": 503}
    await world.ask("POST", "/ghl/faults", refusal)
    await world.handle(await world.receive(confirmed()))
    await delete_everyone(world)

    (outcome,) = await world.handle(await world.receive(cancelled()))

    assert outcome.what == "ignored"
    assert (await world.crm(), await world.ledger.read(reviews.open_reviews, NAME)) == ([], [])


async def test_a_deleted_guest_who_books_again_is_the_same_contact_in_the_crm(
    world: World,
) -> None:
    await world.handle(await world.receive(confirmed()))
    await delete_everyone(world)

    (outcome,) = await world.handle(await world.receive(confirmed("b2")))

    assert outcome.what == "applied"
    assert len(await world.notes_of(RIKU)) == 2
    assert len(await world.people()) == 1


@pytest.mark.parametrize("way", ["webhook", "sync"])
async def test_a_contact_created_without_an_answer_and_deleted_does_not_come_back(
    world: World, way: str
) -> None:
    row = await world.add(RIKU, city="Kobe")
    with killed_at(world, "contact.create", "after-write"):
        await world.sync()
    await delete_everyone(world)
    made = await world.one_in_crm(RIKU)

    if way == "webhook":
        await world.handle(await world.notify("ContactCreate", made["id"]))
    else:
        await world.sync(scan="later")

    assert await world.people() == []
    assert (await world.here(row.id)).deleted
    assert len(await world.crm()) == 1
