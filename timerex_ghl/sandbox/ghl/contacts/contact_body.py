"""Check the body of a contact, and apply it to the contact.

Source: CreateContactDto, UpdateContactDto and UpsertContactDto of the vendor's OpenAPI, and the
faults reported against them (gender, companyName, additional e-mails).
"""

import re
from typing import Any, cast

import phonenumbers

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.body_checks import Check
from timerex_ghl.sandbox.core.json_io import Json, iso_ms, parse_ms
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.ghl_state import Ghl

VALUE_KEYS = ("field_value", "fieldValue")
CUSTOM_KEYS = {"id", "key", *VALUE_KEYS}
LISTS = {"MULTIPLE_OPTIONS", "CHECKBOX"}
CHANNELS = {"Call", "Email", "SMS", "WhatsApp", "GMB", "FB"}
STATUSES = {"active", "inactive", "permanent"}
MONTH_FIRST = re.compile(r"^(\d\d)[-/._](\d\d)[-/._](\d{4})$", re.ASCII)
YEAR_FIRST = re.compile(r"^(\d{4})[-/._](\d\d)[-/._](\d\d)$", re.ASCII)


def birthday_ms(value: str) -> int | None:
    """Read a date as the vendor does: year first or month first, with - / . or _ between."""
    return parse_ms(YEAR_FIRST.sub(r"\1-\2-\3", MONTH_FIRST.sub(r"\3-\1-\2", value)))


def check_birthday(key: str, value: object) -> str | None:
    """Require a date, or null to clear."""
    if value is None or value == "" or (isinstance(value, str) and birthday_ms(value) is not None):
        return None
    return f"{key} must be a valid date"


def check_dnd(key: str, value: object) -> str | None:
    """Require `{channel: {status, message?, code?}}`; a channel's keys as in the vendor's files."""
    if not isinstance(value, dict):
        return f"{key} must be an object"
    known = {"all"} if key == "inboundDndSettings" else CHANNELS
    for channel, setting in cast("Json", value).items():
        if channel not in known:
            return f"{key}.property {channel} should not exist"
        fault = _dnd_fault(setting)
        if fault:
            return f"{key}.{channel}.{fault}"
    return None


def _dnd_fault(setting: object) -> str | None:
    if not isinstance(setting, dict):
        return "must be an object"
    setting_body = cast("Json", setting)
    for name in sorted(setting_body.keys() - {"status", "message", "code"}):
        return f"property {name} should not exist"
    status = body_checks.one_of(*sorted(STATUSES))("status", setting_body.get("status"))
    texts = (
        body_checks.text(name, setting_body[name])
        for name in ("message", "code")
        if name in setting_body
    )
    return status or next((fault for fault in texts if fault), None)


def check_custom(key: str, value: object) -> str | None:
    """Require `[{id or key, field_value}]`; a wrong nesting is named as the vendor names it."""
    if not isinstance(value, list):
        return f"{key} must be an array"
    for number, item in enumerate(cast("list[object]", value)):
        if not isinstance(item, dict):
            return f"each value in {key} must be an object"
        fault = _custom_fault(cast("Json", item))
        if fault:
            return f"{key}.{number}.{fault}"
    return None


def _custom_fault(item: Json) -> str | None:
    for name in sorted(item.keys() - CUSTOM_KEYS):
        return f"property {name} should not exist"
    return next((body_checks.text(key, item[key]) for key in ("id", "key") if key in item), None)


UPDATE: dict[str, Check] = {
    "firstName": body_checks.text_or_null,
    "lastName": body_checks.text_or_null,
    "name": body_checks.text_or_null,
    "email": body_checks.email,
    "phone": body_checks.text_or_null,
    "address1": body_checks.text_or_null,
    "city": body_checks.text_or_null,
    "state": body_checks.text_or_null,
    "postalCode": body_checks.text,
    "website": body_checks.text_or_null,
    "timezone": body_checks.text_or_null,
    "source": body_checks.text_or_null,
    "country": body_checks.text,
    "assignedTo": body_checks.text_or_null,
    "dateOfBirth": check_birthday,
    "dnd": body_checks.flag,
    "dndSettings": check_dnd,
    "inboundDndSettings": check_dnd,
    "tags": body_checks.texts,
    "customFields": check_custom,
}
CREATE: dict[str, Check] = {
    **UPDATE,
    "locationId": body_checks.filled,
    "gender": body_checks.text,
    "companyName": body_checks.text_or_null,
}
UPSERT: dict[str, Check] = {**CREATE, "createNewIfDuplicateAllowed": body_checks.flag}

NOT_PLAIN = {"tags", "customFields", "locationId", "createNewIfDuplicateAllowed", "name", "phone"}


def write_body(ghl: Ghl, contact: SandboxContact, body: Json) -> None:
    """Change a contact as a checked body says. What the body does not name stays."""
    for key, value in body.items():
        if key not in NOT_PLAIN:
            _put(contact, key, value)
    if "name" in body:
        _write_name(contact, body)
    if "phone" in body:
        _put(contact, "phone", normal_phone(body["phone"], ghl.location.country))
    if body.get("dateOfBirth"):
        contact.fields["dateOfBirth"] = iso_ms(birthday_ms(body["dateOfBirth"]) or 0)
    if "tags" in body:
        contact.tags = lower_tags(body["tags"])
    for item in body.get("customFields", ()):
        _write_custom(ghl, contact, item)


def normal_phone(phone: str | None, country: str) -> str | None:
    """Write a number as E.164 where it parses with the location's country, else leave it."""
    try:
        number = phonenumbers.parse(phone or "", country)
    except phonenumbers.NumberParseException:
        return phone
    if not phonenumbers.is_possible_number(number):
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def lower_tags(tags: list[str]) -> list[str]:
    """Write tags as they are stored: lower case, each once, none empty."""
    return [*dict.fromkeys(tag.strip().lower() for tag in tags if tag.strip())]


def _put(contact: SandboxContact, key: str, value: Any) -> None:
    """Set a field; null and empty text clear it."""
    if value is None or value == "":
        contact.fields.pop(key, None)
    else:
        contact.fields[key] = value


def _write_name(contact: SandboxContact, body: Json) -> None:
    """Split a whole name at its first space, unless the body names the parts too."""
    first, _, last = (body["name"] or "").strip().partition(" ")
    _put(contact, "firstName", body.get("firstName", first))
    _put(contact, "lastName", body.get("lastName", last.strip()))


def _write_custom(ghl: Ghl, contact: SandboxContact, item: Json) -> None:
    """Set one custom field, named by id or key. Unknown fields are ignored."""
    field_id = item.get("id") or _id_of_key(ghl, item.get("key", ""))
    value = next((item[key] for key in VALUE_KEYS if key in item), None)
    if field_id not in ghl.custom_fields:
        return
    if value is None or value in ("", []):
        contact.custom.pop(field_id, None)
    elif ghl.custom_fields[field_id]["dataType"] in LISTS and not isinstance(value, list):
        contact.custom[field_id] = [value]
    else:
        contact.custom[field_id] = value


def _id_of_key(ghl: Ghl, key: str) -> str | None:
    """Find a field by its key, written with or without `contact.` before it."""
    wanted = f"contact.{key.removeprefix('contact.')}"
    found = (field["id"] for field in ghl.custom_fields.values() if field["fieldKey"] == wanted)
    return next(found, None)
