"""Importing contacts from a table: the verdict on each row, and writing them."""

from collections.abc import Collection, Iterator, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.people import KnownPerson, find_people
from timerex_ghl.domain.contacts.contact_entry import EntryError
from timerex_ghl.domain.contacts.identity import (
    Keys,
    Match,
    NoMatch,
    SeveralMatches,
    keys_of,
    match_person,
)
from timerex_ghl.domain.contacts.table_columns import Entry, split_several
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import Contact, ContactId, WorkspaceContact
from timerex_ghl.workspace import contact_edits
from timerex_ghl.workspace.edits import Editor

Fate = Literal["new", "changed", "same", "refused"]


class RowVerdict(NamedTuple):
    """The verdict on a row.

    Attributes:
        reason: Why the row is refused; without values.
        person: The contact it changes; None for a new one.
    """

    fate: Fate
    reason: str = ""
    person: WorkspaceContact | None = None


def judge(
    tx: Connection, editor: Editor, entries: Sequence[Entry], known: Collection[ContactId] = ()
) -> list[RowVerdict]:
    """Return the verdict on each row without writing.

    Args:
        tx: Open transaction.
        editor: Who imports.
        entries: The parsed rows.
        known: Contacts of earlier rows: a contact may appear only once.
    """
    taken = {*known}
    return [_judge(tx, editor, entry, taken) for entry in entries]


def take_over(
    tx: Connection, editor: Editor, entries: Sequence[Entry], known: Collection[ContactId] = ()
) -> list[RowVerdict]:
    """Write all valid rows, or none. Repeating it changes nothing.

    Each row is judged in the writing transaction, so concurrent changes are taken into account.
    """
    taken = {*known}
    return [*_take_over(tx, editor, entries, taken)]


def keys_of_entry(editor: Editor, entry: Entry) -> Keys:
    """Return the match keys of a row."""
    return keys_of(Contact(values=entry.change.values), editor.settings.region)


class _RefusedError(Exception):
    """A row is refused, with the reason."""


def _take_over(
    tx: Connection, editor: Editor, entries: Sequence[Entry], taken: set[ContactId]
) -> Iterator[RowVerdict]:
    now = clock.now(tx)
    for entry in entries:
        verdict = _judge(tx, editor, entry, taken)
        person = verdict.person
        if verdict.fate == "new":
            contact_edits.add_contact(tx, editor, entry.change, now)
        elif verdict.fate == "changed" and person is not None:
            change = _as_kept(person.contact, entry.change)
            contact_edits.change_contact(tx, editor, person.id, change, now, versions=None)
        yield verdict


def _judge(tx: Connection, editor: Editor, entry: Entry, taken: set[ContactId]) -> RowVerdict:
    try:
        change = contact_edits.checked(editor, entry.change)
        row = _find(tx, editor, entry)
    except (EntryError, _RefusedError) as error:
        return RowVerdict("refused", str(error))
    if row is None:
        return RowVerdict("new")
    if row.id in taken:
        return RowVerdict("refused", f"is contact {row.id}, as an earlier row is")
    taken.add(row.id)
    changes = contact_edits.news(row.contact, _as_kept(row.contact, change))
    return RowVerdict("changed" if changes else "same", person=row)


def _find(tx: Connection, editor: Editor, entry: Entry) -> WorkspaceContact | None:
    """Find the contact of a row; None: a new one.

    Raises:
        _RefusedError: The row has no keys, or its contact is ambiguous.
    """
    keys = keys_of_entry(editor, entry)
    if entry.contact_id is not None:
        return _find_named(tx, editor, entry.contact_id, keys)
    if keys == Keys(None, None):
        raise _RefusedError("has no e-mail and no valid phone number to match by")
    people = find_people(tx, editor.connection, [keys])
    match match_person(keys, people.known, people.others):
        case NoMatch():
            return None
        case SeveralMatches(ids):
            raise _RefusedError(f"matches {', '.join(ids)}: fill in the id")
        case Match(KnownPerson(row=row)):
            return row


def _find_named(
    tx: Connection, editor: Editor, contact_id: ContactId, keys: Keys
) -> WorkspaceContact:
    row = workspace_contacts.get_contact(tx, editor.connection, contact_id)
    if row is None or row.deleted:
        raise _RefusedError("id: unknown contact: empty the cell to add a new one")
    before = keys_of(row.contact, editor.settings.region)
    others = contact_edits.find_others(tx, editor, keys, before=before, but=contact_id)
    if others:
        raise _RefusedError(f"has the e-mail or phone of {', '.join(others)}")
    return row


def _as_kept(contact: Contact, change: WorkspaceChange) -> WorkspaceChange:
    """Split a cell into choices where the contact's field is a multi-select."""
    values = {
        field: split_several(value)
        if isinstance(value, str) and isinstance(contact.values.get(field), tuple)
        else value
        for field, value in change.values.items()
    }
    return change.model_copy(update={"values": values})
