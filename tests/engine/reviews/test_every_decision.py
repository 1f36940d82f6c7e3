"""Every way to resolve a review works for every kind of record that the review can be about."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.deliveries import confirmed
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.reviews.review_decisions import Decision, Way, ways_of
from timerex_ghl.domain.shared.models import BookingId, ContactId, EventId, FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.bookings.compare_polled import note_unknown
from timerex_ghl.engine.contacts.pull_contacts import Scope
from timerex_ghl.engine.reviews.resolve_review import resolve
from timerex_ghl.engine.writes.recovery import LOOK_AGAIN

RIKU, OTHER = "riku@hinode.example", "rikuo@hinode.example"
DONE = {"applied", "no-op", "ignored", "superseded"}


async def open_reviews(world: World) -> list[Review]:
    return await world.ledger.read(reviews.open_reviews, NAME)


async def make_in_crm(world: World, **values: object) -> str:
    return (await world.ask("POST", "/ghl/contacts", values))["contact"]["id"]


async def edited(world: World, contact_id: ContactId) -> EventId:
    """Receive an edit of a contact in the workspace."""
    event_id, _ = await world.ledger.write(
        inbox.store_event,
        connection=NAME,
        source="workspace",
        origin="edit",
        type="contact changed",
        dedupe_key=f"{contact_id} {world.clock.now()}",
        body="{}",
        now=world.clock.now(),
        record=RecordRef.contact(contact_id),
    )
    return event_id


async def contact_in_doubt(world: World) -> list[EventId]:
    """Edit a contact whose e-mail two contacts of GHL have."""
    await make_in_crm(world, firstName="Riku", email=RIKU)
    await make_in_crm(world, firstName="Rikuo", email=OTHER, additionalEmails=[RIKU])
    row = await world.add(RIKU)
    await world.sync()
    return [await edited(world, row.id)]


async def ghl_contact_in_doubt(world: World) -> list[EventId]:
    """Receive a notification about a GHL contact whose e-mail two workspace contacts have."""
    await world.add(RIKU, city="Nara")
    await world.add(RIKU, city="Kobe")
    ghl_id = await make_in_crm(world, firstName="Riku", email=RIKU)
    return [
        await world.notify("ContactCreate", ghl_id),
        await world.notify("ContactUpdate", ghl_id),
    ]


async def guest_in_doubt(world: World) -> list[EventId]:
    """Book as a guest whose e-mail two workspace contacts have."""
    await world.add(RIKU, city="Nara")
    await world.add(RIKU, city="Kobe")
    return [await world.receive(confirmed())]


async def contact_without_keys(world: World) -> list[EventId]:
    row = await world.add(None, first_name="Riku")
    await world.sync()
    return [await edited(world, row.id)]


async def contact_gone(world: World) -> list[EventId]:
    await world.handle(await world.receive(confirmed()))
    ghl_id = (await world.one_in_crm(RIKU))["id"]
    await world.ask("DELETE", f"/ghl/contacts/{ghl_id}")
    return [await world.notify("ContactDelete", ghl_id), await world.receive(confirmed("b2"))]


async def guest_deleted(world: World) -> list[EventId]:
    """Delete a guest in the workspace whose booking waits, and whom GHL does not have."""
    fault = {"operation": "create-contact", "nth": 1, "kind": "status", "value": 503}
    await world.ask("POST", "/ghl/faults", fault)
    event = await world.receive(confirmed())
    await world.handle(event)
    (row,) = await world.people()
    await world.ledger.write(workspace_contacts.delete_contact, NAME, row.id, world.clock.now())
    return [event]


async def booking_unknown_to_timerex(world: World) -> list[EventId]:
    event = await world.receive(confirmed())
    await world.handle(event)
    await world.ledger.write(note_unknown, NAME, BookingId("b1"), world.clock.now())
    return []


async def contact_refused(world: World) -> list[EventId]:
    row = await world.add(RIKU)
    fault = {"operation": "create-contact", "nth": 1, "kind": "status", "value": 422}
    await world.ask("POST", "/ghl/faults", fault)
    return [await edited(world, row.id)]


async def note_refused(world: World) -> list[EventId]:
    fault = {"operation": "create-note", "nth": 1, "kind": "status", "value": 422}
    await world.ask("POST", "/ghl/faults", fault)
    return [await world.receive(confirmed())]


SITUATIONS: dict[Callable[[World], Awaitable[list[EventId]]], tuple[str, str]] = {
    contact_in_doubt: ("identity", "contact"),
    ghl_contact_in_doubt: ("identity", "ghl"),
    guest_in_doubt: ("identity", "event"),
    contact_without_keys: ("no-key", "contact"),
    contact_gone: ("gone", "contact"),
    guest_deleted: ("gone", "event"),
    booking_unknown_to_timerex: ("gone", "booking"),
    contact_refused: ("refused", "contact"),
    note_refused: ("refused", "event"),
}
"""What happened, and the review that it opens: its kind, and the kind of its subject."""


async def decision_for(world: World, way: Way, review: Review) -> Decision:
    """Make a decision with what this way needs: an existing contact, or a value."""
    more: dict[str, object] = {}
    if way is Way.LINK and review.subject.kind == "ghl":
        more = {"link_to": (await world.people())[0].id}
    elif way is Way.LINK:
        same = [one["id"] for one in await world.crm() if one.get("email") == RIKU]
        more = {"link_to": same[0] if same else await make_in_crm(world, firstName="Riku")}
    elif way is Way.KEEP:
        more = {"values": {FieldName("email"): "new@hinode.example"}}
    return Decision.model_validate({"way": way, "by": "kana", **more})


@pytest.mark.both_databases
@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("happen", SITUATIONS, ids=lambda happen: happen.__name__)
async def test_a_decision_ends_the_review_and_what_waited_for_it(
    world: World, happen: Callable[[World], Awaitable[list[EventId]]], way: Way
) -> None:
    await world.ask("POST", "/ghl/settings", {"allow_duplicates": True})
    events = await happen(world)
    world.clock.advance(timedelta(minutes=5))
    await world.handle(*events)
    kind, subject = SITUATIONS[happen]
    asked = [one for one in await open_reviews(world) if one.kind == kind]
    review = next(one for one in asked if one.subject.kind == subject)
    assert {*events} >= {*review.events}
    if way not in ways_of(review.kind, review.subject):
        return
    world.clock.advance(LOOK_AGAIN)

    resolved = await resolve(world.context, review.id, await decision_for(world, way, review))
    await world.handle(*events)
    await world.sync(Scope.FULL, scan="later")
    await world.handle(*events)

    assert resolved.is_first
    still = {event for one in await open_reviews(world) for event in one.events}
    states = {event: await world.state_of(event) for event in events}
    assert {event for event, state in states.items() if state not in DONE} <= still
    if way is Way.DROP:
        assert not still, "what was dropped is not asked again"


@pytest.mark.both_databases
async def test_events_about_one_doubt_are_one_review(world: World) -> None:
    events = await ghl_contact_in_doubt(world)

    await world.handle(*events)
    later = await world.notify("ContactUpdate", (await world.one_in_crm(RIKU))["id"])
    await world.handle(later)

    (review,) = await open_reviews(world)
    assert review.subject.kind == "ghl"
    assert review.events == [events[1], later]
    states = [await world.state_of(event) for event in (*events, later)]
    assert states == ["superseded", "review", "review"]


async def test_a_dropped_doubt_is_asked_again_by_a_booking_only(world: World) -> None:
    (event,) = await contact_in_doubt(world)
    await world.handle(event)
    (review,) = [one for one in await open_reviews(world) if one.subject.kind == "contact"]
    await resolve(world.context, review.id, Decision(way=Way.DROP, by="kana"))
    assert await world.state_of(event) == "ignored"

    await world.sync(Scope.FULL, scan="later")
    quiet = [one for one in await open_reviews(world) if one.subject.kind == "contact"]
    booking = await world.receive(confirmed())
    await world.handle(booking)

    assert quiet == []
    assert booking in {event for one in await open_reviews(world) for event in one.events}
