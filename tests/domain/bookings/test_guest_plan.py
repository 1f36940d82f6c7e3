from datetime import timedelta

import pytest

from tests import make
from timerex_ghl.domain.bookings.guest_plan import plan_booking_tags, plan_person, split_name
from timerex_ghl.domain.contacts.contact_merge import apply_change
from timerex_ghl.domain.contacts.mapping import DEFAULT_RULES
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import Booking, BookingState, FieldName, Value

C, X, M = BookingState.CONFIRMED, BookingState.CANCELLED, BookingState.MOVED
RULES = (
    *(rule for rule in DEFAULT_RULES if rule.field not in {"phone", "city"}),
    make.rule("phone", answer_label="電話番号"),
    make.rule("city", answer_label="City"),
    make.rule("custom.interests", "customFields.f1", answer_label="興味"),
)
FORM = (
    make.answer("電話番号", "090-1234-5678"),
    make.answer(" ｃｉｔｙ ", ("Osaka", "Kobe")),
    make.answer("興味", ("A", "C")),
    make.answer("Budget", "none of your business"),
)


def notification(booking: Booking, **known: Value) -> dict[FieldName, Value]:
    return plan_person(booking, make.contact(known), RULES).values


def test_a_new_guest_is_who_the_form_says() -> None:
    guest = plan_person(make.booking(answers=FORM), None, RULES)

    assert guest.values == {
        "first_name": "佐藤 陸",
        "email": "riku@hinode.example",
        "company": "Hinode Foods",
        "phone": "090-1234-5678",
        "city": "Osaka, Kobe",
        "custom.interests": ("A", "C"),
        "source": "TimeRex",
    }
    assert guest.tags == frozenset()


def test_a_form_that_says_little_makes_a_small_contact() -> None:
    quiet = make.booking(guest_name=None, guest_company=" ", guest_email="riku@hinode.example")

    assert plan_person(quiet, None, RULES).values == {
        "email": "riku@hinode.example",
        "source": "TimeRex",
    }


def test_what_is_empty_is_filled_and_who_somebody_is_stays() -> None:
    booking = make.booking(guest_name="Rick Sato", answers=FORM)

    assert notification(
        booking, first_name="陸", email="old@hinode.example", company="", phone="1"
    ) == {
        "company": "Hinode Foods",
        "city": "Osaka, Kobe",
        "custom.interests": ("A", "C"),
    }


@pytest.mark.parametrize("known", [{"first_name": "陸"}, {"last_name": "佐藤"}])
def test_half_a_name_is_not_completed_with_half_of_another(known: dict[str, Value]) -> None:
    values = notification(make.booking(guest_name="Riku Sato"), **known)

    assert not {"first_name", "last_name"} & values.keys()


@pytest.mark.parametrize(("state", "values"), [(C, {"city": "Osaka, Kobe"}), (X, {}), (M, {})])
def test_only_a_standing_booking_replaces_an_earlier_answer(
    state: BookingState, values: dict[str, Value]
) -> None:
    booking = make.booking(
        state=state, answers=FORM[1:2], guest_name=None, guest_email=None, guest_company=None
    )

    assert notification(booking, city="Kyoto") == values
    assert notification(booking) == {"city": "Osaka, Kobe"}


def test_an_answer_omitted_empties_nothing() -> None:
    booking = make.booking(answers=[make.answer("City", None)])

    assert "city" not in notification(booking, city="Kyoto")


def test_the_same_booking_twice_says_nothing_new() -> None:
    booking = make.booking(answers=FORM)
    known = plan_person(booking, None, RULES)

    assert not plan_person(booking, known, RULES)
    changed = apply_change(make.contact(), plan_person(booking, make.contact(), RULES))
    assert not plan_person(booking, changed, RULES)


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("Riku Sato", "Riku", "Sato"),
        ("  Riku   Sato ", "Riku", "Sato"),
        ("Zoë O’Neill-Díaz", "Zoë", "O’Neill-Díaz"),
        ("佐藤 陸", "佐藤 陸", None),
        ("佐藤\u3000陸", "佐藤\u3000陸", None),
        ("サトウ リク", "サトウ リク", None),
        ("Riku 佐藤", "Riku 佐藤", None),
        ("Riku", "Riku", None),
        ("Anna Maria Rossi", "Anna Maria Rossi", None),
        ("Riku (Sato)", "Riku (Sato)", None),
        ("", "", None),
    ],
)
def test_only_two_latin_words_are_two_names(typed: str, first: str, last: str | None) -> None:
    assert split_name(typed) == (first, last)


def tag_change(
    *bookings: Booking, tags: str = "", booked: str | None = "Booked", cancelled: str | None = "off"
) -> WorkspaceChange:
    return plan_booking_tags(
        bookings, frozenset(tags.split()), booked_tag=booked, cancelled_tag=cancelled
    )


def added(*tags: str, removed: str = "") -> WorkspaceChange:
    return WorkspaceChange(tags_added=frozenset(tags), tags_removed=frozenset(removed.split()))


LATER = make.STARTS + timedelta(days=1)
STANDS, CANCELLED = make.booking("a"), make.booking("b", state=X)
MOVED = make.booking("c", state=M, new_id="d", starts_at=LATER)


@pytest.mark.parametrize(
    ("bookings", "tags", "change"),
    [
        ([], "", added()),
        ([STANDS], "", added("booked")),
        ([STANDS], "booked", added()),
        ([STANDS], "off vip", added("booked", removed="off")),
        ([CANCELLED], "", added("off")),
        ([CANCELLED], "booked vip", added("off", removed="booked")),
        ([STANDS, CANCELLED], "off", added("booked", removed="off")),
        ([MOVED], "booked", added()),  # its successor has not arrived
        ([CANCELLED, MOVED], "booked", added()),
        ([MOVED, make.booking("d", state=X)], "booked", added("off", removed="booked")),
        ([MOVED, make.booking("d")], "", added("booked")),
    ],
)
def test_the_tags_follow_from_all_bookings_of_a_person(
    bookings: list[Booking], tags: str, change: WorkspaceChange
) -> None:
    assert tag_change(*bookings, tags=tags) == change
    assert tag_change(*reversed(bookings), tags=tags) == change


def test_a_tag_nobody_wants_is_not_set() -> None:
    assert tag_change(STANDS, tags="off", booked=None) == added(removed="off")
    assert tag_change(STANDS, tags="off", cancelled=None) == added("booked")
    assert tag_change(CANCELLED, booked="off", cancelled="OFF") == added("off")
    assert tag_change(CANCELLED, tags="off", booked="off", cancelled="OFF") == added()
