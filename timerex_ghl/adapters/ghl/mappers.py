"""GHL's JSON as domain types. A contact has three shapes: search, get, and webhook or create.

All are read tolerantly: unknown keys are ignored; any key may be null or absent.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser
from typing import Any, cast

from timerex_ghl.domain.shared.models import (
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
"""The standard fields we read, by the names GHL accepts in writes."""

BLOCKS = frozenset({"p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})
"""HTML elements after which a new line begins."""

BIRTHDAY = GhlField("dateOfBirth")

SEARCH_NAMES = {"address": GhlField("address1")}
"""Names that differ in search results, and the field each stands for."""


def contact_from_get(body: Json) -> GhlContact:
    """Read `GET /contacts/{contactId}`, and the answers of create, update and duplicate search.

    GHL leaves out empty fields: an absent one is known to be empty. Of custom fields only the
    filled ones are listed; the mapping knows which others the location has.
    """
    return _contact({**dict.fromkeys((*FIELDS, "tags")), **body})


def contact_from_search(body: Json) -> GhlContact:
    """Read one contact of `POST /contacts/search`, where empty fields are null.

    Its lower-case copies of names are never read.
    """
    named = {SEARCH_NAMES.get(key, key): value for key, value in body.items()}
    return _contact({"companyName": named.get("businessName"), **named})


def contact_from_list(body: Json) -> GhlContact:
    """Read one contact of `GET /contacts/` or of a business, where names are lower-cased.

    The original names are in `firstNameRaw` and `lastNameRaw`, where GHL has them.
    """
    names = {key: body[f"{key}Raw"] for key in ("firstName", "lastName") if body.get(f"{key}Raw")}
    return contact_from_get({**body, **names})


def contact_from_webhook(body: Json) -> GhlContact:
    """Read a contact webhook's payload, which lists only some fields: an absent one is unknown."""
    return _contact(body)


def _contact(body: Json) -> GhlContact:
    values = {field: _value(body[field]) for field in FIELDS if field in body}
    if BIRTHDAY in values:
        values[BIRTHDAY] = _day(body[BIRTHDAY])
    for custom in body.get("customFields") or ():
        values[GhlField(f"customFields.{custom['id']}")] = _value(custom.get("value"))
    return GhlContact.model_construct(  # typed above, and built by the thousand
        id=GhlContactId(str(body["id"])),
        location_id=LocationId(str(body.get("locationId") or "")),
        values=values,
        tags=tags_of(body["tags"] or ()) if "tags" in body else None,
        additional_emails=_additional(body.get("additionalEmails"), "email"),
        additional_phones=_additional(body.get("additionalPhones"), "phone"),
        created_at=time_of(body.get("dateAdded")),
        updated_at=time_of(body.get("dateUpdated")),
    )


def _additional(several: Any, name: str) -> tuple[str, ...]:
    """Read additional e-mails or phones: `[{"email": ...}]`, or plain texts.

    Source: answers of GET and search recorded in July 2026; the OpenAPI files have no schema.
    """
    items = cast("list[Any]", several) if isinstance(several, list) else []
    values = (cast("Json", item).get(name) if isinstance(item, dict) else item for item in items)
    return tuple(value for value in values if isinstance(value, str) and value.strip())


def tags_of(tags: Any) -> frozenset[str]:
    """Read tags: GHL keeps them in lower case, older ones may not be."""
    return frozenset(tag.strip().lower() for tag in tags if tag and tag.strip())


def note_from(body: Json, contact_id: GhlContactId) -> GhlNote:
    """Read a note as plain text.

    Reads the markup, not GHL's plain `bodyText`: there it is ambiguous whether an escaped
    character was already unescaped.
    """
    markup = body.get("body")
    text = plain_text(str(markup)) if markup is not None else str(body.get("bodyText") or "")
    return GhlNote(
        id=GhlNoteId(str(body["id"])),
        contact_id=contact_id,
        text=text,
        created_at=time_of(body.get("dateAdded")),
    )


def location_from(body: Json) -> Location:
    """Read `GET /locations/{locationId}`.

    Source of the settings: answers recorded in July 2026, docs/vendors/ghl.md#contacts.
    """
    settings = cast("Json", body.get("settings") or {})
    return Location(
        id=LocationId(str(body["id"])),
        name=str(body.get("name") or ""),
        country=body.get("country") or None,
        timezone=body.get("timezone") or None,
        allows_duplicates=bool(settings.get("allowDuplicateContact")),
        unique_fields=frozenset(map(GhlField, settings.get("contactUniqueIdentifiers") or ())),
    )


def time_of(value: Any) -> datetime | None:
    """Parse a time: ISO 8601, or milliseconds since 1970. None for anything else."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000, UTC)
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def escaped(text: str) -> str:
    """Escape a note's body, so that a guest's text is never live markup."""
    return escape(text, quote=False)


def plain_text(markup: str) -> str:
    """Strip the markup from a note's body."""
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
        if tag in BLOCKS:
            self.parts.append("\n")


def _value(value: Any) -> Value:
    """Normalise a field's value: numbers come as numbers or text, empty values in many forms."""
    match value:
        case None | "" | [] | {}:
            return None
        case bool():
            return str(value).lower()
        case list():
            return tuple(str(item) for item in cast("list[Any]", value))
        case dict():
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def _day(value: Any) -> str | None:
    """Parse a birthday: milliseconds in a search, text elsewhere."""
    time = time_of(value)
    return time.date().isoformat() if time else None
