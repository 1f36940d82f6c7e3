"""GHL's shapes in our words. A contact has three of them: search, get, and webhook or create.

All are read tolerantly: unknown keys are passed over, null and absent are possible everywhere.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any, cast

from timerex_ghl.sync.models import (
    GhlContact,
    GhlContactId,
    GhlField,
    GhlNote,
    GhlNoteId,
    Location,
    LocationId,
    Value,
)

Json = Mapping[str, Any]

FIELDS = tuple(
    GhlField(name)
    for name in (
        "firstName", "lastName", "email", "phone", "address1", "city", "state", "postalCode",
        "country", "website", "timezone", "source", "companyName", "dateOfBirth", "assignedTo",
        "type",
    )
)  # fmt: skip
"""The standard fields we read, by the names GHL takes them back under."""

SEARCH_NAMES = {GhlField("address1"): "address"}
"""Names that differ in a search: there the address is `address`."""


def contact_from_get(body: Json) -> GhlContact:
    """Read `GET /contacts/{contactId}`, and the answers of create and update.

    Empty fields are left out there: an absent one is known to be empty.
    """
    values = {field: _value(body.get(field)) for field in FIELDS}
    return _contact(body, values)


def contact_from_search(body: Json) -> GhlContact:
    """Read one contact of `POST /contacts/search`, where empty fields are null."""
    values = {field: _value(body.get(SEARCH_NAMES.get(field, field))) for field in FIELDS}
    return _contact(body, values)


def contact_from_webhook(body: Json) -> GhlContact:
    """Read a contact webhook's payload, which lists only some fields: an absent one is unknown."""
    values = {field: _value(body[field]) for field in FIELDS if field in body}
    return _contact(body, values)


def _contact(body: Json, values: dict[GhlField, Value]) -> GhlContact:
    for custom in body.get("customFields") or ():
        field_id = custom.get("id")
        if field_id:
            values[GhlField(f"customFields.{field_id}")] = _value(custom.get("value"))
    tags = body.get("tags") if "tags" in body else None
    return GhlContact.model_construct(  # checked above, and built by the thousand
        id=GhlContactId(str(body["id"])),
        location_id=LocationId(str(body.get("locationId") or "")),
        values=values,
        tags=tags_of(tags or ()) if "tags" in body else None,
        created_at=time_of(body.get("dateAdded")),
        updated_at=time_of(body.get("dateUpdated")),
    )


def tags_of(tags: Any) -> frozenset[str]:
    """Read tags: GHL keeps them in lower case, older ones may not be."""
    return frozenset(str(tag).strip().lower() for tag in tags if str(tag).strip())


def note_from(body: Json, contact_id: GhlContactId) -> GhlNote:
    """Read a note. `bodyText` is GHL's plain form; where it is missing the markup is taken out."""
    text = body.get("bodyText")
    markup = str(body.get("body") or "")
    return GhlNote(
        id=GhlNoteId(str(body["id"])),
        contact_id=contact_id,
        text=unescape(str(text)) if text is not None else plain_text(markup),
        created_at=time_of(body.get("dateAdded")),
    )


def location_from(body: Json) -> Location:
    """Read `GET /locations/{locationId}`."""
    settings = cast("Json", body.get("settings") or {})
    return Location(
        id=LocationId(str(body["id"])),
        name=str(body.get("name") or ""),
        country=body.get("country") or None,
        timezone=body.get("timezone") or None,
        allows_duplicates=bool(settings.get("allowDuplicateContact")),
    )


def time_of(value: Any) -> datetime | None:
    """Read a time: ISO 8601, or milliseconds since 1970. What is neither is unknown."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC)
    if not isinstance(value, str) or not value:
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def plain_text(markup: str) -> str:
    """Take the markup out of a note's body."""
    reader = _Text()
    reader.feed(markup)
    reader.close()
    return "".join(reader.parts).strip()


class _Text(HTMLParser):
    """Collects what a person reads; a paragraph or a break is a new line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "br":
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "div", "li"}:
            self.parts.append("\n")


def _value(value: Any) -> Value:
    if value is None or value == "":
        return None
    if isinstance(value, list):
        return tuple(str(item) for item in cast("list[Any]", value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
