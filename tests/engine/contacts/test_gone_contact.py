"""Contacts deleted in GHL: one review however often they are met, and followed where made again."""

import pytest

from tests.deliveries import cancelled, confirmed
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.reviews.review_decisions import Decision, Way
from timerex_ghl.engine.contacts.pull_contacts import Scope
from timerex_ghl.engine.reviews.resolve_review import resolve

RIKU = "riku@hinode.example"
pytestmark = pytest.mark.both_databases


async def delete_in_ghl(world: World) -> str:
    ghl_id = (await world.one_in_crm(RIKU))["id"]
    await world.ask("DELETE", f"/ghl/contacts/{ghl_id}")
    return ghl_id


async def open_reviews(world: World) -> list[Review]:
    return await world.ledger.read(reviews.open_reviews, NAME)


async def test_a_full_sync_finds_a_contact_whose_delete_was_never_reported(world: World) -> None:
    row = await world.add(RIKU)
    await world.sync()
    await delete_in_ghl(world)

    for scan in ("first", "second"):
        await world.sync(Scope.FULL, scan=scan)

    (review,) = await open_reviews(world)
    assert (review.kind, review.subject.id) == ("gone", row.id)
    assert await world.crm() == []


async def test_everything_that_waits_for_a_gone_contact_is_one_review(world: World) -> None:
    await world.handle(await world.receive(confirmed()))
    gone = await delete_in_ghl(world)
    events = [
        await world.notify("ContactDelete", gone),
        await world.receive(confirmed("b2")),
        await world.receive(confirmed("b3")),
    ]
    await world.handle(*events)

    (review,) = await open_reviews(world)
    assert review.events == events
    made = await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "phone": "+81312345678"})
    decision = Decision(way=Way.LINK, by="mei", link_to=made["contact"]["id"])
    await resolve(world.context, review.id, decision)
    await world.handle(*events)

    assert await open_reviews(world) == []
    assert {await world.state_of(event) for event in events} <= {"applied", "no-op"}
    (contact,) = await world.crm()
    assert "timerex booked" in contact["tags"]
    assert len(contact["notes"]) == 2


async def test_a_booking_goes_to_the_contact_that_was_made_again(world: World) -> None:
    await world.add(RIKU, city="Kobe")
    await world.sync()
    await delete_in_ghl(world)
    first = await world.receive(confirmed())
    await world.handle(first)
    (review,) = await open_reviews(world)
    assert review.events == [first]

    await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "email": RIKU})
    second = await world.receive(confirmed("b2"))
    await world.handle(second)
    await world.handle(first)

    assert await open_reviews(world) == []
    assert [await world.state_of(event) for event in (first, second)] == ["applied", "applied"]
    assert (await world.one_in_crm(RIKU))["city"] == "Kobe"
    assert len(await world.notes_of(RIKU)) == 2
    assert len(await world.people()) == 1


async def test_a_contact_deleted_in_both_systems_is_nothing_to_ask_about(world: World) -> None:
    row = await world.add(RIKU)
    await world.sync()
    await world.ledger.write(workspace_contacts.delete_contact, NAME, row.id, world.context.now())
    gone = await delete_in_ghl(world)

    (outcome,) = await world.handle(await world.notify("ContactDelete", gone))
    await world.sync(Scope.FULL, scan="later")

    assert outcome.what == "no-op"
    assert await open_reviews(world) == []


async def test_a_cancellation_of_a_guest_deleted_in_both_systems_is_ignored(world: World) -> None:
    await world.handle(await world.receive(confirmed()))
    (row,) = await world.people()
    await world.ledger.write(workspace_contacts.delete_contact, NAME, row.id, world.context.now())
    await delete_in_ghl(world)

    (outcome,) = await world.handle(await world.receive(cancelled()))

    assert outcome.what == "ignored"
    assert (await world.crm(), await open_reviews(world)) == ([], [])


@pytest.mark.parametrize("way", ["webhook", "sync"])
async def test_a_contact_that_was_restored_as_it_was_is_asked_about_no_more(
    world: World, way: str
) -> None:
    await world.add(RIKU)
    await world.sync()
    gone = await delete_in_ghl(world)
    await world.handle(await world.notify("ContactDelete", gone))
    event = await world.receive(confirmed())
    await world.handle(event)
    await world.ask("POST", f"/ghl/contacts/{gone}/restore")

    if way == "webhook":
        await world.handle(await world.notify("ContactCreate", gone))
    else:
        await world.sync(Scope.FULL, scan="later")
    await world.handle(event)

    assert await open_reviews(world) == []
    assert len(await world.notes_of(RIKU)) == 1
