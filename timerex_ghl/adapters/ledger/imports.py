"""Many people entered at once, from a table: what would become of each, and doing it."""

from collections.abc import Collection, Iterator, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import clock, contact_edits, workspace
from timerex_ghl.adapters.ledger.edits import Editor
from timerex_ghl.domain.actions import WorkspaceChange
from timerex_ghl.domain.columns import Entry, split_several
from timerex_ghl.domain.contact_entry import EntryError
from timerex_ghl.domain.identity import Keys, Match, NoMatch, SeveralMatches, keys_of, match_person
from timerex_ghl.domain.models import Contact, ContactId, WorkspaceContact

Fate = Literal["new", "changed", "same", "refused"]


class RowVerdict(NamedTuple):
    """What becomes of a row.

    Attributes:
        reason: Why it is refused, without a value.
        person: Whom it changes; None for somebody new.
    """

    fate: Fate
    reason: str = ""
    person: WorkspaceContact | None = None


def judge(
    tx: Connection, editor: Editor, entries: Sequence[Entry], known: Collection[ContactId] = ()
) -> list[RowVerdict]:
    """Tell what would become of each row. Nothing is written.

    Args:
        tx: The open connection.
        editor: Who imports.
        entries: What the rows say.
        known: Whom rows before these spoke of: nobody is spoken of twice.
    """
    taken = {*known}
    return [_judge(tx, editor, entry, taken) for entry in entries]


def take_over(
    tx: Connection, editor: Editor, entries: Sequence[Entry], known: Collection[ContactId] = ()
) -> list[RowVerdict]:
    """Write every good row; all of them, or none. A repetition finds them the same.

    Each is judged where it is written, so that whoever changed something meanwhile is heard.
    """
    taken = {*known}
    return [*_take_over(tx, editor, entries, taken)]


def keys_of_entry(editor: Editor, entry: Entry) -> Keys:
    """Give what a row's person is known by."""
    return keys_of(Contact(values=entry.change.values), editor.settings.region)


class _RefusedError(Exception):
    """A row that cannot be taken, with the reason."""


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
        return RowVerdict("refused", f"speaks of {row.id}, as a row before does")
    taken.add(row.id)
    changes = contact_edits.news(row.contact, _as_kept(row.contact, change))
    return RowVerdict("changed" if changes else "same", person=row)


def _find(tx: Connection, editor: Editor, entry: Entry) -> WorkspaceContact | None:
    """Find whom a row speaks of; None: somebody new.

    Raises:
        _RefusedError: Nobody can tell.
    """
    keys = keys_of_entry(editor, entry)
    by_email, by_phone = workspace.find_contacts(tx, editor.connection, keys)
    if entry.contact_id is not None:
        others = {row.id for row in (*by_email, *by_phone)} - {entry.contact_id}
        return _find_named(tx, editor, entry.contact_id, others)
    if keys == Keys(None, None):
        raise _RefusedError("has no e-mail and no valid phone number to know them by")
    match match_person(None, by_email, by_phone, lambda row: row.id):
        case NoMatch():
            return None
        case SeveralMatches(ids):
            raise _RefusedError(f"could be any of {', '.join(ids)}: fill in the id")
        case Match(row):
            if not by_email and _contradicts(editor, row, keys):
                raise _RefusedError(f"has the phone of {row.id} and another e-mail: fill in the id")
            return row


def _find_named(
    tx: Connection, editor: Editor, contact_id: ContactId, others: Collection[ContactId]
) -> WorkspaceContact:
    row = workspace.get_contact(tx, editor.connection, contact_id)
    if row is None or row.deleted:
        raise _RefusedError("id: names no contact: empty the cell to add a new one")
    if others:
        raise _RefusedError(f"has the e-mail or phone of {', '.join(sorted(others))}")
    return row


def _contradicts(editor: Editor, row: WorkspaceContact, keys: Keys) -> bool:
    """Tell whether somebody found by phone has another e-mail: a phone may be a family's."""
    remote = keys_of(row.contact, editor.settings.region)
    return bool(remote.email and keys.email and remote.email != keys.email)


def _as_kept(contact: Contact, change: WorkspaceChange) -> WorkspaceChange:
    """Read a cell as choices where the person's field holds choices."""
    values = {
        field: split_several(value)
        if isinstance(value, str) and isinstance(contact.values.get(field), tuple)
        else value
        for field, value in change.values.items()
    }
    return change.model_copy(update={"values": values})
