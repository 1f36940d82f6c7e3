"""What people may enter about a booking of the workspace."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from tests import make
from timerex_ghl.domain.bookings.booking_entry import BookingEntry, enter_booking
from timerex_ghl.domain.contacts.contact_entry import EntryError
from timerex_ghl.domain.shared.models import BookingState


def enter(**named: Any) -> Any:
    return enter_booking(make.booking(), BookingEntry.model_validate(named))


def test_only_what_is_named_changes() -> None:
    entered = enter(guest_comment="by phone", host_names=["Mori Kana", "Abe Jun"])

    assert entered == make.booking(guest_comment="by phone", host_names=("Mori Kana", "Abe Jun"))


def test_a_hosts_address_is_lower_case() -> None:
    entered = enter(host_emails=[" Kana@Aoba.example"])

    assert entered == make.booking(host_emails=("kana@aoba.example",))


def test_times_are_kept_in_utc() -> None:
    entered = enter(starts_at="2026-02-10T12:00:00+09:00", ends_at="2026-02-10T12:15:00+09:00")

    assert entered.starts_at == datetime(2026, 2, 10, 3, 0, tzinfo=UTC)
    assert entered.starts_at.tzinfo is UTC


def test_a_booking_can_be_cancelled_and_confirmed_again() -> None:
    cancelled = enter(state="cancelled", cancellation_reason="ill")

    again = enter_booking(cancelled, BookingEntry(state="confirmed", cancellation_reason=None))

    assert cancelled.state is BookingState.CANCELLED
    assert again == make.booking()


def test_null_empties() -> None:
    entered = enter(
        calendar_name=None, guest_company=None, host_names=None, answers=None, guest_name=" "
    )

    assert entered == make.booking(
        calendar_name="", guest_company=None, host_names=(), guest_name=None
    )


def test_answers_have_their_question_as_label() -> None:
    entered = enter(answers=[{"label": "ご職業", "value": "会社員"}])

    assert entered.answers == (make.answer("ご職業", "会社員", field_type=""),)


@pytest.mark.parametrize("field", ["state", "starts_at", "ends_at", "timezone"])
def test_what_a_booking_cannot_do_without_cannot_be_emptied(field: str) -> None:
    with pytest.raises(EntryError, match=f"{field}: cannot be emptied"):
        enter(**{field: None})


@pytest.mark.parametrize(
    "ends_at", ["2026-02-10T01:00:00Z", "2026-02-09T01:00:00Z", "2026-03-14T01:00:00Z"]
)
def test_a_booking_ends_after_it_starts_and_not_months_later(ends_at: str) -> None:
    with pytest.raises(EntryError, match="ends_at: must be after starts_at"):
        enter(ends_at=ends_at)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("starts_at", "2026-02-10T10:00:00"),
        ("starts_at", 1_770_000_000),
        ("starts_at", "20260210"),
        ("starts_at", "1.77e9"),
        ("starts_at", "0001-01-01T00:00:00+09:00"),
        ("starts_at", "9999-12-31T23:59:59-09:00"),
        ("timezone", "Asia/Nowhere"),
        ("timezone", "../../etc/passwd"),
        ("timezone", "\0"),
        ("state", "moved"),
        ("guest_name", "x" * 1_001),
        ("guest_name", "a\0b"),
        ("old_id", "b1"),
        ("answers", [{"label": "x"}]),
        ("host_names", ["x"] * 101),
    ],
)
def test_what_cannot_be_taken_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        BookingEntry.model_validate({field: value})

    assert str(refused.value.errors()[0]["loc"][0]) == field
