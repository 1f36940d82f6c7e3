from datetime import timedelta

import pytest

from tests import make
from timerex_ghl.domain.bookings.booking_merge import (
    fold_booking,
    head_of,
    is_superseded,
    join_chain,
    root_of,
)
from timerex_ghl.domain.shared.models import Booking, BookingState

C, X, M = BookingState.CONFIRMED, BookingState.CANCELLED, BookingState.MOVED
LATER = make.STARTS + timedelta(days=1)


@pytest.mark.parametrize(
    ("stored", "incoming", "folded"),
    [
        ((C, None), (C, None), None),
        ((C, None), (X, None), (X, None)),
        ((C, None), (M, None), (M, None)),
        ((C, None), (X, "b"), (M, "b")),
        ((C, None), (M, "b"), (M, "b")),
        ((X, None), (C, None), None),
        ((X, None), (X, None), None),
        ((X, None), (X, "b"), (M, "b")),
        ((M, None), (X, None), None),
        ((M, None), (M, "b"), (M, "b")),
        ((M, "b"), (C, None), None),
        ((M, "b"), (X, None), None),
        ((M, "b"), (M, "b"), None),
    ],
)
def test_moved_beats_cancelled_beats_confirmed(
    stored: tuple[BookingState, str | None],
    incoming: tuple[BookingState, str | None],
    folded: tuple[BookingState, str | None] | None,
) -> None:
    before, delivery = (make.booking(state=state, new_id=new) for state, new in (stored, incoming))

    after = fold_booking(before, delivery)

    assert (after and (after.state, after.new_id)) == folded


def test_the_first_delivery_is_news() -> None:
    assert fold_booking(None, make.booking()) == make.booking()


def test_a_cancelled_half_of_a_reschedule_is_moved_from_the_start() -> None:
    folded = fold_booking(None, make.booking(state=X, new_id="b"))

    assert folded is not None
    assert folded.state is M


@pytest.mark.parametrize("cancel_first", [True, False])
def test_two_deliveries_complete_each_other(*, cancel_first: bool) -> None:
    confirmed = make.booking(join_url="https://zoom.example/j/1", old_id="a")
    cancelled = make.booking(state=X, cancellation_reason="Ill", host_names=(), guest_company=None)
    first, second = (cancelled, confirmed) if cancel_first else (confirmed, cancelled)

    folded = fold_booking(first, second)

    assert folded == confirmed.model_copy(update={"state": X, "cancellation_reason": "Ill"})


def test_deliveries_that_contradict_each_other_end_the_same_in_either_order() -> None:
    one, other = (make.booking(guest_comment=comment) for comment in ("Bring tea", "Bring ink"))

    assert (fold_booking(one, other) or one) == (fold_booking(other, one) or other)


def test_the_halves_of_a_reschedule_are_linked_to_each_other() -> None:
    old, new = make.booking("a"), make.booking("b", old_id="a")

    first, second = join_chain([new, old])

    assert (first.id, first.state, first.new_id) == ("a", M, "b")
    assert second == new


def test_a_booking_that_only_the_old_half_names_is_linked_to_it() -> None:
    old, new = make.booking("a", state=M, new_id="b"), make.booking("b")

    assert join_chain([old, new])[1].old_id == "a"


def test_a_chain_stands_in_the_order_of_its_reschedules_not_of_its_times() -> None:
    a = make.booking("a", starts_at=LATER)
    b = make.booking("b", old_id="a")
    c = make.booking("c", old_id="b", starts_at=LATER)

    chain = join_chain([c, a, b])

    assert [row.id for row in chain] == ["a", "b", "c"]
    assert [row.state for row in chain] == [M, M, C]
    assert root_of(chain) == "a"
    assert head_of(chain).id == "c"


def test_the_root_is_known_before_its_booking_arrives() -> None:
    assert root_of(join_chain([make.booking("b", old_id="a")])) == "a"


@pytest.mark.parametrize(
    ("rows", "head"),
    [
        ([make.booking("a")], "a"),
        ([make.booking("a", state=X)], "a"),
        ([make.booking("a", state=M, new_id="b")], "a"),  # b has not arrived
        ([make.booking("a", state=M, new_id="b"), make.booking("b", state=X)], "b"),
        ([make.booking("a"), make.booking("b", state=M, old_id="a", new_id="c")], "b"),
        ([make.booking("a", state=M, new_id="b"), make.booking("c", old_id="b")], "c"),
        # what TimeRex should never send still has one head
        ([make.booking("a"), make.booking("b", old_id="a"), make.booking("c", old_id="a")], "c"),
        ([make.booking("a", old_id="b"), make.booking("b", old_id="a")], "b"),
        ([make.booking("a", old_id="a", new_id="a")], "a"),
    ],
)
def test_the_head_is_the_last_booking_nobody_replaces(rows: list[Booking], head: str) -> None:
    assert head_of(join_chain(rows)).id == head


def test_a_moved_booking_is_superseded_once_its_successor_is_here() -> None:
    moved = make.booking("a", state=M, new_id="b")

    assert not is_superseded(moved, [moved])
    assert is_superseded(moved, [moved, make.booking("b")])
    assert not is_superseded(make.booking("b"), [moved, make.booking("b")])
