"""The invariant of the rate limiter: no window ever has more calls than allowed.

Calls behind live work also keep to their share, spread over the window.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine

from tests.adapters.ledger.tables.sync.quota_usage import read_usage
from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.tables.sync import quota
from timerex_ghl.adapters.ledger.tables.sync.quota import (
    PIECES,
    CallLimits,
    Ended,
    ReportedLimits,
    Slot,
)
from timerex_ghl.domain.shared.models import LocationId

AOBA = LocationId("locAoba")
BEGIN = datetime(2026, 2, 3, 5, tzinfo=UTC)
LIMIT, WINDOW_S, DEADLINE_S = 4, 2.0, 3.0
WIDE, SHARE = 20, 6

steps = st.lists(
    st.tuples(
        st.integers(0, 2_000_000),  # microseconds that pass first
        st.integers(0, 6),  # calls wanted
        st.sampled_from([1, 2, LIMIT]),  # the limit of the process that wants them
        st.floats(0, 1),  # share of its duration after which a call arrives
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 500_000)), max_size=4),  # who ends
    ),
    max_size=25,
)
mixed_steps = st.lists(
    st.tuples(
        st.integers(0, 900_000),  # microseconds that pass first
        st.integers(0, 9),  # calls wanted by live work
        st.integers(0, 9),  # calls wanted behind it
        st.floats(0, 1),
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 500_000)), max_size=12),
    ),
    max_size=25,
)


@dataclass
class History:
    """The calls as they happened.

    Attributes:
        alive: The slot and the start of each call that has not ended.
    """

    now: datetime = BEGIN
    alive: list[tuple[Slot, datetime]] = field(default_factory=list[tuple[Slot, datetime]])
    arrivals: list[datetime] = field(default_factory=list[datetime])

    def arrive(self, begun: datetime, ended: datetime, part: float) -> None:
        self.arrivals.append(begun + (ended - begun) * part)

    def most_in_any_window(self, window_s: float = WINDOW_S) -> int:
        window = timedelta(seconds=window_s)
        return max(
            (sum(a <= b < a + window for b in self.arrivals) for a in self.arrivals), default=0
        )


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    memory = create_engine("sqlite://")
    metadata.create_all(memory)
    yield memory
    memory.dispose()


def connected(engine: Engine, now: clock.Clock) -> Connection:
    """Connect with the test's clock."""
    return engine.connect().execution_options(**{clock.OPTION: now})


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(story=steps)
def test_no_window_ever_has_more_calls_than_the_limit(
    engine: Engine, story: list[tuple[int, int, int, float, list[tuple[int, int]]]]
) -> None:
    history = History()

    with connected(engine, lambda: history.now) as tx:
        for passes, wanted, limit, arrives, ends in story:
            history.now += timedelta(microseconds=passes)
            call_limits = CallLimits(limit, WINDOW_S, DEADLINE_S)
            _end(tx, history, call_limits, arrives, ends)
            slots, _wait_s = quota.take_slots(tx, AOBA, wanted, call_limits)
            history.alive += [(slot, history.now) for slot in slots]
        tx.rollback()
    _let_die(history)

    assert history.most_in_any_window() <= LIMIT


def _let_die(history: History) -> None:
    """Kill the processes of all running calls: each call arrives as late as it can."""
    for _slot, begun in history.alive:
        history.arrive(begun, begun + timedelta(seconds=DEADLINE_S, milliseconds=-1), 1)


def _end(
    tx: Connection,
    history: History,
    call_limits: CallLimits,
    arrives: float,
    ends: list[tuple[int, int]],
) -> None:
    """End some calls, and record that in the ledger later."""
    for which, ago in ends:
        if which >= len(history.alive):
            continue
        slot, begun = history.alive.pop(which)
        dies = begun + timedelta(seconds=DEADLINE_S, milliseconds=-1)
        ended = min(dies, max(begun, history.now - timedelta(microseconds=ago)))
        history.arrive(begun, ended, arrives)
        ago_s = (history.now - ended).total_seconds()
        quota.give_back(tx, AOBA, [Ended(slot, ago_s)], call_limits)


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(story=mixed_steps)
def test_who_has_a_share_keeps_to_it_and_spreads_it_and_live_work_has_all_else(
    engine: Engine, story: list[tuple[int, int, int, float, list[tuple[int, int]]]]
) -> None:
    live, behind = History(), History()
    call_limits = CallLimits(WIDE, WINDOW_S, DEADLINE_S)
    taken: list[datetime] = []

    with connected(engine, lambda: live.now) as tx:
        for passes, wanted, wanted_behind, arrives, ends in story:
            live.now += timedelta(microseconds=passes)
            behind.now = live.now
            _end(tx, live, call_limits, arrives, ends[::2])
            _end(tx, behind, call_limits, arrives, ends[1::2])
            rate_limiter = WIDE - read_usage(tx, AOBA).in_window
            first, first_wait_s = quota.take_slots(tx, AOBA, wanted, call_limits)
            slots, wait_s = quota.take_slots(tx, AOBA, wanted_behind, call_limits, SHARE)
            live.alive += [(slot, live.now) for slot in first]
            behind.alive += [(slot, live.now) for slot in slots]
            taken += [live.now] * len(slots)
            assert len(first) == min(wanted, rate_limiter)
            assert len(slots) <= rate_limiter - len(first)
            assert (first_wait_s > 0) == (wanted > 0 and not first)
            assert (wait_s > 0) == (wanted_behind > 0 and not slots)
            assert max(first_wait_s, wait_s) <= WINDOW_S + DEADLINE_S
        tx.rollback()
    for history in (live, behind):
        _let_die(history)
    together = History(arrivals=live.arrivals + behind.arrivals)

    assert together.most_in_any_window() <= WIDE
    assert behind.most_in_any_window() <= SHARE
    spread = History(arrivals=taken)
    assert spread.most_in_any_window(WINDOW_S / PIECES) <= ceil(SHARE / PIECES)


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@given(limit=st.integers(1, 12), share=st.integers(0, 15), asks=st.lists(st.integers(0, 9)))
def test_who_has_a_share_takes_no_more_whatever_it_asks_for(
    engine: Engine, limit: int, share: int, asks: list[int]
) -> None:
    at = [BEGIN]
    call_limits = CallLimits(limit, WINDOW_S, DEADLINE_S)

    with connected(engine, lambda: at[0]) as tx:
        for wanted in asks:
            at[0] += timedelta(seconds=WINDOW_S / 3)
            quota.take_slots(tx, AOBA, wanted, call_limits, share)
        behind = read_usage(tx, AOBA).in_window
        live, _wait_s = quota.take_slots(tx, AOBA, 99, call_limits)
        tx.rollback()

    assert behind <= min(limit, max(1, share))
    assert behind + len(live) == limit


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(
    takes=st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(0, 9)), max_size=6),
    remaining=st.integers(0, WIDE),
    more=st.lists(st.tuples(st.integers(1, 30), st.none() | st.integers(0, 9)), max_size=6),
)
def test_no_lane_takes_more_than_ghl_says_remains(
    engine: Engine,
    takes: list[tuple[int, int | None]],
    remaining: int,
    more: list[tuple[int, int | None]],
) -> None:
    call_limits = CallLimits(WIDE, WINDOW_S, DEADLINE_S)

    with connected(engine, lambda: BEGIN) as tx:
        for wanted, share in takes:
            quota.take_slots(tx, AOBA, wanted, call_limits, share)
        quota.correct(tx, AOBA, ReportedLimits(remaining, None, None), call_limits)
        later = [
            quota.take_slots(tx, AOBA, wanted, call_limits, share)[0] for wanted, share in more
        ]
        tx.rollback()

    assert sum(len(slots) for slots in later) <= remaining
