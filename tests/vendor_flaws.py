"""Errors in the vendor's OpenAPI files, and their corrections."""

from typing import Any

STRING = {"type": "string"}
STRING_OR_NULL = {"type": "string", "nullable": True}
OBJECTS = {"type": "object"}
EVENT = "calendars#/components/schemas/CalendarEventDTO"
TIME_TYPED_OBJECT = "typed object; the example beside it is text, and so are recorded answers"
VALUE_TYPED_OBJECT = "typed object; the example beside it is a number"
ALWAYS_FILLED = ["id", "title", "calendarId", "locationId", "contactId", "appointmentStatus"]

FLAWS: dict[str, tuple[Any, str]] = {
    "contacts#/components/schemas/SearchBodyV2DTO": (OBJECTS, "no keys: its body is elsewhere"),
    "contacts#/components/schemas/UpdateTagsResponseDTO/properties/responses/items": (
        OBJECTS,
        "typed text; the example beside it has objects",
    ),
    "contacts#/components/schemas/CustomFieldSchema/properties/value": (
        {},
        "typed text; lists and numbers are recorded",
    ),
    **{
        f"contacts#/components/schemas/{name}/properties/dateOfBirth": (
            STRING_OR_NULL,
            TIME_TYPED_OBJECT,
        )
        for name in ("CreateContactDto", "UpdateContactDto", "UpsertContactDto")
    },
    **{
        f"contacts#/components/schemas/{name}/properties/field_value": ({}, VALUE_TYPED_OBJECT)
        for name in ("NumericField", "MonetoryField")
    },
    "locations#/components/schemas/LocationTaskListSuccessfulResponseDto/properties/tasks/items": (
        OBJECTS,
        "typed list of lists; clients read objects",
    ),
    "calendars#/components/schemas/CalendarDTO/properties/openHours": (
        {
            "anyOf": [
                {"type": "array", "items": {"$ref": "#/components/schemas/OpenHour"}},
                {"enum": [{}]},
            ]
        },
        "a list; recorded answers of a calendar without hours have {}",
    ),
    "calendars#/components/schemas/GetCalendarEventSuccessfulResponseDTO": (
        {
            "type": "object",
            "required": ["appointment"],
            "properties": {"appointment": {"$ref": "#/components/schemas/CalendarEventDTO"}},
        },
        "called event; recorded answers call it appointment",
    ),
    f"{EVENT}/required": (
        ALWAYS_FILLED,
        "recorded answers leave out what is empty: groupId, users",
    ),
    **{
        f"{EVENT}/properties/{name}": (STRING, TIME_TYPED_OBJECT)
        for name in ("startTime", "endTime", "dateAdded", "dateUpdated")
    },
}
"""By file and pointer: the correct schema, and the reason."""
