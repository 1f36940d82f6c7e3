"""Many people entered at once, from a table: what would become of each, and doing it."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import clock, contact_edits, workspace
from timerex_ghl.adapters.ledger.edits import Editor
from timerex_ghl.sync.columns import Entry
from timerex_ghl.sync.entry import EntryError
from timerex_ghl.sync.identity import Found, Keys, Nobody, Several, decide_person, keys_of
from timerex_ghl.sync.models import Contact, WorkspaceContact

Fate = Literal["new", "changed", "same", "refused"]


class Verdict(NamedTuple):
    """What becomes of a row.

    Attributes:
        reason: Why it is refused, without a value.
        person: Whom it changes; None for somebody new.
    """

    fate: Fate
    reason: str = ""
    person: WorkspaceContact | None = None


def judge(tx: Connection, editor: Editor, entries: Sequence[Entry]) -> list[Verdict]:
    """Tell what would become of each row. Nothing is written."""
    return [_judge(tx, editor, entry) for entry in entries]


def take_over(tx: Connection, editor: Editor, entries: Sequence[Entry]) -> list[Verdict]:
    """Write every good row; all of them, or none. A repetition finds them the same.

    Each is judged where it is written, so that whoever changed something meanwhile is heard.
    """
    return [*_take_over(tx, editor, entries)]


def keys_of_entry(editor: Editor, entry: Entry) -> Keys:
    """Give what a row's person is known by."""
    return keys_of(Contact(values=entry.change.values), editor.settings.region)


def _take_over(tx: Connection, editor: Editor, entries: Sequence[Entry]) -> Iterator[Verdict]:
    now = clock.now(tx)
    for entry in entries:
        verdict = _judge(tx, editor, entry)
        match verdict:
            case Verdict(fate="new"):
                contact_edits.add_contact(tx, editor, entry.change, now)
            case Verdict(fate="changed", person=WorkspaceContact(id=contact_id)):
                contact_edits.change_contact(
                    tx, editor, contact_id, entry.change, now, versions=None
                )
            case _:
                pass
        yield verdict


def _judge(tx: Connection, editor: Editor, entry: Entry) -> Verdict:
    try:
        change = contact_edits.checked(editor, entry.change)
    except EntryError as error:
        return _refused(str(error))
    keys = keys_of_entry(editor, entry)
    by_email, by_phone = workspace.find_contacts(tx, editor.connection, keys)
    named = None
    if entry.contact_id is not None:
        named = workspace.get_contact(tx, editor.connection, entry.contact_id)
        if named is None or named.deleted:
            return _refused("id: names no contact: empty the cell to add a new one")
        others = {row.id for row in (*by_email, *by_phone)} - {named.id}
        if others:
            return _refused(f"has the e-mail or phone of {', '.join(sorted(others))}")
    elif keys == Keys(None, None):
        return _refused("has no e-mail and no valid phone number to know them by")
    match decide_person(named, by_email, by_phone, lambda row: row.id):
        case Nobody():
            return Verdict("new")
        case Several(ids):
            return _refused(f"could be any of {', '.join(ids)}: fill in the id")
        case Found(row):
            if named is None and not by_email and _contradicts(editor, row, keys):
                return _refused(f"has the phone of {row.id} and another e-mail: fill in the id")
            changes = bool(contact_edits.news(row.contact, change))
            return Verdict("changed" if changes else "same", person=row)


def _contradicts(editor: Editor, row: WorkspaceContact, keys: Keys) -> bool:
    """Tell whether somebody found by phone has another e-mail: a phone may be a family's."""
    theirs = keys_of(row.contact, editor.settings.region)
    return bool(theirs.email and keys.email and theirs.email != keys.email)


def _refused(reason: str) -> Verdict:
    return Verdict("refused", reason)
