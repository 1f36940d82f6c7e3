"""Check that both sides agree, from the sandbox and the ledger.

The checker shares no comparison, mapping or merge with the engine, so it finds faults in those.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from timerex_ghl.domain.shared.models import FieldName, Value, WorkspaceContact

FIELDS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone",
    "address": "address1",
    "city": "city",
    "state": "state",
    "postal_code": "postalCode",
    "country": "country",
    "website": "website",
}
"""Fields that must be equal: workspace name to GHL name."""

BOOKING_MARK = re.compile(r"^TimeRex booking \S+$", re.MULTILINE)


class Truth(NamedTuple):
    """The expected state of a guest's booking.

    Attributes:
        word: Text that the note must contain.
    """

    email: str
    word: str


def disagreements(
    workspace: Iterable[WorkspaceContact], crm: Iterable[dict[str, Any]], truths: Iterable[Truth]
) -> list[str]:
    """List the differences by ids and field names; empty if both sides agree."""
    rows = [row for row in workspace if not row.deleted]
    crm = list(crm)
    our_keys = [_key(_value(row, "email"), _value(row, "phone"), row.id) for row in rows]
    their_keys = [_key(one.get("email"), one.get("phone"), one["id"]) for one in crm]
    local = dict(zip(our_keys, rows, strict=True))
    remote = dict(zip(their_keys, crm, strict=True))
    found = [
        *_doubles("the workspace", our_keys),
        *_doubles("GHL", their_keys),
        *(f"contact {local[key].id} is not in GHL" for key in local.keys() - remote.keys()),
        *(
            f"GHL contact {remote[key]['id']} is not in the workspace"
            for key in remote.keys() - local.keys()
        ),
    ]
    for key in sorted(local.keys() & remote.keys()):
        found += _differences(local[key], remote[key])
    for truth in truths:
        found += _wrong_notes(remote.get(_mail(truth.email)), truth)
    return found


def _differences(local: WorkspaceContact, remote: dict[str, Any]) -> Iterator[str]:
    for own, ghl in FIELDS.items():
        same = _mail if own == "email" else _plain  # e-mail addresses ignore case
        if same(_value(local, own)) != same(remote.get(ghl)):
            yield f"contact {local.id}: {own} differs from GHL's {ghl}"
    if {tag.lower() for tag in local.contact.tags or ()} != set(remote.get("tags") or ()):
        yield f"contact {local.id}: tags differ"


def _wrong_notes(contact: dict[str, Any] | None, truth: Truth) -> Iterator[str]:
    """Yield faults unless the guest has exactly one booking note, with the expected text."""
    if contact is None:
        yield "a guest is not in GHL"
        return
    texts = [note.get("bodyText") or note.get("body") or "" for note in contact.get("notes") or ()]
    notes = [text for text in texts if BOOKING_MARK.search(text)]
    if len(notes) != 1:
        yield f"GHL contact {contact['id']}: {len(notes)} notes about one booking"
    elif truth.word not in notes[0]:
        yield f"GHL contact {contact['id']}: its note does not say {truth.word!r}"


def _doubles(where: str, keys: Iterable[str]) -> Iterator[str]:
    for times in Counter(keys).values():
        if times > 1:
            yield f"{times} contacts of one person in {where}"


def _value(row: WorkspaceContact, field: str) -> Value:
    return row.contact.values.get(FieldName(field))


def _key(email: object, phone: object, own_id: str) -> str:
    """Return a key of a person: the e-mail, else the phone number, else the id."""
    return _mail(email) or _plain(phone) or own_id


def _mail(value: object) -> str:
    return _plain(value).lower()


def _plain(value: object) -> str:
    """Normalize a value, so that equivalent spellings are equal."""
    text = unicodedata.normalize("NFKC", str(value or "")).strip()
    digits = re.sub(r"[\s()-]", "", text)
    if re.fullmatch(r"\+?\d{9,15}", digits):
        return re.sub(r"^0", "+81", digits)
    return text
