"""When a field of GHL was changed: between two reads, and no wider than they show."""

from datetime import datetime, timedelta

import pytest

from tests import make
from timerex_ghl.domain.contacts.change_times import (
    ContactTimes,
    GhlReading,
    newer_by_field,
    note_changes,
)
from timerex_ghl.domain.shared.models import FieldName, GhlField, Value
from timerex_ghl.domain.shared.newest import ChangeTime

CITY, GHL_CITY = FieldName("city"), GhlField("city")
ONE, TWO, THREE, FOUR = (make.NOW + timedelta(minutes=10 * number) for number in range(1, 5))
KNOWN = {GHL_CITY: ChangeTime(ONE, TWO)}


def values(value: Value | int) -> dict[GhlField, Value]:
    """A contact's values; a number stands for a field that was not received."""
    return {} if isinstance(value, int) else {GHL_CITY: value}


@pytest.mark.parametrize(
    ("then", "now", "time"),
    [
        ("Kobe", "Kobe", ChangeTime(ONE, TWO)),
        ("Kobe", "Nara", ChangeTime(THREE, FOUR)),
        ("Kobe", None, ChangeTime(THREE, FOUR)),
        ("Kobe", "KOBE", ChangeTime(ONE, FOUR)),
        ("Kobe", 0, ChangeTime(ONE, FOUR)),
        (0, "Kobe", ChangeTime(ONE, FOUR)),
        (0, 0, ChangeTime(ONE, TWO)),
        (("a", "b"), ("a",), ChangeTime(THREE, FOUR)),
    ],
)
def test_two_reads_show_when_a_field_was_changed(
    then: Value | int, now: Value | int, time: ChangeTime
) -> None:
    assert note_changes(GhlReading(values(then), THREE, KNOWN), values(now), FOUR) == {
        GHL_CITY: time
    }


def test_one_read_shows_nothing() -> None:
    assert note_changes(None, values("Kobe"), ONE) == {}
    assert note_changes(GhlReading(values("Kobe"), ONE, {}), values("Kobe"), TWO) == {}


@pytest.mark.parametrize(
    ("edited_at", "read", "touched_at", "newer"),
    [
        (FOUR, (ONE, THREE), FOUR, "workspace"),  # a tag edit moved GHL's time: nothing to city
        (THREE, (ONE, FOUR), FOUR, None),
        (THREE, (ONE, FOUR), TWO, "workspace"),
        (ONE, (TWO, THREE), THREE, "ghl"),
        (None, (ONE, TWO), TWO, None),
    ],
)
def test_a_records_time_only_limits_when_its_fields_were_changed(
    edited_at: datetime | None,
    read: tuple[datetime, datetime],
    touched_at: datetime,
    newer: str | None,
) -> None:
    times = ContactTimes({CITY: edited_at} if edited_at else {}, {GHL_CITY: ChangeTime(*read)})
    workspace = make.contact({"city": "Kobe"}, updated_at=FOUR)
    ghl = make.contact({"city": "Nara"}, updated_at=touched_at)

    found = newer_by_field(times, workspace, ghl, [make.rule("city")], timedelta(minutes=2))

    assert found == ({CITY: newer} if newer else {})


def test_a_contact_created_after_the_edit_is_newer() -> None:
    times = ContactTimes({CITY: ONE}, {}, created_at=TWO)
    workspace = make.contact({"city": "Kobe"}, updated_at=FOUR)
    ghl = make.contact({"city": "Nara"}, updated_at=THREE)

    found = newer_by_field(times, workspace, ghl, [make.rule("city")], timedelta(minutes=2))

    assert found == {CITY: "ghl"}
