"""An appointment begins and ends when TimeRex says, also on days when the clocks change."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from tests.deliveries import confirmed
from tests.engine.calendar_world import CalendarWorld


class ClockChange(NamedTuple):
    """A start in local time on a day when the clocks change, and a duration."""

    zone: str
    starts_at: datetime
    minutes: int


def local(zone: str, *at: int, fold: int = 0) -> datetime:
    year, month, day, hour, minute = at
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone), fold=fold)


NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
DAYS = [
    ClockChange(
        NEW_YORK, local(NEW_YORK, 2027, 3, 14, 1, 30), 60
    ),  # ends at 03:30: 02:00 never comes
    ClockChange(NEW_YORK, local(NEW_YORK, 2027, 3, 14, 3, 0), 30),
    ClockChange(NEW_YORK, local(NEW_YORK, 2027, 11, 7, 1, 30), 30),  # ends at 01:00, the second one
    ClockChange(NEW_YORK, local(NEW_YORK, 2027, 11, 7, 1, 30, fold=1), 30),
    ClockChange(NEW_YORK, local(NEW_YORK, 2027, 11, 7, 0, 30), 180),
    ClockChange(BERLIN, local(BERLIN, 2027, 3, 28, 1, 45), 30),  # ends at 03:15
    ClockChange(BERLIN, local(BERLIN, 2027, 10, 31, 2, 30), 45),
    ClockChange(BERLIN, local(BERLIN, 2027, 10, 31, 2, 30, fold=1), 45),
    ClockChange(BERLIN, local(BERLIN, 2027, 10, 30, 23, 0), 360),  # crosses the change
]


@pytest.mark.parametrize("location", [NEW_YORK, BERLIN, "Asia/Tokyo"])
async def test_the_instants_are_timerexs_whatever_the_zones(
    calendar: CalendarWorld, location: str
) -> None:
    await calendar.world.ask("POST", "/ghl/settings", {"timezone": location})
    expected: list[tuple[datetime, datetime]] = []
    for number, day in enumerate(DAYS):
        starts_at = day.starts_at.astimezone(UTC)
        ends_at = starts_at + timedelta(minutes=day.minutes)
        expected.append((starts_at, ends_at))
        await calendar.receive(
            confirmed(
                f"b{number}",
                starts_at=starts_at,
                end_datetime=ends_at.isoformat(),
                calendar_timezone=day.zone,
            )
        )

    made = await calendar.appointments()

    assert [(one.starts_at, one.ends_at) for one in made] == expected


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.starts_at.isoformat())
async def test_a_booking_moves_onto_such_a_day(calendar: CalendarWorld, day: ClockChange) -> None:
    await calendar.world.ask("POST", "/ghl/settings", {"timezone": day.zone})
    await calendar.receive(confirmed(calendar_timezone=day.zone))
    starts_at = day.starts_at.astimezone(UTC)
    ends_at = starts_at + timedelta(minutes=day.minutes)

    await calendar.receive(
        confirmed(
            "b2",
            starts_at=starts_at,
            end_datetime=ends_at.isoformat(),
            calendar_timezone=day.zone,
            is_changed=True,
            old_event_id="b1",
        )
    )

    one = await calendar.one()
    assert (one.starts_at, one.ends_at) == (starts_at, ends_at)
