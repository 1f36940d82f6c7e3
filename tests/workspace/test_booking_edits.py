"""Edits of bookings made in the workspace."""

from typing import Any

import pytest
from sqlalchemy import Connection, text

from tests import make
from tests.adapters.database_events import failing_statements
from tests.gateway.given import NAME, settings_with
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.domain.bookings.booking_entry import BookingEntry
from timerex_ghl.domain.contacts.contact_entry import EntryError
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import (
    BookingId,
    BookingRow,
    BookingState,
    ConnectionName,
    ContactId,
)
from timerex_ghl.workspace import booking_edits
from timerex_ghl.workspace.booking_edits import MadeInTimerexError
from timerex_ghl.workspace.edits import Editor, OtherVersionError, UnknownRecordError

KANA = Editor(settings_with(), "token:t_1")
HINODE = Editor(settings_with().model_copy(update={"name": ConnectionName("hinode")}), "token:t_2")
CALL: dict[str, Any] = {
    "starts_at": "2026-02-10T10:00:00+09:00",
    "ends_at": "2026-02-10T10:30:00+09:00",
    "timezone": "Asia/Tokyo",
    "guest_email": "riku@hinode.example",
}


async def add(ledger: Ledger, contact_id: ContactId | None = None, **named: Any) -> BookingRow:
    given = BookingEntry.model_validate({**CALL, **named})
    return await ledger.write(booking_edits.add_booking, KANA, given, contact_id, make.NOW)


async def change(
    ledger: Ledger, booking_id: str, *versions: int, editor: Editor = KANA, **named: Any
) -> BookingRow:
    return await ledger.write(
        booking_edits.change_booking,
        editor,
        BookingId(booking_id),
        BookingEntry.model_validate(named),
        make.NOW,
        versions=versions or None,
    )


async def delete(ledger: Ledger, booking_id: str, *, editor: Editor = KANA) -> None:
    await ledger.write(
        booking_edits.delete_booking, editor, BookingId(booking_id), make.NOW, versions=None
    )


async def stored_events(ledger: Ledger) -> list[tuple[str, str]]:
    def read(tx: Connection) -> list[tuple[str, str]]:
        statement = "SELECT type, dedupe_key FROM inbox WHERE state = 'waiting' ORDER BY seq"
        return [(row.type, row.dedupe_key) for row in tx.execute(text(statement))]

    return await ledger.read(read)


def event(booking_id: str, version: int) -> tuple[str, str]:
    return "booking changed", f"booking:{booking_id}:{version}"


async def test_an_added_booking_reads_back_whole_and_waits_to_be_handled(ledger: Ledger) -> None:
    added = await add(ledger, calendar_name="Call", host_names=["Mori Kana"])

    stored = await ledger.read(bookings.get_booking, NAME, added.booking.id)
    assert stored == added
    assert (added.origin, added.version, added.verified) == ("workspace", 1, True)
    assert added.booking.state is BookingState.CONFIRMED
    assert added.booking.host_names == ("Mori Kana",)
    assert await stored_events(ledger) == [event(added.booking.id, 1)]


async def test_a_change_rises_the_version_and_waits_to_be_handled(ledger: Ledger) -> None:
    booking_id = (await add(ledger)).booking.id

    changed = await change(ledger, booking_id, 1, state="cancelled")

    assert await ledger.read(bookings.get_booking, NAME, booking_id) == changed
    assert (changed.version, changed.booking.state) == (2, BookingState.CANCELLED)
    assert await stored_events(ledger) == [event(booking_id, 1), event(booking_id, 2)]


async def test_a_change_of_nothing_leaves_nothing_behind(ledger: Ledger) -> None:
    booking_id = (await add(ledger)).booking.id

    same = await change(ledger, booking_id, 1, starts_at="2026-02-10T01:00:00Z", guest_name=None)

    assert same.version == 1
    assert await stored_events(ledger) == [event(booking_id, 1)]


async def test_a_deleted_booking_is_gone_here_and_reads_as_cancelled_for_who_handles_it(
    ledger: Ledger,
) -> None:
    booking_id = (await add(ledger)).booking.id

    await delete(ledger, booking_id)

    row = await ledger.read(bookings.get_booking, NAME, booking_id)
    assert row is not None
    assert (row.deleted, row.version, row.booking.state) == (True, 2, BookingState.CANCELLED)
    assert await stored_events(ledger) == [event(booking_id, 1), event(booking_id, 2)]
    with pytest.raises(UnknownRecordError):
        await change(ledger, booking_id, guest_name="陸")
    with pytest.raises(UnknownRecordError):
        await delete(ledger, booking_id)


async def test_deleting_what_was_cancelled_already_has_nothing_to_handle(ledger: Ledger) -> None:
    booking_id = (await add(ledger)).booking.id
    await change(ledger, booking_id, state="cancelled")

    await delete(ledger, booking_id)

    assert await stored_events(ledger) == [event(booking_id, 1), event(booking_id, 2)]
    assert await ledger.read(bookings.list_bookings, NAME, bookings.BookingFilter()) == []


async def test_one_that_timerex_made_is_reserved_for_timerex(ledger: Ledger) -> None:
    remote = BookingRow(booking=make.booking("b1"), contact_id=None, verified=True)
    await ledger.write(bookings.save_booking, NAME, remote)

    with pytest.raises(MadeInTimerexError, match="move or cancel it there"):
        await change(ledger, "b1", state="cancelled")
    with pytest.raises(MadeInTimerexError):
        await delete(ledger, "b1")

    assert await ledger.read(bookings.get_booking, NAME, BookingId("b1")) == remote
    assert await stored_events(ledger) == []


async def test_a_guest_is_named_by_contact_or_by_e_mail(ledger: Ledger) -> None:
    known = await ledger.write(
        workspace_contacts.add_contact, NAME, make.contact(), Keys(None, None), make.NOW
    )

    assert (await add(ledger, known.id, guest_email=None)).contact_id == known.id
    for email in (None, "", "riku"):
        with pytest.raises(EntryError, match="guest_email: is missing"):
            await add(ledger, guest_email=email)
    for stranger in ("c_1", "b_1"):
        with pytest.raises(EntryError, match="contact_id: unknown contact"):
            await add(ledger, ContactId(stranger))


async def test_nobody_of_another_connection_or_deleted_is_a_guest(ledger: Ledger) -> None:
    remote = await ledger.write(
        workspace_contacts.add_contact,
        ConnectionName("hinode"),
        make.contact(),
        Keys(None, None),
        make.NOW,
    )
    gone = await ledger.write(
        workspace_contacts.add_contact, NAME, make.contact(), Keys(None, None), make.NOW
    )
    await ledger.write(workspace_contacts.delete_contact, NAME, gone.id, make.NOW)

    for contact_id in (remote.id, gone.id):
        with pytest.raises(EntryError, match="unknown contact"):
            await add(ledger, contact_id)


async def test_a_guest_nobody_recognised_yet_keeps_an_e_mail(ledger: Ledger) -> None:
    booking_id = (await add(ledger)).booking.id

    with pytest.raises(EntryError, match="guest_email"):
        await change(ledger, booking_id, guest_email=None)


async def test_a_booking_without_its_times_is_refused_by_name(ledger: Ledger) -> None:
    with pytest.raises(EntryError) as refused:
        await ledger.write(
            booking_edits.add_booking, KANA, BookingEntry(timezone="UTC"), None, make.NOW
        )

    assert [fault.field for fault in refused.value.faults] == ["starts_at", "ends_at"]


async def test_an_edit_for_another_version_is_refused(ledger: Ledger) -> None:
    booking_id = (await add(ledger)).booking.id

    with pytest.raises(OtherVersionError) as refused:
        await change(ledger, booking_id, 2, guest_name="陸")

    assert refused.value.version == 1


async def test_nobody_reaches_another_connection_s_bookings(ledger: Ledger) -> None:
    booking_id = (await add(ledger)).booking.id

    with pytest.raises(UnknownRecordError):
        await change(ledger, booking_id, editor=HINODE, guest_name="陸")
    with pytest.raises(UnknownRecordError):
        await delete(ledger, booking_id, editor=HINODE)


async def test_an_event_that_cannot_be_stored_undoes_the_row(ledger: Ledger) -> None:
    added = await add(ledger)

    for work in (
        lambda: add(ledger),
        lambda: change(ledger, added.booking.id, guest_name="陸"),
        lambda: delete(ledger, added.booking.id),
    ):
        with (
            failing_statements("INSERT INTO inbox", ZeroDivisionError()),
            pytest.raises(ZeroDivisionError),
        ):
            await work()

    assert await ledger.read(bookings.list_bookings, NAME, bookings.BookingFilter()) == [added]


async def test_the_audit_names_fields_and_the_editor_and_no_value(ledger: Ledger) -> None:
    booking_id = (await add(ledger)).booking.id
    await change(ledger, booking_id, guest_comment="canary")
    await delete(ledger, booking_id)

    entries = await ledger.read(audit.entries, NAME, 10)

    assert [(each.what, each.detail["fields"], each.detail["version"]) for each in entries] == [
        ("booking deleted", "", 3),
        ("booking changed", "guest_comment", 2),
        ("booking added", "ends_at, guest_email, starts_at, timezone", 1),
    ]
    assert {(str(each.subject), each.detail["by"]) for each in entries} == {
        (f"booking:{booking_id}", "token:t_1")
    }
