"""The webhook's body, read leniently: the samples TimeRex documents break its own schema.

Only what a booking cannot do without is required. Anything else that is missing, null or of
another shape reads as None. What acts on a booking or opens a meeting (cancel and reschedule links,
the Zoom password) has no field here and so goes no further than the stored body.

Source: TimeRex developer portal, webhook reference, ConfirmedEvent and CancelledEvent.
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

from timerex_ghl.domain.models import Value


def _or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


def _filled(text: str | None) -> str | None:
    return text if text and text.strip() else None


def _read_items(value: object) -> list[object]:
    """Keep the objects of a list, whatever else stands in it."""
    if not isinstance(value, list):
        return []
    return [item for item in cast("list[object]", value) if isinstance(item, dict)]


def _read_params(value: object) -> dict[str, str]:
    """Read `[{"a": "1"}, {"b": "2"}]` as documented, and `{"a": "1", "b": "2"}` as once seen."""
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
    """Read text or a list of texts. Empty is None, and so is a shape nobody documented (files)."""
    if isinstance(value, list):
        texts = (_text_of(item) for item in cast("list[object]", value))
        return tuple(text for text in texts if text) or None
    return _filled(_text_of(value))


Text = Annotated[str | None, AfterValidator(_filled), WrapValidator(_or_none)]
"""Text that says something, or None."""
Flag = Annotated[bool | None, WrapValidator(_or_none)]
Id = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
"""Opaque; TimeRex's are usually 20 hex digits. Printable, as ids stand in log lines."""
OptionalId = Annotated[Id | None, WrapValidator(_or_none)]


class Payload(BaseModel):
    """Open to keys it does not know, silent about its values in errors."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True
    )


class FormItemPayload(Payload):
    """One answer. Some deliveries carry only `field_type` and `value`."""

    field_type: Text = None
    label: Text = None
    value: Annotated[Value, BeforeValidator(_read_answer)] = None


class HostPayload(Payload):
    """A host of the meeting. The portal's samples have no `id`."""

    name: Text = None
    email: Text = None


class MeetingPayload(Payload):
    """A Zoom, Meet or Teams meeting. Its id comes as a number or as text and is not needed."""

    join_url: Text = None


Meeting = Annotated[MeetingPayload | None, WrapValidator(_or_none)]


class EventPayload(Payload):
    """The booking. `status` has no field: `webhook_type` decides, whatever it says."""

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
    new_evnet_id: OptionalId = None  # so written in the portal's cancelled sample


class EventIdPayload(Payload):
    """As much of an event as a type nobody documented may be trusted to have."""

    id: OptionalId = None


class EnvelopePayload(Payload):
    """What every delivery carries around its event."""

    webhook_type: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    team_url_path: Text = None
    calendar_url_path: Text = None
    calendar_name: Text = None
    event: Annotated[EventIdPayload | None, WrapValidator(_or_none)] = None


class BookingPayload(Payload):
    """The part of a delivery that is a booking."""

    event: EventPayload
