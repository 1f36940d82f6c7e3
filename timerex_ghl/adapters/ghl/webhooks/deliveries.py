"""GHL's webhook deliveries: the location, app and record of each.

A delivery is a notification: it may be partial, repeated, out of order or days late. The record is
read back by id, so only a few keys of the body are parsed.

Source: the vendor's webhook pages and schemas, docs/vendors/ghl.md#webhooks.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from timerex_ghl.adapters.malformed import MalformedError, malformed
from timerex_ghl.adapters.strict_json import read_json
from timerex_ghl.domain.shared.models import LocationId, Record
from timerex_ghl.domain.shared.record_ref import RecordRef


class GhlDelivery(Record):
    """One webhook delivery.

    Attributes:
        location_id: None where it is about an agency.
        app_id: The app it was sent for; None where it is missing.
        sent_at: When GHL created it, equal in repetitions; None where it is missing.
        record: None for a type without a handler.
        dedupe_key: Equal for all repetitions of a delivery.
    """

    type: str
    location_id: LocationId | None
    app_id: str | None
    sent_at: AwareDatetime | None
    record: RecordRef | None
    dedupe_key: str


def _or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


Word = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
"""An id or a name: opaque, and printable so that it can be logged."""
PerhapsWord = Annotated[Word | None, WrapValidator(_or_none)]


class _Appointment(BaseModel):
    """The `appointment` object of appointment events."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id: PerhapsWord = None


class _Payload(BaseModel):
    """The keys read from a body. Unknown keys are ignored, values never appear in errors."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    type: Word
    location: Word | None = Field(default=None, alias="locationId")
    alt_id: PerhapsWord = Field(default=None, alias="altId")
    alt_type: PerhapsWord = Field(default=None, alias="altType")
    app_id: Word | None = Field(default=None, alias="appId")
    webhook_id: Word | None = Field(default=None, alias="webhookId")
    timestamp: AwareDatetime | None = None
    id: PerhapsWord = None
    appointment: Annotated[_Appointment | None, WrapValidator(_or_none)] = None

    @property
    def location_id(self) -> LocationId | None:
        """Return the location's id; invoices have it under `altId`."""
        found = self.location or (self.alt_id if self.alt_type == "location" else None)
        return LocationId(found) if found else None


def _id_of(payload: _Payload) -> str:
    if payload.id is None:
        raise MalformedError("delivery refused: id is missing")
    return payload.id


def _contact(payload: _Payload) -> RecordRef:
    return RecordRef("ghl", _id_of(payload))


def _note(payload: _Payload) -> RecordRef:
    return RecordRef("ghl-note", _id_of(payload))


def _task(payload: _Payload) -> RecordRef:
    return RecordRef("ghl-task", _id_of(payload))


def _appointment(payload: _Payload) -> RecordRef:
    if payload.appointment is None or payload.appointment.id is None:
        raise MalformedError("delivery refused: appointment.id is missing")
    return RecordRef("ghl-appointment", payload.appointment.id)


def _location(_payload: _Payload) -> RecordRef:
    return RecordRef("location")


RECORD_OF: dict[str, Callable[[_Payload], RecordRef]] = {
    "ContactCreate": _contact,
    "ContactUpdate": _contact,
    "ContactDelete": _contact,
    "ContactTagUpdate": _contact,
    "ContactDndUpdate": _contact,
    "NoteCreate": _note,
    "NoteUpdate": _note,
    "NoteDelete": _note,
    "TaskCreate": _task,
    "TaskComplete": _task,
    "TaskDelete": _task,
    "AppointmentCreate": _appointment,
    "AppointmentUpdate": _appointment,
    "AppointmentDelete": _appointment,
    "INSTALL": _location,
    "UNINSTALL": _location,
}
"""The types that have a handler, and the record of each. Other types are stored and ignored.

Events of a type added to this table are pending in the inbox from then on.
"""


def read_delivery(body: bytes) -> GhlDelivery:
    """Read a delivery's body.

    Raises:
        MalformedError: It is not strict JSON, or lacks a required key.
    """
    try:
        payload = _Payload.model_validate(read_json(body))
    except (ValueError, OverflowError) as error:
        raise malformed(error) from None
    record_of, webhook_id = RECORD_OF.get(payload.type), payload.webhook_id
    return GhlDelivery(
        type=payload.type,
        location_id=payload.location_id,
        app_id=payload.app_id,
        sent_at=payload.timestamp,
        record=record_of(payload) if record_of else None,
        dedupe_key=f"webhook:{webhook_id}" if webhook_id else f"body:{sha256(body).hexdigest()}",
    )
