"""Random sequences of bookings, and of edits, merges and deletes of people, as data."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from hypothesis import strategies as st

from tests.engine.activity_story import WHERE, Side

PEOPLE = ("riku", "hana", "aoi")
OFFICE = "+81312345678"
PHONES = ("+819011110001", "+819011110002", "+819011110003")
EDITED = ("city", "vip", "city", "phone", "email", "city", "cold", "city")
FAULTS = ("update-contact", "add-tags", "create-contact", "create-note", "update-note")
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=16))
BOOKS_FROM = datetime(2026, 2, 10, 1, tzinfo=UTC)

What = Literal[
    "book", "cancel", "move", "edit", "half", "fault", "create", "delete", "restore", "merge",
    "withdraw", "alias", "lose", "reverse", "process", "try", "sync", "pause",
]  # fmt: skip
WHATS: tuple[What, ...] = (
    "book", "book", "book", "cancel", "move", "edit", "edit", "edit", "half", "half", "fault",
    "withdraw", "create", "create", "delete", "restore", "merge", "alias", "lose", "reverse",
    "process", "process", "process", "try", "sync", "pause",
)  # fmt: skip
MOST = 23
YES_OR_NO = (False, True)


class PersonStep(NamedTuple):
    """One step. `who` and `number` choose among people, records and variants."""

    what: What
    side: Side
    who: int
    number: int


class StoryOfPeople(NamedTuple):
    """Steps in a location.

    Attributes:
        allow_duplicates: Several contacts may have one e-mail or phone.
        has_calendar: Bookings become appointments; else notes.
    """

    allow_duplicates: bool
    has_calendar: bool
    steps: list[PersonStep]


STEPS = st.builds(
    PersonStep,
    st.sampled_from(WHATS),
    st.sampled_from(WHERE),
    st.integers(0, 2),
    st.integers(0, MOST),
)


def stories(least: int, most: int) -> st.SearchStrategy[StoryOfPeople]:
    """Draw stories of so many steps."""
    return st.builds(
        StoryOfPeople, st.booleans(), st.booleans(), st.lists(STEPS, min_size=least, max_size=most)
    )


def draw_story(seed: int) -> StoryOfPeople:
    """Draw the story of a seed, the same each time."""
    draw = random.Random(seed)
    steps = [
        PersonStep(
            draw.choice(WHATS), draw.choice(WHERE), draw.randint(0, 2), draw.randint(0, MOST)
        )
        for _ in range(draw.randint(4, 36))
    ]
    return StoryOfPeople(draw.choice(YES_OR_NO), draw.choice(YES_OR_NO), steps)


@dataclass
class StoryBooking:
    """A booking in TimeRex. `root_id` is the first of its chain of moves."""

    id: str
    root_id: str
    email: str | None
    phone: str | None
    serial: int
    is_open: bool = True

    @property
    def keys(self) -> set[str]:
        """Return the guest's e-mail, or else the phone."""
        return {key for key in (self.email or self.phone,) if key}

    def body(self, make: Any, **changes: object) -> dict[str, Any]:
        """Return TimeRex's delivery about it."""
        starts_at = BOOKS_FROM + timedelta(weeks=self.serial)
        form = [{"field_type": "guest_name", "value": "Guest"}]
        if self.email:
            form += [{"field_type": "guest_email", "value": self.email}]
        if self.phone:
            form += [{"field_type": "text", "label": "Phone", "value": self.phone}]
        return make(self.id, form=form, starts_at=starts_at, **changes)


def forget_moves(bookings: Iterable[StoryBooking], lost: Iterable[dict[str, Any]]) -> None:
    """Begin a chain anew with each booking whose move no delivery reported: nobody can know it."""
    events = [body["event"] for body in lost if body["event"].get("is_changed")]
    moved_to = {event.get("new_evnet_id") or event["id"] for event in events}
    for booking in bookings:
        if booking.id in moved_to:
            booking.root_id = booking.id
