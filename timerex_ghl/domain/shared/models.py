"""The core data types: frozen, closed, with typed ids."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, NewType

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

ConnectionName = NewType("ConnectionName", str)
LocationId = NewType("LocationId", str)
EventId = NewType("EventId", str)
"""One stored webhook delivery."""
BookingId = NewType("BookingId", str)
"""TimeRex's own event id, opaque."""
ContactId = NewType("ContactId", str)
"""A contact of the workspace."""
GhlContactId = NewType("GhlContactId", str)
GhlNoteId = NewType("GhlNoteId", str)

FieldName = NewType("FieldName", str)
"""A canonical field: one of `STANDARD_FIELDS`, or `custom.<key>`."""
GhlField = NewType("GhlField", str)
"""A field as GHL writes it (`firstName`), or `customFields.<id>`."""

Value = str | tuple[str, ...] | None
"""A field's value. None: known to be empty. An absent key: not received. A tuple: multi-select."""
Values = Mapping[FieldName, Value]
GhlValues = Mapping[GhlField, Value]

STANDARD_FIELDS = tuple(
    FieldName(name)
    for name in (
        "first_name", "last_name", "email", "phone", "company", "address", "city", "state",
        "postal_code", "country", "website", "timezone", "source", "status",
    )
)  # fmt: skip


class Record(BaseModel):
    """Frozen, closed, and without values in error messages, since Prefect stores those."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Contact(Record):
    """A contact as one side has it, in canonical fields.

    Attributes:
        values: By canonical field name. Absent: not received. None: known to be empty.
        tags: Lower-case names; None where they were not received.
        updated_at: When that side last changed the record; None where it does not say.
    """

    values: dict[FieldName, Value]
    tags: frozenset[str] | None = None
    updated_at: AwareDatetime | None = None


class WorkspaceContact(Record):
    """A contact of the workspace.

    Attributes:
        version: Rises by one with each change of the row.
        deleted: The row is a tombstone.
        changed_at: When each field was last changed. Absent: not known.
    """

    id: ContactId
    version: int
    contact: Contact
    deleted: bool = False
    changed_at: dict[FieldName, AwareDatetime] = Field(
        default_factory=dict[FieldName, AwareDatetime]
    )


class GhlContact(Record):
    """A contact as GHL last returned it, in GHL's field names.

    Attributes:
        values: By GHL field name (`firstName`, `customFields.<id>`). Absent: not received.
            None: empty.
        tags: Lower-case; None where they were not received.
        additional_emails: E-mails beside the primary one; GHL lets nobody write them by API.
        additional_phones: Phones beside the primary one, likewise.
    """

    id: GhlContactId
    location_id: LocationId
    values: dict[GhlField, Value]
    tags: frozenset[str] | None = None
    additional_emails: tuple[str, ...] = ()
    additional_phones: tuple[str, ...] = ()
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None


class GhlNote(Record):
    """A note on a GHL contact. `text` is plain, whatever markup GHL keeps."""

    id: GhlNoteId
    contact_id: GhlContactId
    text: str
    created_at: AwareDatetime | None = None


class Location(Record):
    """The GHL sub-account.

    Attributes:
        country: ISO 3166 alpha-2.
        timezone: An IANA name.
        allows_duplicates: Several contacts may have the same e-mail or phone.
        unique_fields: Where they may not: the fields by which GHL finds a duplicate.
    """

    id: LocationId
    name: str
    country: str | None
    timezone: str | None
    allows_duplicates: bool
    unique_fields: frozenset[GhlField] = frozenset()


class BookingState(StrEnum):
    """The state of a booking. MOVED: the guest chose another time; `new_id` counts instead."""

    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    MOVED = "moved"


class FormAnswer(Record):
    """One answer of the booking form. Custom questions have no id: the label names them."""

    field_type: str
    label: str
    value: Value


class Booking(Record):
    """One TimeRex appointment as the sync engine sees it.

    Attributes:
        guest_name: As typed, one string; None where the form did not ask.
        guest_email: As typed; None where the form did not ask.
        starts_at: Aware, UTC.
        timezone: IANA name of the calendar's zone.
        old_id: The booking this one replaces (reschedule).
        new_id: The booking that replaces this one (reschedule).
        host_emails: Lower case; a host without one is left out. Bookings stored before these were
            read have none.
        join_url: The meeting's link for the guest.
        move_expired: It was moved, and its new time did not arrive in time: until it does, the
            booking counts as cancelled. No delivery says so; the check of a pending move does.
    """

    id: BookingId
    state: BookingState
    calendar_name: str
    calendar_id: str | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    timezone: str
    guest_name: str | None
    guest_email: str | None
    guest_company: str | None
    guest_comment: str | None
    answers: tuple[FormAnswer, ...] = ()
    url_params: dict[str, str] = Field(default_factory=dict[str, str])
    host_names: tuple[str, ...] = ()
    host_emails: tuple[str, ...] = ()
    join_url: str | None = None
    cancellation_reason: str | None = None
    old_id: BookingId | None = None
    new_id: BookingId | None = None
    move_expired: bool = False


class Direction(StrEnum):
    """The direction in which a field is synced."""

    BOTH = "both"
    TO_GHL = "to-ghl"
    TO_WORKSPACE = "to-workspace"
    OFF = "off"


class ConflictRule(StrEnum):
    """Whose value wins when both sides changed a field differently."""

    WORKSPACE = "workspace"
    GHL = "ghl"
    NEWEST = "newest"
    ASK = "ask"


class FieldRule(Record):
    """How one field is synced.

    Attributes:
        create_only: GHL accepts the field only when a contact is created (`companyName`).
        empty_wipes: An emptied value empties the other side too; otherwise it is ignored.
        answer_label: The booking form's question whose answer fills the field; None for none.
    """

    field: FieldName
    ghl: GhlField
    direction: Direction = Direction.BOTH
    conflict: ConflictRule = ConflictRule.NEWEST
    create_only: bool = False
    empty_wipes: bool = False
    answer_label: str | None = None


BookingOrigin = Literal["timerex", "workspace"]


class BookingRow(Record):
    """A booking of the workspace.

    Attributes:
        contact_id: Its guest; None while not resolved.
        verified: TimeRex's API confirmed the webhook; always true for a booking made in the
            workspace.
        origin: Where it was made; never changes. One from TimeRex is changed only in TimeRex.
        version: Rises by one with each change of the booking's content; resolving its guest is
            not a change.
        deleted: It was made and deleted in the workspace. Its content says cancelled, for the
            handler.
    """

    booking: Booking
    contact_id: ContactId | None
    verified: bool
    origin: BookingOrigin = "timerex"
    version: int = 1
    deleted: bool = False
