"""Webhooks count as silent only where changes should have been reported and none came since."""

from datetime import UTC, datetime, timedelta

import pytest

from timerex_ghl.domain.monitoring.silence import ENOUGH, GRACE, SKEW, find_silence

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
AN_HOUR_AGO = NOW - timedelta(hours=1)


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=one) for one in minutes]


def test_changes_without_any_webhook_since_are_a_silence() -> None:
    silence = find_silence(minutes_ago(50, 20, 30), AN_HOUR_AGO, NOW)

    assert silence is not None
    assert (silence.changes, silence.since, silence.newest) == (3, *minutes_ago(50, 20))


def test_where_no_webhook_ever_came_all_changes_count() -> None:
    silence = find_silence(minutes_ago(50, 30), None, NOW)

    assert silence is not None
    assert silence.changes == 2


def test_one_webhook_that_got_lost_is_no_silence() -> None:
    assert find_silence(minutes_ago(50), AN_HOUR_AGO, NOW) is None


def test_a_webhook_that_came_since_ends_it() -> None:
    assert find_silence(minutes_ago(50, 40), NOW - timedelta(minutes=30), NOW) is None


def test_what_changed_just_now_may_be_reported_still() -> None:
    assert find_silence(minutes_ago(50, 9), AN_HOUR_AGO, NOW) is None


@pytest.mark.parametrize(("ahead_s", "is_silent"), [(-1, False), (0, False), (1, True)])
def test_clocks_may_differ_a_little(ahead_s: float, *, is_silent: bool) -> None:
    at = AN_HOUR_AGO + SKEW + timedelta(seconds=ahead_s)

    assert (find_silence([at] * ENOUGH, AN_HOUR_AGO, NOW) is not None) == is_silent


def test_no_change_is_no_silence_however_long_nothing_came() -> None:
    assert find_silence([], None, NOW) is None
    assert GRACE > SKEW
