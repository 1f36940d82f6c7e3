"""What people edit by the API reaches the CRM as in their rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from tests.deliveries import cancelled, confirmed
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.bookings.booking_entry import BookingEntry
from timerex_ghl.domain.bookings.verification import BookingSnapshot
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import (
    BookingId,
    BookingRow,
    BookingState,
    ContactId,
    FieldName,
    Value,
)
from timerex_ghl.engine.bookings.handle_booking import reconcile_booking
from timerex_ghl.workspace import booking_edits, contact_edits
from timerex_ghl.workspace.edits import Editor

RIKU = "riku@hinode.example"
CALL: dict[str, Any] = {
    "starts_at": "2026-02-10T10:00:00+09:00",
    "ends_at": "2026-02-10T10:30:00+09:00",
    "timezone": "Asia/Tokyo",
    "calendar_name": "Phone call",
    "guest_email": RIKU,
    "guest_name": "Riku Sato",
}


def editor(world: World) -> Editor:
    return Editor(world.context.settings, "token:t_1")


async def book(world: World, contact_id: ContactId | None = None) -> BookingRow:
    entry = BookingEntry.model_validate(CALL)
    now = datetime.now(UTC)
    return await world.ledger.write(
        booking_edits.add_booking, editor(world), entry, contact_id, now
    )


async def change(world: World, booking_id: BookingId, **named: Any) -> None:
    entry = BookingEntry.model_validate(named)
    await world.ledger.write(
        booking_edits.change_booking,
        editor(world),
        booking_id,
        entry,
        datetime.now(UTC),
        versions=None,
    )


async def delete_person(world: World, contact_id: ContactId) -> None:
    await world.ledger.write(
        contact_edits.delete_contact, editor(world), contact_id, datetime.now(UTC), versions=None
    )


async def handle_all(world: World) -> list[str]:
    """Process the pending events; return their outcomes."""
    now = datetime.now(UTC)
    waiting = await world.ledger.read(inbox.waiting_events, NAME, now)
    return [outcome.what for outcome in await world.handle(*waiting)]


async def row_of(world: World, booking_id: BookingId) -> BookingRow:
    row = await world.ledger.read(bookings.get_booking, NAME, booking_id)
    assert row is not None
    return row


async def enter(world: World) -> ContactId:
    def add(tx: Connection) -> ContactId:
        values: dict[FieldName, Value] = {FieldName("first_name"): "陸", FieldName("email"): RIKU}
        entry = WorkspaceChange(values=values, tags_added=frozenset({"vip"}))
        return contact_edits.add_contact(tx, editor(world), entry, world.clock.now()).id

    return await world.ledger.write(add)


async def test_a_contact_entered_and_edited_reaches_the_crm(world: World) -> None:
    contact_id = await enter(world)
    assert await handle_all(world) == ["applied"]
    await world.ledger.write(
        contact_edits.change_contact,
        editor(world),
        contact_id,
        WorkspaceChange(values={FieldName("city"): "Sendai"}),
        datetime.now(UTC),
        versions=None,
    )
    assert await handle_all(world) == ["applied"]

    contact = await world.one_in_crm(RIKU)
    assert (contact["firstName"], contact["city"], contact["tags"]) == ("陸", "Sendai", ["vip"])


async def test_a_booking_by_phone_is_one_note_that_follows_it(world: World) -> None:
    booking_id = (await book(world)).booking.id
    await handle_all(world)
    (booked,) = await world.notes_of(RIKU)
    later = {"starts_at": "2026-02-11T10:00:00+09:00", "ends_at": "2026-02-11T10:30:00+09:00"}
    await change(world, booking_id, **later)
    await handle_all(world)
    (moved,) = await world.notes_of(RIKU)
    await change(world, booking_id, state="cancelled", cancellation_reason="ill")
    await handle_all(world)
    (gone,) = await world.notes_of(RIKU)
    await change(world, booking_id, state="confirmed")
    await handle_all(world)
    (again,) = await world.notes_of(RIKU)

    assert "Booked" in booked
    assert "2026-02-10 10:00" in booked
    assert "2026-02-11 10:00" in moved
    assert "Cancelled (ill)" in gone
    assert "Booked" in again
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex booked"]


async def test_handling_a_booking_leaves_its_version_and_its_origin(world: World) -> None:
    made = await book(world)

    await handle_all(world)

    row = await row_of(world, made.booking.id)
    assert row.contact_id is not None
    assert row == made.model_copy(update={"contact_id": row.contact_id})


async def test_a_deleted_booking_is_cancelled_in_the_crm(world: World) -> None:
    booking_id = (await book(world)).booking.id
    await handle_all(world)

    await world.ledger.write(
        booking_edits.delete_booking, editor(world), booking_id, datetime.now(UTC), versions=None
    )
    await handle_all(world)

    (note,) = await world.notes_of(RIKU)
    assert "Cancelled" in note
    assert (await row_of(world, booking_id)).deleted


@pytest.mark.both_databases
async def test_an_edit_after_the_row_was_read_is_not_undone(world: World) -> None:
    booking_id = (await book(world)).booking.id
    await change(world, booking_id, state="cancelled", guest_comment="a long comment")
    read = await row_of(world, booking_id)
    await change(world, booking_id, state="confirmed", guest_comment="short")
    edited = await row_of(world, booking_id)

    await reconcile_booking(world.context, BookingSnapshot(read.booking, read.verified))

    row = await row_of(world, booking_id)
    assert (row.booking, row.version) == (edited.booking, edited.version)
    assert row.booking.state is BookingState.CONFIRMED
    (note,) = await world.notes_of(RIKU)
    assert "Booked" in note
    assert "short" in note


async def test_a_contact_deleted_here_stays_in_the_crm_and_does_not_come_back(
    world: World,
) -> None:
    row = await world.add(RIKU, first_name="Riku")
    await world.sync()
    await delete_person(world, row.id)
    await world.calls()

    await world.sync()
    await world.edit_crm(RIKU, city="Sendai")
    await world.sync()

    assert await world.writes() == []
    assert await world.people() == []
    assert (await world.one_in_crm(RIKU))["city"] == "Sendai"


async def test_somebody_deleted_who_is_entered_again_is_the_same_contact_in_the_crm(
    world: World,
) -> None:
    row = await world.add(RIKU, first_name="Riku")
    await world.sync()
    await delete_person(world, row.id)
    ghl_id = (await world.one_in_crm(RIKU))["id"]
    world.clock.advance(timedelta(minutes=5))

    contact_id = await enter(world)

    assert await handle_all(world) == ["applied"]
    assert len(await world.ledger.read(reviews.open_reviews, NAME)) == 0
    contact = await world.one_in_crm(RIKU)
    assert (contact["id"], contact["tags"]) == (ghl_id, ["vip"])
    assert [person.id for person in await world.people()] == [contact_id]
    await world.calls()
    await world.sync()
    assert await world.writes() == []


async def test_somebody_else_with_the_phone_of_somebody_deleted_brings_nobody_back(
    world: World,
) -> None:
    row = await world.add(RIKU, first_name="Riku", phone="090-1234-5602")
    await world.sync()
    await delete_person(world, row.id)
    other = await world.add("rio@hinode.example", first_name="Rio", phone="090-1234-5602")

    await world.sync()

    assert await world.ledger.read(reviews.open_reviews, NAME) == []
    assert len(await world.crm()) == 2
    ghl_id = (await world.one_in_crm(RIKU))["id"]
    link = await world.ledger.read(links.link_of_remote, NAME, "contact", ghl_id)
    assert link is not None
    assert link.local_id == row.id
    assert [person.id for person in await world.people()] == [other.id]


async def test_somebody_deleted_who_books_again_is_known_anew(world: World) -> None:
    row = await world.add(RIKU, first_name="Riku")
    await world.sync()
    await delete_person(world, row.id)

    (outcome,) = await world.handle(await world.receive(confirmed()))

    assert outcome.what == "applied"
    (person,) = await world.people()
    assert person.id != row.id
    assert len(await world.notes_of(RIKU)) == 1
    assert (await world.handle(await world.receive(cancelled())))[0].what == "applied"
    tombstone = await world.ledger.read(workspace_contacts.get_contact, NAME, row.id)
    assert tombstone is not None
    assert tombstone.deleted
