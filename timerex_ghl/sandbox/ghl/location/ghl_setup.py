"""What a location is set up with: calendars, users, businesses, tags, values and workflows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from timerex_ghl.sandbox.core.json_io import Json, new_id

WEEK = range(7)
OFFICE_HOURS: Json = {"openHour": 9, "openMinute": 0, "closeHour": 18, "closeMinute": 0}


def new_calendar(name: str, team: Iterable[str], *, opens: bool) -> Json:
    """Make a calendar: open from 9 to 18 each day, or without hours, which reads as `{}`."""
    hours = [{"daysOfTheWeek": [day], "hours": [OFFICE_HOURS]} for day in WEEK]
    return {
        "id": new_id(),
        "name": name,
        "calendarType": "personal" if opens else "event",
        "team": [*team],
        "openHours": hours if opens else {},
        "slotDuration": 30,
        "slotInterval": 30,
        "appoinmentPerSlot": 1,
        "isActive": True,
    }


def new_user(name: str, email: str) -> Json:
    """Make a user who works in the location."""
    first, _, last = name.partition(" ")
    return {
        "id": new_id(),
        "name": name,
        "firstName": first,
        "lastName": last,
        "email": email,
        "phone": "",
        "extension": "",
    }


@dataclass
class Setup:
    """The setup of a location, by id; the first calendar and the first user always exist.

    Attributes:
        tags: Name by id. A tag that a contact gets becomes a tag of the location.
    """

    users: dict[str, Json] = field(default_factory=dict[str, Json])
    calendars: dict[str, Json] = field(default_factory=dict[str, Json])
    businesses: dict[str, Json] = field(default_factory=dict[str, Json])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    custom_values: dict[str, Json] = field(default_factory=dict[str, Json])
    workflows: dict[str, Json] = field(default_factory=dict[str, Json])

    def __post_init__(self) -> None:
        self.add_user("Hana Mori", "hana.mori@aoba.example")
        self.add_calendar("Onboarding call", self.users, opens=True)
        workflow: Json = {"id": new_id(), "name": "Welcome", "status": "published", "version": 1}
        self.workflows[workflow["id"]] = workflow

    @property
    def user_id(self) -> str:
        """Return the id of the first user."""
        return next(iter(self.users))

    @property
    def calendar_id(self) -> str:
        """Return the id of the first calendar."""
        return next(iter(self.calendars))

    def add_user(self, name: str, email: str) -> Json:
        """Add a user to the location."""
        user = new_user(name, email)
        return self.users.setdefault(user["id"], user)

    def add_calendar(self, name: str, team: Iterable[str], *, opens: bool) -> Json:
        """Set up a calendar."""
        calendar = new_calendar(name, team, opens=opens)
        return self.calendars.setdefault(calendar["id"], calendar)

    def register_tags(self, names: Iterable[str]) -> None:
        """Add tags to the location that it lacks."""
        known = set(self.tags.values())
        self.tags |= {new_id(): name for name in dict.fromkeys(names) if name not in known}
