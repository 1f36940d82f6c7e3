"""The text of a booking's note: plain, without a link that lets its reader cancel or move."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from unicodedata import category
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from timerex_ghl.domain.shared.models import Booking, BookingId, BookingState, Value

_MARK = "TimeRex booking "
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def marker_of(root_id: BookingId) -> str:
    """Return the line that identifies the note of a chain of bookings, by its first booking."""
    return f"{_MARK}{root_id}"


def has_marker(text: str, marker: str) -> bool:
    """Return whether a note has this marker as its last line that is not blank.

    A guest's text is always above it, so no guest can fake the note of another booking.
    """
    return _last_line(text) == marker


def booking_of(text: str) -> BookingId | None:
    """Return the first booking of a note's chain, by its marker; None where it has none."""
    line = _last_line(text)
    return BookingId(line.removeprefix(_MARK)) if line.startswith(_MARK) else None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def is_same_text(one: str, other: str) -> bool:
    """Return whether two notes are equal but for blanks and line ends."""
    return one.split() == other.split()


def render_note(
    booking: Booking, before: Booking | None, root_id: BookingId, remarks: Iterable[str] = ()
) -> str:
    """Render the note of the booking that counts.

    Args:
        booking: The one that counts.
        before: The booking it replaced; None where there is none, or it has not arrived.
        root_id: First booking of the chain.
        remarks: Lines about the guest.
    """
    lines = [
        one_line(booking.calendar_name or "Booking"),
        *_state_lines(booking, before),
        f"When: {_span(booking)}",
        *_detail_lines(booking),
        *remarks,
        *_guest_lines(booking),
        marker_of(root_id),
    ]
    return "\n".join(lines)


def render_moved(booking: Booking, head: Booking, root_id: BookingId) -> str:
    """Render the short note for a chain's second, outdated note."""
    return "\n".join(
        (
            one_line(booking.calendar_name or "Booking"),
            f"Moved to {render_moment(head.starts_at, head.timezone)}",
            marker_of(root_id),
        )
    )


def render_details(booking: Booking, root_id: BookingId) -> str:
    """Render what an appointment has no field for: cancel reason, hosts, the guest's answers."""
    reason = one_line(booking.cancellation_reason or "")
    lines = [
        *([f"Cancelled ({reason})"] if reason else []),
        *_host_lines(booking),
        *_guest_lines(booking),
        marker_of(root_id),
    ]
    return "\n".join(lines)


def _state_lines(booking: Booking, before: Booking | None) -> Iterator[str]:
    match booking.state:
        case BookingState.CONFIRMED:
            yield "Booked"
        case BookingState.CANCELLED:
            reason = one_line(booking.cancellation_reason or "")
            yield f"Cancelled ({reason})" if reason else "Cancelled"
        case BookingState.MOVED:
            yield "Moved to another time, which has not arrived yet"
    if before is not None:
        yield f"Moved from {render_moment(before.starts_at, before.timezone)}"


def _host_lines(booking: Booking) -> Iterator[str]:
    hosts = ", ".join(filter(None, map(one_line, booking.host_names)))
    if hosts:
        yield f"Host: {hosts}"


def _detail_lines(booking: Booking) -> Iterator[str]:
    yield from _host_lines(booking)
    if booking.join_url and booking.state is BookingState.CONFIRMED:
        yield f"Meeting: {one_line(booking.join_url)}"


def _guest_lines(booking: Booking) -> Iterator[str]:
    asked: list[tuple[str, Value]] = [
        ("Company", booking.guest_company),
        *((answer.label or "Answer", answer.value) for answer in booking.answers),
        ("Comment", booking.guest_comment),
    ]
    for label, value in asked:
        said = one_line(", ".join(value) if isinstance(value, tuple) else value or "")
        if said:
            yield f"{one_line(label)}: {said}"


def _span(booking: Booking) -> str:
    """Format both local times; the end's date and offset only where they differ."""
    zone = _zone(booking.timezone)
    start, end = booking.starts_at.astimezone(zone), booking.ends_at.astimezone(zone)
    if (start.date(), start.utcoffset()) != (end.date(), end.utcoffset()):
        return f"{render_moment(start, zone.key)} to {render_moment(end, zone.key)}"
    return f"{_day(start)} {start:%H:%M} to {end:%H:%M} {zone.key} ({_offset(start)})"


def render_moment(at: datetime, timezone: str) -> str:
    """Render a time in the calendar's zone, with weekday and offset."""
    zone = _zone(timezone)
    local = at.astimezone(zone)
    return f"{_day(local)} {local:%H:%M} {zone.key} ({_offset(local)})"


def _day(local: datetime) -> str:
    return f"{_DAYS[local.weekday()]} {local:%Y-%m-%d}"


def _offset(local: datetime) -> str:
    offset = f"{local:%z}"
    return f"UTC{offset[:3]}:{offset[3:5]}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def one_line(text: str) -> str:
    """Put text on one line, without invisible characters (some reverse the text's direction)."""
    visible = (" " if letter.isspace() else letter for letter in text)
    kept = "".join(letter for letter in visible if category(letter) not in {"Cc", "Cf", "Cs"})
    return " ".join(kept.split())
