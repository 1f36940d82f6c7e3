"""Merge deliveries of bookings: the same deliveries give the same rows, in any order."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from timerex_ghl.domain.shared.models import Booking, BookingId, BookingState, GhlContactId

NEVER_ARRIVED = "moved to another time, which TimeRex has not reported"
"""The reason for a cancellation that stands for a move without its new time."""

_RANK = {BookingState.CONFIRMED: 0, BookingState.CANCELLED: 1, BookingState.MOVED: 2}


def fold_booking(stored: Booking | None, incoming: Booking) -> Booking | None:
    """Merge one more delivery of a booking; None where it says nothing new.

    TimeRex cannot edit a booking, so two deliveries of one id only complete each other: moved beats
    cancelled beats confirmed, filled beats empty, and known values stay. Where two deliveries
    contradict each other, a fixed order of the values decides, never their arrival.
    """
    folded = _normalize(incoming if stored is None else _join(stored, incoming))
    return None if folded == stored else folded


def correct_booking(stored: Booking, trusted: Booking) -> Booking | None:
    """Merge a trusted version of a booking; None where it says nothing new.

    Its filled fields override the stored ones. The state only goes forward: the stored one may be
    newer than the read.
    """
    filled = {name: value for name in Booking.model_fields if (value := getattr(trusted, name))}
    state = max(stored.state, trusted.state, key=_RANK.__getitem__)
    corrected = _normalize(stored.model_copy(update={**filled, "state": state}))
    return None if corrected == stored else corrected


def is_covered(stored: Booking, incoming: Booking) -> bool:
    """Return whether the stored booking is in the state that a delivery reports, or past it."""
    return _RANK[stored.state] >= _RANK[incoming.state]


def join_chain(rows: Collection[Booking]) -> tuple[Booking, ...]:
    """Fill in the old and new ids of each reschedule, and sort the first booking first.

    Args:
        rows: Every stored booking that is connected through old and new ids.
    """
    older = {row.new_id: row.id for row in rows if row.new_id}
    newer = {row.old_id: row.id for row in rows if row.old_id}
    joined = {
        row.id: _normalize(
            row.model_copy(
                update={
                    "old_id": row.old_id or older.get(row.id),
                    "new_id": row.new_id or newer.get(row.id),
                }
            )
        )
        for row in rows
    }
    return tuple(
        sorted(
            joined.values(),
            key=lambda row: (len([*_earlier(row, joined)]), row.id),
        )
    )


def is_superseded(booking: Booking, others: Collection[Booking]) -> bool:
    """Return whether another stored booking replaces this one."""
    return booking.state is BookingState.MOVED and booking.new_id in {row.id for row in others}


def head_of(chain: Sequence[Booking]) -> Booking:
    """Return the booking of a joined chain that counts: the last one, which none replaces.

    It is in the state MOVED only while its successor has not arrived and may still do so in time.
    """
    return as_counted(chain[-1])


def pending_move(chain: Sequence[Booking]) -> Booking | None:
    """Return the last booking of a joined chain if it was moved and its successor is missing."""
    return chain[-1] if chain[-1].state is BookingState.MOVED else None


def as_counted(booking: Booking) -> Booking:
    """Return a booking as the CRM shows it: one whose new time never arrived is cancelled."""
    if booking.state is not BookingState.MOVED or not booking.move_expired:
        return booking
    reason = booking.cancellation_reason or NEVER_ARRIVED
    return booking.model_copy(
        update={"state": BookingState.CANCELLED, "cancellation_reason": reason}
    )


def root_of(chain: Sequence[Booking]) -> BookingId:
    """Return the id of the first booking of a joined chain, which may not have arrived."""
    return chain[0].old_id or chain[0].id


def owner_of(
    chain: Sequence[Booking],
    owners: Mapping[BookingId, GhlContactId],
    contact_id: GhlContactId,
) -> BookingId | None:
    """Choose the booking whose GHL record mirrors the chain: the head, or the nearest before it.

    Args:
        chain: The bookings.
        owners: The bookings that have a record in GHL, with its contact.
        contact_id: The guest of the head: another contact's record is not reused.
    """
    head = head_of(chain)
    if head.id in owners:
        return head.id
    before = (row.id for row in reversed(chain) if row.id in owners)
    return next((id_ for id_ in before if owners[id_] == contact_id), None)


def _normalize(booking: Booking) -> Booking:
    """Set the state MOVED where a successor is known, whatever the delivery says."""
    if booking.new_id is None or booking.state is BookingState.MOVED:
        return booking
    return booking.model_copy(update={"state": BookingState.MOVED})


def _join(one: Booking, other: Booking) -> Booking:
    state = max(one.state, other.state, key=_RANK.__getitem__)
    values = {
        name: max(getattr(one, name), getattr(other, name), key=_weight)
        for name in Booking.model_fields
    }
    return one.model_copy(update={**values, "state": state})


def _weight(value: object) -> tuple[bool, int, str]:
    """Order values: filled before empty, then the longer one, then by spelling."""
    text = repr(value)
    return bool(value), len(text), text


def _earlier(booking: Booking, chain: dict[BookingId, Booking]) -> Iterator[BookingId]:
    """Yield the bookings this one replaced, newest first; stops at a cycle."""
    visited = {booking.id}
    before = booking.old_id
    while before is not None and before not in visited:
        yield before
        visited.add(before)
        before = chain[before].old_id if before in chain else None
