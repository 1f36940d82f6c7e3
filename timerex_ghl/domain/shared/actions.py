"""Plans and actions: what should be written where, as data. A dry run only shows its plans."""

from typing import Literal

from pydantic import Field

from timerex_ghl.domain.activities.activity_fields import ActivityId
from timerex_ghl.domain.shared.ghl_models import GhlAppointmentId, GhlCalendarId
from timerex_ghl.domain.shared.models import (
    BookingId,
    Contact,
    FieldName,
    GhlContactId,
    GhlField,
    GhlNoteId,
    Record,
    Value,
)

NOTHING_AGREED = Contact(values={})


class Conflict(Record):
    """Both sides changed one field differently. It is recorded even where a rule resolves it.

    Attributes:
        winner: Whose value the field's rule chose; None: a person must choose.
    """

    field: FieldName
    workspace: Value
    ghl: Value
    base: Value
    winner: Literal["workspace", "ghl"] | None


class CreateContact(Record):
    """Create a GHL contact. Tags follow as an action of their own.

    Attributes:
        values: To be sent.
        base: What both agree on once it is done. The same for the next three.
    """

    kind: Literal["contact.create"] = "contact.create"
    values: dict[GhlField, Value]
    base: Contact = NOTHING_AGREED


class UpdateContact(Record):
    """Write the changed fields, and only those, of one GHL contact. `base` has these fields."""

    kind: Literal["contact.update"] = "contact.update"
    contact_id: GhlContactId
    values: dict[GhlField, Value]
    base: Contact = NOTHING_AGREED


class AddTags(Record):
    """Add tags to a GHL contact. Tags it already has are unchanged. `base` has all tags."""

    kind: Literal["tags.add"] = "tags.add"
    contact_id: GhlContactId
    tags: frozenset[str]
    base: Contact = NOTHING_AGREED


class RemoveTags(Record):
    """Remove tags from a GHL contact. `base` has all tags."""

    kind: Literal["tags.remove"] = "tags.remove"
    contact_id: GhlContactId
    tags: frozenset[str]
    base: Contact = NOTHING_AGREED


class CreateNote(Record):
    """Create a booking's note.

    Attributes:
        marker: A part of `text` by which the note is found after a lost answer.
        stands_in: It shows the booking in place of an appointment that GHL refused.
    """

    kind: Literal["note.create"] = "note.create"
    contact_id: GhlContactId
    booking_id: BookingId
    text: str
    marker: str
    stands_in: bool = False


class UpdateNote(Record):
    """Update a booking's note. `stands_in`: as for a new one."""

    kind: Literal["note.update"] = "note.update"
    contact_id: GhlContactId
    booking_id: BookingId
    note_id: GhlNoteId
    text: str
    stands_in: bool = False


class DeleteNote(Record):
    """Delete the second note of a booking's chain, on the same contact as the first."""

    kind: Literal["note.delete"] = "note.delete"
    contact_id: GhlContactId
    booking_id: BookingId
    note_id: GhlNoteId


class CreateAppointment(Record):
    """Create a booking's appointment.

    Attributes:
        values: To be sent, as texts.
        base: The base after the write, as far as it is known before GHL answers.
    """

    kind: Literal["appointment.create"] = "appointment.create"
    contact_id: GhlContactId
    booking_id: BookingId
    calendar_id: GhlCalendarId
    values: dict[FieldName, str]
    base: dict[FieldName, str]


class UpdateAppointment(Record):
    """Write the changed fields, and only those, of a booking's appointment.

    Attributes:
        conflicts: Fields both sides changed differently, recorded with the outcome.
    """

    kind: Literal["appointment.update"] = "appointment.update"
    contact_id: GhlContactId
    booking_id: BookingId
    appointment_id: GhlAppointmentId
    values: dict[FieldName, str]
    base: dict[FieldName, str]
    conflicts: tuple[Conflict, ...] = ()


class DeleteAppointment(Record):
    """Delete the second appointment of a booking's chain, on the same contact as the first."""

    kind: Literal["appointment.delete"] = "appointment.delete"
    contact_id: GhlContactId
    booking_id: BookingId
    appointment_id: GhlAppointmentId


class CancelBooking(Record):
    """Cancel a booking in TimeRex, since its appointment was cancelled in GHL."""

    kind: Literal["booking.cancel"] = "booking.cancel"
    booking_id: BookingId


class CreateActivity(Record):
    """Create a note or task in GHL. Its text ends with a marker of its id."""

    kind: Literal["note.create", "task.create"]
    activity_id: ActivityId
    contact_id: GhlContactId
    values: dict[FieldName, str | None]


class UpdateActivity(Record):
    """Write the changed fields, and only those, of a note or task. `remote_id`: its id in GHL."""

    kind: Literal["note.update", "task.update", "task.complete"]
    activity_id: ActivityId
    contact_id: GhlContactId
    remote_id: str
    values: dict[FieldName, str | None]


class DeleteActivity(Record):
    """Delete a note or task in GHL, for good."""

    kind: Literal["note.delete", "task.delete"]
    activity_id: ActivityId
    contact_id: GhlContactId
    remote_id: str


ContactAction = CreateContact | UpdateContact | AddTags | RemoveTags
NoteWrite = CreateNote | UpdateNote
NoteAction = NoteWrite | DeleteNote
AppointmentWrite = CreateAppointment | UpdateAppointment
AppointmentAction = AppointmentWrite | DeleteAppointment
ActivityWrite = CreateActivity | UpdateActivity
ActivityAction = ActivityWrite | DeleteActivity
Action = ContactAction | NoteAction | AppointmentAction | ActivityAction | CancelBooking


DifferenceReason = Literal[
    "emptied", "create only", "one-way", "unknown assignee", "refused", "taken"
]
"""Why a difference between the two sides stays.

emptied: one side's value was emptied, and an empty value does not travel. create only: GHL takes
the field on creation only. one-way: the field's target was edited. unknown assignee: GHL has no
user with that e-mail, or the workspace knows none with GHL's. refused: GHL may not get the value.
taken: another contact of GHL has the phone, and the location wants it once.
"""


class StandingDifference(Record):
    """A field in which both sides differ, and that no rule brings in sync."""

    field: FieldName
    reason: DifferenceReason


class WorkspaceChange(Record):
    """A change to a workspace row. It has only what changes."""

    values: dict[FieldName, Value] = Field(default_factory=dict[FieldName, Value])
    tags_added: frozenset[str] = frozenset()
    tags_removed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Return whether there is anything to write."""
        return bool(self.values or self.tags_added or self.tags_removed)


class WithheldValue(Record):
    """A value that GHL does not accept, because another contact there has it.

    Attributes:
        key: Its match key.
        ghl_id: The GHL contact that has it.
    """

    field: FieldName
    key: str
    ghl_id: GhlContactId


class ContactPlan(Record):
    """How to bring one contact in sync.

    Attributes:
        to_ghl: In the order to send them. Tags of a contact still to be created have an empty id.
        to_workspace: Written to the workspace row.
        base: The base once all of this is done. A field with an open conflict keeps its old base.
        conflicts: Fields both sides changed differently.
        differences: Fields that differ and stay so.
        withheld: Values that stay in the workspace: a standing difference.
    """

    to_ghl: tuple[ContactAction, ...] = ()
    to_workspace: WorkspaceChange = WorkspaceChange()
    base: Contact
    conflicts: tuple[Conflict, ...] = ()
    differences: tuple[StandingDifference, ...] = ()
    withheld: tuple[WithheldValue, ...] = ()


class ActivityPlan(Record):
    """How to bring one note or task in sync.

    Attributes:
        to_ghl: One write, or none where GHL is up to date.
        to_workspace: Written to the workspace row.
        base: The base once all of this is done.
        conflicts: Fields both sides changed differently.
        differences: Fields that differ and stay so.
    """

    to_ghl: tuple[ActivityWrite, ...] = ()
    to_workspace: WorkspaceChange = WorkspaceChange()
    base: dict[FieldName, str | None]
    conflicts: tuple[Conflict, ...] = ()
    differences: tuple[StandingDifference, ...] = ()
