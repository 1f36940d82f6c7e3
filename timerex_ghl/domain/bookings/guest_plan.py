"""Plan what a booking changes on its guest's contact."""

from collections.abc import Collection, Iterable
from typing import overload
from unicodedata import name as letter_name
from unicodedata import normalize

from timerex_ghl.domain.bookings.booking_merge import as_counted, is_superseded
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import (
    STANDARD_FIELDS,
    Booking,
    BookingState,
    Contact,
    FieldName,
    FieldRule,
    Value,
)
from timerex_ghl.domain.shared.normal import clean_tag, clean_value, is_empty

SOURCE = {FieldName("source"): "TimeRex"}
FIRST_NAME, LAST_NAME = FieldName("first_name"), FieldName("last_name")
WHO = {FIRST_NAME, LAST_NAME, *map(FieldName, ("email", "phone", "company"))}
"""Identity fields. A form fills them in and never replaces them: anyone can type any name."""


@overload
def plan_person(booking: Booking, known: None, rules: Iterable[FieldRule]) -> Contact: ...
@overload
def plan_person(
    booking: Booking, known: Contact, rules: Iterable[FieldRule]
) -> WorkspaceChange: ...
def plan_person(
    booking: Booking, known: Contact | None, rules: Iterable[FieldRule]
) -> Contact | WorkspaceChange:
    """Build the contact of a new guest, or the change that a booking makes to a known one.

    Empty fields are filled. Answers that a rule names by their label also replace values while the
    booking is confirmed (a cancellation only repeats old answers), except in `WHO`.

    Args:
        booking: The merged booking.
        known: The guest's workspace contact; where the workspace has none, the GHL contact in
            canonical fields. None: the guest is new to both.
        rules: The connection's fields.
    """
    answers = _answers(booking, rules)
    offered = {**answers, **_guest_values(booking)}
    if known is None:
        return Contact(values={**offered, **SOURCE}, tags=frozenset())
    if any(not is_empty(known.values.get(name)) for name in (FIRST_NAME, LAST_NAME)):
        offered = {field: offered[field] for field in offered.keys() - {FIRST_NAME, LAST_NAME}}
    news = {field: offered[field] for field in offered if is_empty(known.values.get(field))}
    if booking.state is BookingState.CONFIRMED:
        news |= {field: answers[field] for field in answers.keys() - WHO}
    return WorkspaceChange(
        values={
            field: value
            for field, value in news.items()
            if value != clean_value(known.values.get(field))
        }
    )


def plan_booking_tags(
    bookings: Collection[Booking],
    tags: frozenset[str],
    *,
    booked_tag: str | None,
    cancelled_tag: str | None,
) -> WorkspaceChange:
    """Choose which of the two booking tags a contact should have, from all of its bookings.

    Any confirmed booking: booked. None, and the last one was cancelled: cancelled. While a moved
    booking's successor has not arrived, both stay as they are.
    """
    open_ones = [as_counted(row) for row in bookings if not is_superseded(row, bookings)]
    if any(row.state is BookingState.CONFIRMED for row in open_ones):
        wanted, unwanted = booked_tag, cancelled_tag
    elif open_ones and max(open_ones, key=_when).state is BookingState.CANCELLED:
        wanted, unwanted = cancelled_tag, booked_tag
    else:
        return WorkspaceChange()
    added = frozenset({clean_tag(wanted)} if wanted else ())
    removed = frozenset({clean_tag(unwanted)} if unwanted else ()) - added
    return WorkspaceChange(tags_added=added - tags, tags_removed=removed & tags)


def split_name(name: str) -> tuple[str, str | None]:
    """Split a full name into first and last name.

    Only two words in Latin letters are two names. Every other name stays whole, as the first one:
    a blank in a Japanese name does not show which part is which.
    """
    match name.split():
        case [first, last] if _is_latin(first) and _is_latin(last):
            return first, last
        case _:
            return name, None


def _guest_values(booking: Booking) -> dict[FieldName, Value]:
    first, last = split_name(booking.guest_name or "")
    offered = {
        FIRST_NAME: first,
        LAST_NAME: last,
        FieldName("email"): booking.guest_email,
        FieldName("company"): booking.guest_company,
    }
    return {field: kept for field, value in offered.items() if (kept := clean_value(value))}


def _answers(booking: Booking, rules: Iterable[FieldRule]) -> dict[FieldName, Value]:
    """Return the answers that rules name by label; a standard field joins several into one text."""
    by_label = {_label_key(answer.label): answer.value for answer in booking.answers}
    return {
        rule.field: ", ".join(value)
        if isinstance(value, tuple) and rule.field in STANDARD_FIELDS
        else value
        for rule in rules
        if rule.answer_label and (value := clean_value(by_label.get(_label_key(rule.answer_label))))
    }


def _label_key(label: str) -> str:
    return " ".join(normalize("NFKC", label).split()).casefold()


def _is_latin(word: str) -> bool:
    return all("LATIN" in letter_name(letter, "") for letter in word if letter not in ".'’-")


def _when(booking: Booking) -> tuple[float, str]:
    return booking.starts_at.timestamp(), booking.id
