"""Which side's edit is newer: only what the times prove, whatever the clocks do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timerex_ghl.domain.shared.newest import ChangeTime, Evidence, newer_side

TOLERANCE = timedelta(minutes=2)
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


def at(minute: float | None) -> datetime | None:
    return None if minute is None else NOON + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("workspace", "ghl", "newer"),
    [
        ((10, 10), (0, 5), "workspace"),
        ((0, 0), (5, 10), "ghl"),
        ((10, 10), (None, 5), "workspace"),  # GHL's record changed before: so did the field
        ((0, 0), (None, 10), None),  # another field may have moved the record's time
        ((5, 5), (0, 10), None),
        ((7, 7), (0, 5), None),  # exactly the tolerance
        ((7.1, 7.1), (0, 5), "workspace"),
        ((5, 5), (6, 10), None),
        ((None, 20), (0, 5), None),  # when the workspace's field was changed is not known
        ((None, 0), (5, 10), "ghl"),
        ((10, 10), (None, None), None),
        ((20, 20), (15, 5), None),  # GHL's clock is behind by more than the tolerance
        ((0, 0), (15, 5), None),
    ],
)
def test_a_side_is_newer_only_where_it_is_proven(
    workspace: tuple[float | None, float | None],
    ghl: tuple[float | None, float | None],
    newer: str | None,
) -> None:
    evidence = Evidence(
        ChangeTime(*(at(minute) for minute in workspace)),
        ChangeTime(*(at(minute) for minute in ghl)),
    )

    assert newer_side(evidence, TOLERANCE) == newer


MINUTES = st.integers(0, 60)


@given(MINUTES, MINUTES, MINUTES, MINUTES, st.floats(-2, 2), st.floats(0, 1))
def test_a_clock_off_by_the_tolerance_is_never_wrong(
    edited: int, changed: int, read: int, touched: int, skew: float, rounded: float
) -> None:
    """GHL's record time is that of any later change, by a clock that is off or rounds."""
    off = max(-2.0, skew - rounded)
    evidence = Evidence(
        ChangeTime(at(edited), at(edited)),
        ChangeTime(at(min(read, changed)), at(max(changed, touched) + off)),
    )

    newer = newer_side(evidence, TOLERANCE)

    assert newer in {None, "workspace" if edited > changed else "ghl" if edited < changed else None}
