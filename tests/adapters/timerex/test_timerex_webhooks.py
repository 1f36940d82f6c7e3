import copy
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.adapters.timerex.deliveries import CANCELLED, CONFIRMED, LEAST, body_of
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.shared.models import Booking, BookingState, FormAnswer


def booking_of(sample: dict[str, Any], **event: Any) -> Booking:
    booking = read_delivery(body_of(sample, **event)).booking
    assert booking is not None
    return booking


def test_the_documented_confirmed_delivery_is_read_in_full() -> None:
    body = body_of(CONFIRMED)

    delivery = read_delivery(body)

    assert delivery.type == "event_confirmed"
    assert (delivery.team, delivery.calendar_path) == ("aoba_4d1e", "7c21ab90")
    assert delivery.event_id == "4f0a9c2be7716d83a5c1"
    assert delivery.dedupe_key == (
        "4f0a9c2be7716d83a5c1:event_confirmed:" + hashlib.sha256(body).hexdigest()
    )
    assert delivery.booking is not None
    assert delivery.booking.model_dump() == {
        "id": "4f0a9c2be7716d83a5c1",
        "state": BookingState.CONFIRMED,
        "calendar_name": "Onboarding call 30",
        "calendar_id": "91d3e0b7aa52c48f6e10",
        "starts_at": datetime(2026, 2, 10, 1, tzinfo=UTC),
        "ends_at": datetime(2026, 2, 10, 1, 30, tzinfo=UTC),
        "timezone": "Asia/Tokyo",
        "guest_name": "Sato Riku",
        "guest_email": "riku@hinode.example",
        "guest_company": "Hinode Foods",
        "guest_comment": None,
        "answers": (
            {"field_type": "checkboxes", "label": "興味", "value": ("A", "C")},
            {"field_type": "dropdown", "label": "規模", "value": "1-10"},
        ),
        "url_params": {"utm_source": "newsletter", "ghl_contact": "signed-token"},
        "host_names": ("Mori Kana",),
        "host_emails": ("kana@aoba.example",),
        "join_url": "https://zoom.example/j/81234567890",
        "cancellation_reason": None,
        "old_id": None,
        "new_id": None,
        "move_expired": False,
    }


def test_the_documented_cancelled_delivery_is_read_in_full() -> None:
    booking = booking_of(CANCELLED)

    assert booking.state is BookingState.CANCELLED
    assert (booking.guest_name, booking.guest_email) == ("Sato Riku", "riku@hinode.example")
    assert booking.cancellation_reason is None
    assert booking.join_url is None


def test_id_start_and_end_are_enough() -> None:
    booking = booking_of(LEAST)

    assert booking.id == "7"
    assert (booking.calendar_name, booking.calendar_id, booking.timezone) == ("", None, "UTC")
    assert (booking.answers, booking.url_params, booking.host_names) == ((), {}, ())


@pytest.mark.parametrize("status", [1, 2, 3, "confirmed", None])
def test_the_type_counts_whatever_status_says(status: object) -> None:
    assert booking_of(CONFIRMED, status=status).state is BookingState.CONFIRMED
    assert booking_of(CANCELLED, status=status).state is BookingState.CANCELLED


@pytest.mark.parametrize("key", ["new_event_id", "new_evnet_id"])
def test_a_cancel_that_names_its_successor_is_a_move_however_the_key_is_spelt(key: str) -> None:
    booking = booking_of(CANCELLED, **{key: "b1"})

    assert (booking.state, booking.new_id) == (BookingState.MOVED, "b1")


def test_a_cancel_marked_as_changed_is_a_move_before_its_successor_is_known() -> None:
    booking = booking_of(CANCELLED, is_changed=True)

    assert (booking.state, booking.new_id) == (BookingState.MOVED, None)


def test_the_confirmed_half_of_a_reschedule_names_the_booking_it_replaces() -> None:
    booking = booking_of(CONFIRMED, is_changed=True, old_event_id="a1")

    assert (booking.state, booking.old_id) == (BookingState.CONFIRMED, "a1")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ([{"a": "1"}, {"b": "2"}], {"a": "1", "b": "2"}),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}),
        ([{"a": 7}, {"b": None}, {"c": ["x"]}, "d", None], {"a": "7"}),
        ([], {}),
        (None, {}),
        ("a=1", {}),
    ],
)
def test_url_params_come_as_a_list_of_objects_or_an_object_or_not_at_all(
    sent: object, read: dict[str, str]
) -> None:
    assert booking_of(LEAST, url_params=sent).url_params == read


def test_answers_may_have_only_a_type_and_a_value() -> None:
    booking = booking_of(
        LEAST,
        form=[
            {"field_type": "guest_email", "value": "Riku@Hinode.example"},
            {"field_type": "radio", "value": "yes"},
        ],
    )

    assert booking.guest_email == "Riku@Hinode.example"
    assert booking.answers == (FormAnswer(field_type="radio", label="", value="yes"),)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (["A", "C"], ("A", "C")),
        (["A", 2, None, True], ("A", "2", "true")),
        ([], None),
        ("", None),
        (" ", None),
        (None, None),
        (12, "12"),
        (False, "false"),
        ({"name": "plan.pdf"}, None),
    ],
)
def test_an_answer_is_text_or_several_texts_or_empty(sent: object, read: object) -> None:
    form = [{"field_type": "checkboxes", "label": "Topics", "value": sent}]

    assert booking_of(LEAST, form=form).answers[0].value == read


def test_the_first_of_two_mail_questions_counts() -> None:
    form = [
        {"field_type": "guest_email", "value": "first@hinode.example"},
        {"field_type": "guest_email", "value": "second@hinode.example"},
    ]

    assert booking_of(LEAST, form=form).guest_email == "first@hinode.example"


@pytest.mark.parametrize("meeting_id", [81234567890, "812 3456 7890", None])
def test_a_meeting_id_may_be_a_number_or_spaced_text(meeting_id: object) -> None:
    zoom = {"meeting_id": meeting_id, "join_url": "https://zoom.example/j/1"}

    assert booking_of(LEAST, zoom_meeting=zoom).join_url == "https://zoom.example/j/1"


@pytest.mark.parametrize("kind", ["google_meet_meeting", "microsoft_teams_meeting"])
def test_a_meeting_without_a_host_has_its_link(kind: str) -> None:
    meeting = {"meeting_id": "abc", "join_url": "https://meet.example/abc"}

    assert booking_of(LEAST, **{kind: meeting}).join_url == "https://meet.example/abc"


def test_no_provider_means_no_link() -> None:
    assert booking_of(LEAST, online_meeting_provider=None, zoom_meeting=None).join_url is None


def test_hosts_need_no_id() -> None:
    hosts = [{"name": "Mori Kana", "email": " Kana@Aoba.example"}, {"id": "h2"}, None]

    booking = booking_of(LEAST, hosts=hosts)

    assert booking.host_names == ("Mori Kana",)
    assert booking.host_emails == ("kana@aoba.example",)


def test_links_that_act_on_the_booking_and_the_meeting_password_are_not_kept() -> None:
    kept = booking_of(CONFIRMED).model_dump_json()

    for secret in ("host_cancel", "schedule/cancel", "schedule/change", "EXAMPLE", "482913"):
        assert secret not in kept


@pytest.mark.parametrize(("sent", "read"), [("", None), ("  ", None), ("ill", "ill"), (None, None)])
def test_an_untyped_reason_is_none(sent: object, read: str | None) -> None:
    assert booking_of(CANCELLED, cancellation_reason=sent).cancellation_reason == read


def test_when_it_was_cancelled_is_spelt_with_one_l_and_may_be_missing() -> None:
    assert "canceled_at" in CANCELLED["event"]
    without = copy.deepcopy(CANCELLED)
    del without["event"]["canceled_at"]

    assert booking_of(without) == booking_of(CANCELLED)


@pytest.mark.parametrize("zone", ["Asia/Nowhere", "../etc/passwd", "Asia", "", None, 9])
def test_a_zone_this_machine_does_not_know_reads_as_utc(zone: object) -> None:
    assert booking_of(CONFIRMED, calendar_timezone=zone).timezone == "UTC"


def test_times_are_kept_in_utc() -> None:
    assert booking_of(LEAST, start_datetime="2026-02-10T10:00:00+09:00").starts_at.tzinfo is UTC


@pytest.mark.parametrize(
    "odd",
    [
        {"form": "none"},
        {"form": [1, None, {"field_type": 5}]},
        {"hosts": {"name": "x"}},
        {"zoom_meeting": "https://zoom.example/j/1"},
        {"is_changed": {"no": 1}},
        {"old_event_id": ""},
        {"new_event_id": "two words"},
        {"calendar_id": []},
        {"something_new": {"a": 1}},
    ],
    ids=str,
)
def test_an_odd_shape_elsewhere_does_not_refuse_the_booking(odd: dict[str, Any]) -> None:
    assert booking_of(LEAST, **odd).id == "7"


def test_a_type_nobody_documented_is_a_delivery_without_a_booking() -> None:
    delivery = read_delivery(b'{"webhook_type": "event_reminded", "event": {"id": "e1"}}')

    assert (delivery.type, delivery.booking, delivery.event_id) == ("event_reminded", None, "e1")
    assert read_delivery(b'{"webhook_type": "vote"}').event_id is None


def test_a_repetition_has_the_same_key_and_another_body_another_one() -> None:
    first = read_delivery(body_of(CONFIRMED))

    assert read_delivery(body_of(CONFIRMED)).dedupe_key == first.dedupe_key
    assert read_delivery(body_of(CONFIRMED, duration=45)).dedupe_key != first.dedupe_key
