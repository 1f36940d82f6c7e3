"""The contacts of a location, found by id, e-mail or phone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from timerex_ghl.sandbox.wire import Json, new_id, now_ms


@dataclass
class Contact:
    """One contact.

    Attributes:
        fields: The plain fields by their name in a GET; an empty one is absent.
        custom: Values of custom fields by field id.
        notes: In the shape of the answers, by id. So are the tasks.
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
    business_id: str | None = None
    notes: dict[str, Json] = field(default_factory=dict[str, Json])
    tasks: dict[str, Json] = field(default_factory=dict[str, Json])

    @property
    def full_name(self) -> str:
        """Join the names."""
        names = (self.fields.get("firstName"), self.fields.get("lastName"))
        return " ".join(name for name in names if name)

    def keys(self) -> set[tuple[str, str]]:
        """Name all that a duplicate search finds it by; further e-mails count too."""
        emails = [self.fields.get("email"), *self.additional_emails]
        found = {("email", email.lower()) for email in emails if email}
        phone = self.fields.get("phone")
        return found | {("phone", phone)} if phone else found


class Contacts:
    """All contacts. Every change goes through `save` or `delete`.

    Attributes:
        version: Rises with every change.
        last_search: What was searched, at which version, and what was found.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, Contact] = {}
        self.version = 0
        self.last_search: tuple[object, list[Contact]] = (None, [])
        self._ids_of: dict[tuple[str, str], dict[str, None]] = {}
        self._keys_of: dict[str, set[tuple[str, str]]] = {}

    def __iter__(self) -> Iterator[Contact]:
        return iter(self.by_id.values())

    def save(self, contact: Contact) -> None:
        """Keep a contact and move its `dateUpdated`, always forward."""
        self._forget_keys(contact.id)
        contact.updated_ms = max(now_ms(), contact.updated_ms + 1)
        self.by_id[contact.id] = contact
        self._keys_of[contact.id] = contact.keys()
        for key in self._keys_of[contact.id]:
            self._ids_of.setdefault(key, {})[contact.id] = None
        self.version += 1

    def delete(self, contact_id: str) -> None:
        """Forget a contact with its notes and tasks."""
        self._forget_keys(contact_id)
        del self.by_id[contact_id]
        self.version += 1

    def find(self, kind: str, value: str) -> list[Contact]:
        """Find contacts by e-mail or phone, the oldest holder of the key first."""
        key = (kind, value.lower() if kind == "email" else value)
        return [self.by_id[contact_id] for contact_id in self._ids_of.get(key, {})]

    def _forget_keys(self, contact_id: str) -> None:
        for key in self._keys_of.pop(contact_id, set()):
            del self._ids_of[key][contact_id]
