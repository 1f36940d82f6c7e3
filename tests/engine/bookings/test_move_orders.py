"""Two moves of one booking: their events end the same in every order, with one mirror."""

import itertools
from datetime import UTC, datetime

import pytest

from tests.deliveries import cancelled, confirmed, moved
from tests.engine.calendar_world import CalendarWorld
from tests.engine.world import World

LAST = datetime(2026, 2, 20, 1, tzinfo=UTC)
ORDERS = [*itertools.permutations(range(5))]
each_first = pytest.mark.parametrize(
    "first", [0, *(pytest.param(first, marks=pytest.mark.slow) for first in (1, 2, 3, 4))]
)
"""All orders that begin with one of the five events."""


def two_moves(number: int, email: str) -> list[dict[str, object]]:
    """Build the five events of a booking that is moved twice."""
    a, b, c = (f"{name}{number}" for name in "abc")
    gone, new = moved(a, b, email)
    starts_at = datetime(2026, 2, 17, 1, tzinfo=UTC)
    gone_again = cancelled(b, email, is_changed=True, new_evnet_id=c, starts_at=starts_at)
    last = confirmed(c, email, is_changed=True, old_event_id=b, starts_at=LAST)
    return [confirmed(a, email), gone, new, gone_again, last]


async def play(world: World, first: int) -> dict[int, str]:
    """Process the events in each order, and one of them twice; return the guests' e-mails."""
    emails = {number: f"guest{number}@hinode.example" for number in range(len(ORDERS))}
    chosen = {number: emails[number] for number in emails if ORDERS[number][0] == first}
    for number, email in chosen.items():
        bodies = two_moves(number, email)
        events = [await world.receive(bodies[index]) for index in ORDERS[number]]
        await world.handle(*events)
        await world.handle(events[number % 5], replay=True)
    return chosen


@each_first
async def test_two_moves_leave_one_note_in_every_order(world: World, first: int) -> None:
    wrong: dict[tuple[int, ...], list[str]] = {}
    for number, email in (await play(world, first)).items():
        notes = await world.notes_of(email)
        lines = [note.splitlines() for note in notes]
        if [(one[1], one[-1]) for one in lines] != [("Booked", f"TimeRex booking a{number}")]:
            wrong[ORDERS[number]] = notes
        assert "When: Fri 2026-02-20 10:00" in notes[-1]

    assert wrong == {}


@each_first
async def test_two_moves_leave_one_appointment_in_every_order(
    calendar: CalendarWorld, first: int
) -> None:
    wrong: dict[tuple[int, ...], object] = {}
    for number, email in (await play(calendar.world, first)).items():
        shown = [(one.starts_at, one.status) for one in await calendar.appointments(email)]
        if shown != [(LAST, "confirmed")] or await calendar.world.notes_of(email):
            wrong[ORDERS[number]] = shown

    assert wrong == {}
