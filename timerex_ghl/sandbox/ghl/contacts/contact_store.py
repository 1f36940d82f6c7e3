"""The contacts of a location, found by id, e-mail or phone."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.json_io import Json, new_id, now_ms


@dataclass
class SandboxContact:
    """One contact.

    Attributes:
        fields: The plain fields by their name in a GET; an empty one is absent.
        custom: Values of custom fields by field id.
        notes: In the shape of the answers, by id. So are the tasks.
        found_as: Its shape in search, cached until it changes.
    """

    location_id: str
    created_by: Json
    id: str = field(default_factory=new_id)
    added_ms: int = field(default_factory=now_ms)
    updated_ms: int = 0
    fields: Json = field(default_factory=dict[str, Any])
    tags: list[str] = field(default_factory=list[str])
    custom: Json = field(default_factory=dict[str, Any])
    additional_emails: list[str] = field(default_factory=list[str])
    additional_phones: list[str] = field(default_factory=list[str])
    business_id: str | None = None
    followers: list[str] = field(default_factory=list[str])
    workflow_ids: list[str] = field(default_factory=list[str])
    notes: dict[str, Json] = field(default_factory=dict[str, Json])
    tasks: dict[str, Json] = field(default_factory=dict[str, Json])
    found_as: Json | None = None

    @property
    def full_name(self) -> str:
        """Return first and last name, joined."""
        names = (self.fields.get("firstName"), self.fields.get("lastName"))
        return " ".join(name for name in names if name)

    def copy(self) -> "SandboxContact":
        """Return a copy without the notes."""
        return replace(
            self,
            fields={**self.fields},
            tags=[*self.tags],
            custom={**self.custom},
            additional_emails=[*self.additional_emails],
            additional_phones=[*self.additional_phones],
            tasks={task_id: {**task} for task_id, task in self.tasks.items()},
            notes={},
        )

    def keys(self) -> set[tuple[str, str]]:
        """Return the keys that duplicate search uses, including the additional ones."""
        emails = [self.fields.get("email"), *self.additional_emails]
        phones = [self.fields.get("phone"), *self.additional_phones]
        found = {("email", email.lower()) for email in emails if email}
        return found | {("phone", phone) for phone in phones if phone}


class SearchIndex:
    """The contacts as search returns them: as of `lag_ms` ago, ordered by time of change.

    Source: the vendor's page on search says that it lags writes by seconds; reading by id does not.

    Attributes:
        version: Increases with every change visible to search.
        last_search: The last query, its version and its result.
    """

    def __init__(self, contacts: dict[str, SandboxContact], clock: MachineClock) -> None:
        self._clock = clock
        self.lag_ms = 0
        self.version = 0
        self.last_search: tuple[object, list[SandboxContact]] = (None, [])
        self._contacts = contacts
        self._searchable = contacts
        self._waiting: deque[tuple[float, str, SandboxContact | None]] = deque()
        self._in_order: tuple[int, list[SandboxContact]] = (-1, [])

    def lag_by(self, lag_ms: int) -> None:
        """Delay later changes by this; 0 shows them at once."""
        self._catch_up()
        if lag_ms == 0:
            self._waiting.clear()
            self._searchable = self._contacts
        elif self._searchable is self._contacts:
            self._searchable = {
                its_id: contact.copy() for its_id, contact in self._contacts.items()
            }
        self.lag_ms = lag_ms
        self.version += 1

    def show(self, contact_id: str) -> None:
        """Make the current state of a contact visible to search."""
        if self._searchable is self._contacts:
            self.version += 1
            return
        contact = self._contacts.get(contact_id)
        at = self._clock.now() + self.lag_ms / 1000
        self._waiting.append((at, contact_id, contact.copy() if contact else None))

    def in_order(self) -> list[SandboxContact]:
        """Return all contacts visible to search, oldest change first."""
        self._catch_up()
        if self._in_order[0] != self.version:
            in_order = sorted(self._searchable.values(), key=attrgetter("updated_ms", "id"))
            self._in_order = (self.version, in_order)
        return self._in_order[1]

    def _catch_up(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._clock.now():
            _, contact_id, contact = self._waiting.popleft()
            if contact is None:
                self._searchable.pop(contact_id, None)
            else:
                self._searchable[contact_id] = contact
            self.version += 1


class Contacts:
    """All contacts. Changes go through `save` or `delete`, changes of tasks through `show`.

    Attributes:
        index: The contacts as search returns them.
        deleted: Contacts that a person can restore.
        clock_offset_ms: How far ahead the clock behind `dateUpdated` is; negative: behind.
        clock_step_ms: `dateUpdated` is rounded down to whole steps of this.
    """

    def __init__(self, clock: MachineClock | None = None) -> None:
        self.by_id: dict[str, SandboxContact] = {}
        self.deleted: dict[str, SandboxContact] = {}
        self.index = SearchIndex(self.by_id, clock or MachineClock())
        self.clock_offset_ms = 0
        self.clock_step_ms = 1
        self._last_ms = 0
        self._ids_of: dict[tuple[str, str], dict[str, None]] = {}
        self._keys_of: dict[str, set[tuple[str, str]]] = {}

    def __iter__(self) -> Iterator[SandboxContact]:
        return iter(self.by_id.values())

    def save(self, contact: SandboxContact) -> None:
        """Store a contact; set `dateUpdated`, by a right clock later than that of all others."""
        self._forget_keys(contact.id)
        at = now_ms() + self.clock_offset_ms
        is_right = (self.clock_offset_ms, self.clock_step_ms) == (0, 1)
        least = max(contact.updated_ms + 1, self._last_ms) if is_right else 0
        contact.updated_ms = max(at - at % self.clock_step_ms, least)
        contact.found_as = None
        self._last_ms = contact.updated_ms
        self.by_id[contact.id] = contact
        self._keys_of[contact.id] = contact.keys()
        for key in self._keys_of[contact.id]:
            self._ids_of.setdefault(key, {})[contact.id] = None
        self.index.show(contact.id)

    def delete(self, contact_id: str) -> None:
        """Delete a contact with its notes and tasks, so that nothing finds it."""
        self._forget_keys(contact_id)
        self.deleted[contact_id] = self.by_id.pop(contact_id)
        self.index.show(contact_id)

    def show(self, contact: SandboxContact) -> None:
        """Show search a change that does not move `dateUpdated`."""
        contact.found_as = None
        self.index.show(contact.id)

    def find(self, kind: str, value: str) -> list[SandboxContact]:
        """Find contacts by e-mail or phone, the oldest first."""
        key = (kind, value.lower() if kind == "email" else value)
        return [self.by_id[contact_id] for contact_id in self._ids_of.get(key, {})]

    def _forget_keys(self, contact_id: str) -> None:
        for key in self._keys_of.pop(contact_id, set()):
            del self._ids_of[key][contact_id]
