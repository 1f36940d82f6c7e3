"""References to records: what events, reviews, intents and the audit are about."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, Self, cast, get_args

from timerex_ghl.domain.shared.models import BookingId, ContactId, EventId, FieldName, GhlContactId

RecordKind = Literal[
    "contact",
    "note",
    "task",
    "booking",
    "event",
    "ghl",
    "ghl-note",
    "ghl-task",
    "ghl-appointment",
    "review",
    "deletes",
    "token",
    "connection",
    "location",
]
"""The kind of a record. `ghl`: a GHL contact. `deletes`: the pending deletes of one kind of record
on one side. `location`: the connection's own, so it has no id."""

_KINDS: frozenset[str] = frozenset(get_args(RecordKind))
_WITH_FIELDS = frozenset({"contact", "note", "task", "booking"})
_OF_A_CONTACT = frozenset({"ghl-note", "ghl-task"})


@dataclass(frozen=True, slots=True)
class RecordRef:
    """A reference to one record, or to one of its fields.

    Attributes:
        id: As its system writes it. Empty for a `location` only.
        contact_id: The contact of a GHL note or task, where it is known.
        field: The field of a workspace record that a conflict is about; None: the whole record.

    Raises:
        ValueError: The kind has no such part, or the id is missing.
    """

    kind: RecordKind
    id: str = ""
    contact_id: GhlContactId | None = None
    field: FieldName | None = None

    def __post_init__(self) -> None:
        """Refuse what `parse` could not read back."""
        if (self.id == "") != (self.kind == "location"):
            raise ValueError(f"invalid {self.kind}: it has {'an' if self.id else 'no'} id")
        if self.field is not None and (self.kind not in _WITH_FIELDS or not self.field):
            raise ValueError(f"invalid {self.kind}: it has no field")
        if self.contact_id is not None and (self.kind not in _OF_A_CONTACT or not self.contact_id):
            raise ValueError(f"invalid {self.kind}: it has no GHL contact")

    @classmethod
    def contact(cls, contact_id: ContactId, field: FieldName | None = None) -> Self:
        """Refer to a workspace contact, or to one of its fields."""
        return cls("contact", contact_id, field=field)

    @classmethod
    def ghl_contact(cls, ghl_id: GhlContactId) -> Self:
        """Refer to a GHL contact."""
        return cls("ghl", ghl_id)

    @classmethod
    def booking(cls, booking_id: BookingId) -> Self:
        """Refer to a booking."""
        return cls("booking", booking_id)

    @classmethod
    def event(cls, event_id: EventId) -> Self:
        """Refer to an inbox event."""
        return cls("event", event_id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference from its text.

        Raises:
            ValueError: The text is not a reference.
        """
        kind, colon, rest = text.partition(":")
        if kind in _KINDS and (rest or not colon):
            with suppress(ValueError):
                return cls._of_parts(cast("RecordKind", kind), rest)
        raise ValueError(
            "invalid record: expected <kind>:<id>, with a kind of " + ", ".join(sorted(_KINDS))
        )

    @classmethod
    def _of_parts(cls, kind: RecordKind, rest: str) -> Self:
        first, colon, last = rest.partition(":")
        if kind in _WITH_FIELDS:
            return cls(kind, _unquoted(first), field=FieldName(last) if colon else None)
        if kind in _OF_A_CONTACT and colon:
            return cls(kind, _unquoted(last), contact_id=GhlContactId(_unquoted(first)))
        return cls(kind, _unquoted(rest) if kind in _OF_A_CONTACT else rest)

    @property
    def ids(self) -> frozenset[str]:
        """Return its id and that of its GHL contact, if it names one."""
        return frozenset({self.id, self.contact_id or self.id})

    @property
    def record(self) -> Self:
        """Return the record that the field is part of; itself where it names no field."""
        return self if self.field is None else replace(self, field=None)

    def of_field(self, field: FieldName) -> Self:
        """Refer to one field of the record."""
        return replace(self, field=field)

    def __str__(self) -> str:
        """Return the text that is stored and shown: `contact:<id>`, `ghl-note:<contact>:<id>`.

        In a kind whose text may have a third part, `:` and `%` in an id become `%3A` and `%25`.
        """
        if self.kind in _WITH_FIELDS | _OF_A_CONTACT:
            ids = [_quoted(one) for one in (self.contact_id, self.id) if one]
            return ":".join([self.kind, *ids, *([self.field] if self.field else [])])
        return f"{self.kind}:{self.id}" if self.id else self.kind


def _quoted(part: str) -> str:
    return part.replace("%", "%25").replace(":", "%3A")


def _unquoted(part: str) -> str:
    return part.replace("%3A", ":").replace("%25", "%")
