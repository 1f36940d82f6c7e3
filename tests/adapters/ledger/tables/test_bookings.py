from itertools import permutations

import pytest

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.bookings import BookingFilter, BookingPosition
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingId,
    BookingRow,
    BookingState,
    ConnectionName,
    ContactId,
)

AOBA, HINODE = ConnectionName("aoba"), ConnectionName("hinode")
RIKU = ContactId("c_00000000000000000001")
EVERY = BookingFilter()


async def save(
    ledger: Ledger,
    *booked: Booking,
    connection: ConnectionName = AOBA,
    contact_id: ContactId | None = None,
) -> None:
    for booking in booked:
        row = BookingRow(booking=booking, contact_id=contact_id, verified=False)
        await ledger.write(bookings.save_booking, connection, row)


async def chain_of(ledger: Ledger, booking: Booking) -> set[str]:
    chain = await ledger.read(bookings.get_chain, AOBA, booking)
    ids = [row.booking.id for row in chain]
    assert len(ids) == len(set(ids))
    return set(ids)


async def test_a_booking_reads_back_whole(ledger: Ledger) -> None:
    booking = make.booking(
        answers=(make.answer("ご職業", "会社員"), make.answer("Likes", ("tea", "go"))),
        url_params={"utm_source": "mail"},
        cancellation_reason="O'Brien\\",
        old_id="b0",
    )
    row = BookingRow(booking=booking, contact_id=RIKU, verified=True)

    await ledger.write(bookings.save_booking, AOBA, row)

    assert await ledger.read(bookings.get_booking, AOBA, booking.id) == row


async def test_a_saved_booking_replaces_the_earlier_state(ledger: Ledger) -> None:
    booking = make.booking("b1")
    await save(ledger, booking)
    cancelled = make.booking("b1", state=BookingState.CANCELLED)
    row = BookingRow(booking=cancelled, contact_id=RIKU, verified=True)

    await ledger.write(bookings.save_booking, AOBA, row)

    stored = await ledger.read(bookings.get_booking, AOBA, booking.id)
    assert stored == row.model_copy(update={"version": 2})


async def test_bookings_of_another_connection_are_unknown(ledger: Ledger) -> None:
    first, second = make.booking("b1", new_id="b2"), make.booking("b2", old_id="b1")
    await save(ledger, first)
    await save(ledger, second, connection=HINODE, contact_id=RIKU)

    assert await ledger.read(bookings.get_booking, AOBA, second.id) is None
    assert await ledger.read(bookings.bookings_of, AOBA, RIKU) == []
    assert await chain_of(ledger, first) == {"b1"}


async def test_a_person_s_bookings_come_in_order_of_time(ledger: Ledger) -> None:
    late = make.booking("b1", starts_at=make.STARTS.replace(day=20))
    early = make.booking("b2")
    await save(ledger, late, early, contact_id=RIKU)
    await save(ledger, make.booking("b3"))

    found = await ledger.read(bookings.bookings_of, AOBA, RIKU)

    assert [row.booking.id for row in found] == ["b2", "b1"]


async def test_a_booking_alone_is_its_own_chain(ledger: Ledger) -> None:
    alone = make.booking("b1")
    await save(ledger, alone, make.booking("b2"), make.booking("b3"))

    assert await chain_of(ledger, alone) == {"b1"}


async def test_without_a_stored_booking_there_is_no_chain(ledger: Ledger) -> None:
    await save(ledger, make.booking("b2"))

    assert await chain_of(ledger, make.booking("b1")) == set()


HALVES = {
    "both know": (make.booking("b1", new_id="b2"), make.booking("b2", old_id="b1")),
    "the new one knows": (make.booking("b1"), make.booking("b2", old_id="b1")),
    "the old one knows": (make.booking("b1", new_id="b2"), make.booking("b2")),
}


@pytest.mark.parametrize("halves", HALVES.values(), ids=HALVES)
async def test_either_half_finds_the_other(ledger: Ledger, halves: tuple[Booking, Booking]) -> None:
    await save(ledger, *halves)

    for half in halves:
        assert await chain_of(ledger, half) == {"b1", "b2"}


@pytest.mark.parametrize("halves", HALVES.values(), ids=HALVES)
async def test_a_half_not_stored_yet_finds_the_stored_one(
    ledger: Ledger, halves: tuple[Booking, Booking]
) -> None:
    stored, arriving = halves
    if arriving.old_id is None and stored.new_id is None:
        raise AssertionError("one of them knows")
    await save(ledger, stored)

    assert await chain_of(ledger, arriving) == {"b1"}


LONG_CHAIN = (
    make.booking("b1", new_id="b2"),
    make.booking("b2"),
    make.booking("b3", old_id="b2", new_id="b4"),
    make.booking("b4"),
    make.booking("b5", old_id="b4"),
)


async def test_every_member_finds_the_whole_chain_whatever_came_first(ledger: Ledger) -> None:
    for order in [*permutations(LONG_CHAIN)][::17]:
        await save(ledger, *order)
        for member in order:
            assert await chain_of(ledger, member) == {"b1", "b2", "b3", "b4", "b5"}


async def test_a_chain_goes_on_over_a_booking_that_never_came(ledger: Ledger) -> None:
    first, third = make.booking("b1", new_id="b2"), make.booking("b3", old_id="b2")
    await save(ledger, first, third)

    assert await chain_of(ledger, first) == {"b1", "b3"}
    assert await chain_of(ledger, make.booking("b2")) == {"b1", "b3"}


async def test_a_circle_of_bookings_ends(ledger: Ledger) -> None:
    one, two = make.booking("b1", new_id="b2"), make.booking("b2", new_id="b1")
    await save(ledger, one, two)

    assert await chain_of(ledger, one) == {"b1", "b2"}


async def test_an_unknown_booking_is_none(ledger: Ledger) -> None:
    assert await ledger.read(bookings.get_booking, AOBA, BookingId("b1")) is None


async def read(ledger: Ledger, booking_id: str) -> BookingRow:
    row = await ledger.read(bookings.get_booking, AOBA, BookingId(booking_id))
    assert row is not None
    return row


async def test_the_version_rises_with_what_a_booking_says_and_not_with_its_guest(
    ledger: Ledger,
) -> None:
    await save(ledger, make.booking("b1"))
    await save(ledger, make.booking("b1"), contact_id=RIKU)
    assert (await read(ledger, "b1")).version == 1

    await save(ledger, make.booking("b1", guest_comment="by phone"), contact_id=RIKU)
    await save(ledger, make.booking("b1", state=BookingState.CANCELLED), contact_id=RIKU)

    assert (await read(ledger, "b1")).version == 3


async def test_who_made_a_booking_stays_and_so_does_that_it_is_deleted(ledger: Ledger) -> None:
    made_here = BookingRow(
        booking=make.booking("b1"), contact_id=None, verified=True, origin="workspace"
    )
    await ledger.write(bookings.save_booking, AOBA, made_here)
    await ledger.write(bookings.delete_booking, AOBA, BookingId("b1"))

    await save(ledger, make.booking("b1"), contact_id=RIKU)

    row = await read(ledger, "b1")
    assert (row.origin, row.deleted, row.contact_id) == ("workspace", True, RIKU)


async def listed(
    ledger: Ledger,
    wanted: BookingFilter = EVERY,
    after: BookingPosition | None = None,
    limit: int = 500,
) -> list[str]:
    rows = await ledger.read(bookings.list_bookings, AOBA, wanted, after, limit)
    return [row.booking.id for row in rows]


async def test_bookings_are_listed_by_time_without_the_deleted_ones(ledger: Ledger) -> None:
    later = make.STARTS.replace(day=20)
    await save(ledger, make.booking("b3", starts_at=later), make.booking("b2"))
    await save(ledger, make.booking("b1"), make.booking("b0"))
    await save(ledger, make.booking("b9"), connection=HINODE)
    await ledger.write(bookings.delete_booking, AOBA, BookingId("b0"))

    assert await listed(ledger) == ["b1", "b2", "b3"]
    assert await listed(ledger, limit=2) == ["b1", "b2"]
    assert await listed(ledger, after=BookingPosition(make.STARTS, BookingId("b1"))) == ["b2", "b3"]
    assert await listed(ledger, after=BookingPosition(make.STARTS, BookingId("b2"))) == ["b3"]


async def test_bookings_are_chosen_by_time_guest_and_state(ledger: Ledger) -> None:
    later = make.STARTS.replace(day=20)
    await save(ledger, make.booking("b1", state=BookingState.CANCELLED))
    await save(ledger, make.booking("b2", starts_at=later), contact_id=RIKU)

    assert await listed(ledger, BookingFilter(starts_from=later)) == ["b2"]
    assert await listed(ledger, BookingFilter(starts_before=later)) == ["b1"]
    assert await listed(ledger, BookingFilter(contact_id=RIKU)) == ["b2"]
    assert await listed(ledger, BookingFilter(state=BookingState.CANCELLED)) == ["b1"]
