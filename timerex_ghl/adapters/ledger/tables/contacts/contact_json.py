"""A contact's fields and their times as JSON, and back: as stored in rows, bases and pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from timerex_ghl.domain.shared.models import Contact, FieldName, Value


def json_of(contact: Contact) -> dict[str, object]:
    """Return values and tags as plain JSON; a multi-select becomes a list."""
    return {
        "values": dict(contact.values),
        "tags": None if contact.tags is None else sorted(contact.tags),
    }


def contact_of(stored: object, updated_at: datetime | None = None) -> Contact | None:
    """Parse a stored contact; None where none was stored."""
    if stored is None:
        return None
    found = cast("Mapping[str, Any]", stored)
    tags: list[str] | None = found["tags"]
    return Contact(
        values={FieldName(name): value_of(value) for name, value in found["values"].items()},
        tags=None if tags is None else frozenset(tags),
        updated_at=updated_at,
    )


def value_of(stored: object) -> Value:
    """Parse a stored value: a list is a multi-select."""
    if isinstance(stored, list):
        return tuple(str(item) for item in cast("list[object]", stored))
    return None if stored is None else str(stored)


def texts_of(times: Mapping[FieldName, datetime]) -> dict[str, str]:
    """Return times by field as plain JSON."""
    return {field: at.isoformat(timespec="milliseconds") for field, at in times.items()}


def times_of(stored: Mapping[str, str] | None) -> dict[FieldName, datetime]:
    """Parse times by field; none where none were stored."""
    return {FieldName(field): datetime.fromisoformat(at) for field, at in (stored or {}).items()}
