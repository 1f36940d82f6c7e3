"""The law of the pace: no window holds more calls than allowed, whatever happens."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine

from timerex_ghl.adapters.ledger import clock, quota
from timerex_ghl.adapters.ledger.quota import Ended, Pace, SlotId
from timerex_ghl.adapters.ledger.schema import metadata
from timerex_ghl.sync.models import LocationId

AOBA = LocationId("locAoba")
BEGIN = datetime(2026, 2, 3, 5, tzinfo=UTC)
LIMIT, WINDOW_S, DEADLINE_S = 4, 2.0, 3.0

steps = st.lists(
    st.tuples(
        st.integers(0, 2_000_000),  # microseconds that pass first
        st.integers(0, 6),  # calls wanted
        st.sampled_from([1, 2, LIMIT]),  # the limit of the process that wants them
        st.floats(0, 1),  # how much of its life a call takes to arrive
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 500_000)), max_size=4),  # who ends
    ),
    max_size=25,
)


@dataclass
class History:
    """Calls as they happened.

    Attributes:
        alive: The slot and the begin of each call that has not ended.
    """

    now: datetime = BEGIN
    alive: list[tuple[SlotId, datetime]] = field(default_factory=list[tuple[SlotId, datetime]])
    arrivals: list[datetime] = field(default_factory=list[datetime])

    def arrive(self, begun: datetime, ended: datetime, share: float) -> None:
        self.arrivals.append(begun + (ended - begun) * share)

    def most_in_any_window(self) -> int:
        window = timedelta(seconds=WINDOW_S)
        return max(
            (sum(a <= b < a + window for b in self.arrivals) for a in self.arrivals), default=0
        )


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    memory = create_engine("sqlite://")
    metadata.create_all(memory)
    yield memory
    memory.dispose()


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(story=steps)
def test_no_window_ever_holds_more_calls_than_the_limit(
    engine: Engine, story: list[tuple[int, int, int, float, list[tuple[int, int]]]]
) -> None:
    history = History()

    def now(_tx: Connection) -> datetime:
        return history.now

    with pytest.MonkeyPatch.context() as patch, engine.connect() as tx:
        patch.setattr(clock, "now", now)
        for passes, wanted, limit, share, ends in story:
            history.now += timedelta(microseconds=passes)
            pace = Pace(limit, WINDOW_S, DEADLINE_S)
            _end(tx, history, pace, share, ends)
            slots, _wait_s = quota.take_slots(tx, AOBA, wanted, pace)
            history.alive += [(slot, history.now) for slot in slots]
        for _slot, begun in history.alive:  # their processes died: each arrives as late as it can
            history.arrive(begun, begun + timedelta(seconds=DEADLINE_S, milliseconds=-1), 1)
        tx.rollback()

    assert history.most_in_any_window() <= LIMIT


def _end(
    tx: Connection, history: History, pace: Pace, share: float, ends: list[tuple[int, int]]
) -> None:
    """End some calls, and tell the ledger a while after."""
    for which, ago in ends:
        if which >= len(history.alive):
            continue
        slot, begun = history.alive.pop(which)
        dies = begun + timedelta(seconds=DEADLINE_S, milliseconds=-1)
        ended = min(dies, max(begun, history.now - timedelta(microseconds=ago)))
        history.arrive(begun, ended, share)
        ago_s = (history.now - ended).total_seconds()
        quota.give_back(tx, AOBA, [Ended(slot, ago_s)], pace)
