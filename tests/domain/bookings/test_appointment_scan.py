"""Which listings of an appointment cause it to be read again."""

from datetime import timedelta
from typing import Any

import pytest

from tests import make
from tests.domain.bookings.appointment_cases import LATER, made
from timerex_ghl.domain.bookings.appointment_fields import STATUS
from timerex_ghl.domain.bookings.appointment_scan import (
    CHECK_VALID_FOR,
    NOT_LISTED,
    describe_shown,
    is_looked_at,
    is_otherwise,
)


@pytest.mark.parametrize(
    ("shown", "otherwise"),
    [
        ({}, False),
        ({"title": "VIP call", "assigned_to": None}, False),
        ({"status": "cancelled"}, True),
        ({"status": "noshow"}, True),
        ({"status": "a newer word"}, True),
        ({"deleted": True}, True),
        ({"starts_at": LATER}, True),
        ({"ends_at": LATER}, True),
        ({"status": "", "starts_at": None, "ends_at": None}, False),
    ],
)
def test_status_and_times_count_as_far_as_they_can_be_read(
    shown: dict[str, Any], *, otherwise: bool
) -> None:
    state = made(**shown)

    assert is_otherwise(state, state.now) is otherwise


@pytest.mark.parametrize(
    ("status", "otherwise"),
    [("confirmed", True), ("showed", True), ("cancelled", False), ("deleted", False)],
)
def test_one_that_is_over_need_not_be_listed(status: str, *, otherwise: bool) -> None:
    state = made()
    state = state.model_copy(update={"base": {**state.base, STATUS: status}, "now": None})

    assert is_otherwise(state, None) is otherwise


def test_a_check_is_valid_while_the_list_shows_the_same() -> None:
    now = make.NOW
    shows, other = (describe_shown(made(status=status).now) for status in ("showed", "noshow"))

    assert is_looked_at(shows, now, shows, now)
    assert not is_looked_at(shows, None, shows, now)
    assert not is_looked_at(shows, now, other, now)
    assert not is_looked_at(shows, now, NOT_LISTED, now)
    assert is_looked_at(shows, now - CHECK_VALID_FOR + timedelta(seconds=1), shows, now)
    assert not is_looked_at(shows, now - CHECK_VALID_FOR, shows, now)
