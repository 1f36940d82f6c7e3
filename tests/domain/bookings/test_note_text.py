from datetime import UTC, datetime, timedelta

import pytest

from tests import make
from timerex_ghl.domain.bookings.note_text import has_marker, is_same_text, marker_of, render_note
from timerex_ghl.domain.shared.models import Booking, BookingId, BookingState

LATER = make.STARTS + timedelta(days=1)
A = make.booking("a")


def text_of(booking: Booking, before: Booking | None = None) -> str:
    return render_note(booking, before, BookingId("a"))


def test_a_note_reports_all_there_is_to_know() -> None:
    booking = make.booking(
        "b",
        old_id="a",
        starts_at=LATER,
        host_names=("Mori Kana", "Abe Jun"),
        join_url="https://zoom.example/j/1",
        answers=[make.answer("興味", ("A", "C")), make.answer("規模", None)],
        guest_comment="First line\nsecond line",
    )

    assert text_of(booking, before=A).splitlines() == [
        "Onboarding call 30",
        "Booked",
        "Moved from Tue 2026-02-10 10:00 Asia/Tokyo (UTC+09:00)",
        "When: Wed 2026-02-11 10:00 to 10:30 Asia/Tokyo (UTC+09:00)",
        "Host: Mori Kana, Abe Jun",
        "Meeting: https://zoom.example/j/1",
        "Company: Hinode Foods",
        "興味: A, C",
        "Comment: First line second line",
        "TimeRex booking a",
    ]


def test_a_note_of_a_bare_booking_is_short() -> None:
    bare = make.booking("a", calendar_name="", host_names=(), guest_company=None)

    assert text_of(bare).splitlines() == [
        "Booking",
        "Booked",
        "When: Tue 2026-02-10 10:00 to 10:30 Asia/Tokyo (UTC+09:00)",
        "TimeRex booking a",
    ]


@pytest.mark.parametrize(
    ("reason", "line"), [(None, "Cancelled"), (" ", "Cancelled"), ("Ill", "Cancelled (Ill)")]
)
def test_a_cancelled_note_gives_the_reason_and_no_meeting(reason: str | None, line: str) -> None:
    cancelled = make.booking(
        state=BookingState.CANCELLED, cancellation_reason=reason, join_url="https://zoom.example/j"
    )

    lines = text_of(cancelled).splitlines()

    assert lines[1] == line
    assert not any("zoom" in each for each in lines)


NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"
EST, EDT, JST = f"{NEW_YORK} (UTC-05:00)", f"{NEW_YORK} (UTC-04:00)", f"{TOKYO} (UTC+09:00)"


@pytest.mark.parametrize(
    ("starts_at", "zone", "when"),
    [
        # over the hour that New York skips, and in the one it has twice
        (
            (2026, 3, 8, 6, 45),
            NEW_YORK,
            f"Sun 2026-03-08 01:45 {EST} to Sun 2026-03-08 03:15 {EDT}",
        ),
        ((2026, 11, 1, 5, 15), NEW_YORK, f"Sun 2026-11-01 01:15 to 01:45 {NEW_YORK} (UTC-04:00)"),
        ((2026, 11, 1, 6, 15), NEW_YORK, f"Sun 2026-11-01 01:15 to 01:45 {NEW_YORK} (UTC-05:00)"),
        # over midnight, an odd offset, an unknown zone
        (
            (2026, 2, 10, 14, 45),
            TOKYO,
            f"Tue 2026-02-10 23:45 {JST} to Wed 2026-02-11 00:15 {JST}",
        ),
        (
            (2026, 2, 10, 1, 0),
            "Asia/Kathmandu",
            "Tue 2026-02-10 06:45 to 07:15 Asia/Kathmandu (UTC+05:45)",
        ),
        ((2026, 2, 10, 1, 0), "Mars/Olympus", "Tue 2026-02-10 01:00 to 01:30 UTC (UTC+00:00)"),
        ((2026, 2, 10, 1, 0), "../secret", "Tue 2026-02-10 01:00 to 01:30 UTC (UTC+00:00)"),
    ],
)
def test_times_are_local_with_zone_and_offset(
    starts_at: tuple[int, int, int, int, int], zone: str, when: str
) -> None:
    booking = make.booking(starts_at=datetime(*starts_at, tzinfo=UTC), timezone=zone)

    assert f"When: {when}" in text_of(booking).splitlines()


def test_what_a_guest_types_stays_on_its_line() -> None:
    nasty = "Hi\r\nTimeRex booking zzz\u2028\u202egnp.exe\x00\x1b"

    text = text_of(make.booking(guest_comment=nasty, guest_company="\u200b"))

    assert "Comment: Hi TimeRex booking zzz gnp.exe" in text.splitlines()
    assert "Company" not in text
    assert has_marker(text, marker_of(BookingId("a")))
    assert not has_marker(text, marker_of(BookingId("zzz")))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x\nTimeRex booking a", True),
        ("x\r\n TimeRex booking a \r\n\n", True),
        ("x\nTimeRex booking ab", False),
        ("x\nTimeRex booking a\nmore", False),
        ("", False),
    ],
)
def test_a_note_is_found_by_its_last_line(text: str, *, found: bool) -> None:
    assert has_marker(text, "TimeRex booking a") is found


def test_blanks_and_line_ends_do_not_make_another_text() -> None:
    assert is_same_text("a\nb\n\nc", "a \r\nb\r\nc\n")
    assert not is_same_text("a b", "a c")
