"""The webhook's body, parsed leniently: TimeRex's documented samples break its own schema.

Only what a booking needs is required. Anything else that is missing, null or of another shape is
None. Secrets that act on a booking or open a meeting (cancel and reschedule links, the Zoom
password) have no field, so they stay in the stored body.

Source: docs/vendors/timerex.md#webhook (ConfirmedEvent, CancelledEvent).
"""

from collections.abc import Iterator
from typing import Annotated, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from timerex_ghl.domain.shared.models import Value


def _or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


def _filled(text: str | None) -> str | None:
    return text if text and text.strip() else None


def _read_items(value: object) -> list[object]:
    """Return the objects of a list, ignoring other items."""
    if not isinstance(value, list):
        return []
    return [item for item in cast("list[object]", value) if isinstance(item, dict)]


def _read_params(value: object) -> dict[str, str]:
    """Read `[{"a": "1"}, {"b": "2"}]` as documented, and `{"a": "1", "b": "2"}` as observed."""
    objects = cast("list[object]", value if isinstance(value, list) else [value])
    return dict(
        pair
        for item in objects
        if isinstance(item, dict)
        for pair in _text_pairs(cast("dict[str, object]", item))
    )


def _text_pairs(item: dict[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in item.items():
        text = _text_of(value)
        if text is not None:
            yield key, text


def _text_of(value: object) -> str | None:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return None


def _read_answer(value: object) -> Value:
    """Read text or a list of texts. Empty values and undocumented shapes (files) are None."""
    if isinstance(value, list):
        texts = (_text_of(item) for item in cast("list[object]", value))
        return tuple(text for text in texts if text) or None
    return _filled(_text_of(value))


Text = Annotated[str | None, AfterValidator(_filled), WrapValidator(_or_none)]
"""Non-blank text, or None."""
Flag = Annotated[bool | None, WrapValidator(_or_none)]
Id = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
"""Opaque, usually 20 hex digits. Printable, so that it can be logged."""
OptionalId = Annotated[Id | None, WrapValidator(_or_none)]


class Payload(BaseModel):
    """Base model: unknown keys are ignored, values never appear in errors."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True
    )


class FormItemPayload(Payload):
    """One form answer. Some deliveries have only `field_type` and `value`."""

    field_type: Text = None
    label: Text = None
    value: Annotated[Value, BeforeValidator(_read_answer)] = None


class HostPayload(Payload):
    """A host of the meeting. The portal's samples have no `id`."""

    name: Text = None
    email: Text = None


class MeetingPayload(Payload):
    """A Zoom, Meet or Teams meeting. Its id (a number or text) is not needed."""

    join_url: Text = None


Meeting = Annotated[MeetingPayload | None, WrapValidator(_or_none)]


class EventPayload(Payload):
    """The booking. `status` is not read: only `webhook_type` counts."""

    id: Id
    start_datetime: AwareDatetime
    end_datetime: AwareDatetime
    calendar_id: OptionalId = None
    calendar_timezone: Text = None
    timezone: Text = None  # the same, in the event of a one-time URL
    cancellation_reason: Text = None
    form: Annotated[list[FormItemPayload], BeforeValidator(_read_items)] = []
    hosts: Annotated[list[HostPayload], BeforeValidator(_read_items)] = []
    zoom_meeting: Meeting = None
    google_meet_meeting: Meeting = None
    microsoft_teams_meeting: Meeting = None
    url_params: Annotated[dict[str, str], BeforeValidator(_read_params)] = {}
    is_changed: Flag = None
    old_event_id: OptionalId = None
    new_event_id: OptionalId = None
    new_evnet_id: OptionalId = None  # spelled so in the portal's cancelled sample


class EventIdPayload(Payload):
    """The part of an event that is read for undocumented types."""

    id: OptionalId = None


class EnvelopePayload(Payload):
    """The fields of every delivery around its event."""

    webhook_type: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    team_url_path: Text = None
    calendar_url_path: Text = None
    calendar_name: Text = None
    event: Annotated[EventIdPayload | None, WrapValidator(_or_none)] = None


class BookingPayload(Payload):
    """The part of a delivery that is a booking."""

    event: EventPayload
