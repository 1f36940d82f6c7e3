"""Edits of contacts by people."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.people import KnownPerson, find_people
from timerex_ghl.domain.contacts.contact_entry import (
    EntryError,
    FieldFault,
    check_tags,
    check_values,
)
from timerex_ghl.domain.contacts.contact_merge import NO_TAGS, apply_change
from timerex_ghl.domain.contacts.identity import (
    Keys,
    Match,
    NoMatch,
    SeveralMatches,
    keys_of,
    match_person,
)
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.errors import SkippableError
from timerex_ghl.domain.shared.models import Contact, ContactId, FieldName, WorkspaceContact
from timerex_ghl.workspace.edits import Edit, Editor, UnknownRecordError, check_version, keep_track

WHO = tuple(map(FieldName, ("first_name", "last_name", "email", "phone", "company")))


class DuplicatePersonError(SkippableError):
    """Another contact has this e-mail or phone already.

    Attributes:
        contact_ids: The other contacts.
    """

    def __init__(self, message: str, *, contact_ids: Iterable[ContactId]) -> None:
        super().__init__(message)
        self.contact_ids = tuple(contact_ids)


def add_contact(
    tx: Connection, editor: Editor, entry: WorkspaceChange, now: datetime
) -> WorkspaceContact:
    """Add a contact.

    Raises:
        EntryError: A value is invalid.
        DuplicatePersonError: Another contact has this e-mail or phone.
    """
    entered = checked(editor, entry)
    contact = Contact(
        values={field: value for field, value in entered.values.items() if value is not None},
        tags=entered.tags_added,
    )
    if not any(contact.values.get(field) for field in WHO):
        raise EntryError([FieldFault("email", f"is missing: enter one of {', '.join(WHO)}")])
    keys = keys_of(contact, editor.settings.region)
    _check_free(tx, editor, keys, before=Keys(None, None))
    row = workspace_contacts.add_contact(tx, editor.connection, contact, keys, now)
    fields = [*contact.values, *(["tags"] if contact.tags else [])]
    keep_track(tx, editor, Edit("contact", "added", row.id, row.version, fields), now)
    return row


def change_contact(
    tx: Connection,
    editor: Editor,
    contact_id: ContactId,
    entry: WorkspaceChange,
    now: datetime,
    *,
    versions: Collection[int] | None,
) -> WorkspaceContact:
    """Change the fields in the entry of a contact; without a change nothing is stored.

    Args:
        tx: Open transaction.
        editor: Who edits.
        contact_id: The contact.
        entry: The fields to change.
        now: The time.
        versions: The versions the edit applies to; None: any.

    Raises:
        UnknownRecordError: There is no such contact.
        OtherVersionError: The row is at another version.
        EntryError: A value is invalid.
        DuplicatePersonError: Another contact has the new e-mail or phone.
    """
    row = _living(tx, editor, contact_id)
    check_version("contact", contact_id, row.version, versions)
    change = news(row.contact, checked(editor, entry))
    if not change:
        return row
    keys = keys_of(apply_change(row.contact, change), editor.settings.region)
    old_keys = keys_of(row.contact, editor.settings.region)
    _check_free(tx, editor, keys, before=old_keys, but=contact_id)
    changed = workspace_contacts.change_contact(
        tx, editor.connection, contact_id, change, keys, now, expected_version=row.version
    )
    fields = [*change.values, *(["tags"] if change.tags_added or change.tags_removed else [])]
    edit = Edit("contact", "changed", contact_id, changed.version, fields)
    keep_track(tx, editor, edit, now)
    return changed


def delete_contact(
    tx: Connection,
    editor: Editor,
    contact_id: ContactId,
    now: datetime,
    *,
    versions: Collection[int] | None,
) -> None:
    """Mark a contact as deleted. It is not synced: GHL keeps its contact.

    The link to GHL's contact stays, so that no poll recreates the contact.

    Raises:
        UnknownRecordError: There is no such contact.
        OtherVersionError: The row is at another version.
    """
    row = _living(tx, editor, contact_id)
    check_version("contact", contact_id, row.version, versions)
    workspace_contacts.delete_contact(tx, editor.connection, contact_id, now)
    edit = Edit("contact", "deleted", contact_id, row.version + 1)
    keep_track(tx, editor, edit, now, travels=False)


def checked(editor: Editor, entry: WorkspaceChange) -> WorkspaceChange:
    """Return an entry with its values and tags checked and normalised."""
    added = check_tags(entry.tags_added, "tags_added")
    removed = check_tags(entry.tags_removed, "tags_removed")
    if added & removed:
        raise EntryError([FieldFault("tags_removed", "contains a tag that is also in tags_added")])
    values = check_values(entry.values, editor.settings.rules)
    return WorkspaceChange(values=values, tags_added=added, tags_removed=removed)


def news(contact: Contact, entry: WorkspaceChange) -> WorkspaceChange:
    """Return only the part of an entry that changes the contact."""
    missing = object()
    tags = contact.tags or NO_TAGS
    return WorkspaceChange(
        values={
            field: value
            for field, value in entry.values.items()
            if contact.values.get(field, missing) != value
        },
        tags_added=entry.tags_added - tags,
        tags_removed=entry.tags_removed & tags,
    )


def find_others(
    tx: Connection, editor: Editor, keys: Keys, *, before: Keys, but: ContactId | None
) -> tuple[ContactId, ...]:
    """Return the other contacts that a contact with these keys could be.

    What they shared with it before the edit does not count.
    """
    people = find_people(tx, editor.connection, [keys])
    emails, phones = keys.emails & before.emails, keys.phones & before.phones
    possible = [
        one
        for one in people.known
        if one.id != but
        and emails.isdisjoint(one.keys.emails)
        and phones.isdisjoint(one.keys.phones)
    ]
    match match_person(keys, possible, people.others):
        case NoMatch():
            return ()
        case Match(KnownPerson(row=row)):
            return (row.id,)
        case SeveralMatches(ids):
            return tuple(map(ContactId, ids))


def _living(tx: Connection, editor: Editor, contact_id: ContactId) -> WorkspaceContact:
    row = workspace_contacts.get_contact(tx, editor.connection, contact_id)
    if row is None or row.deleted:
        raise UnknownRecordError(f"there is no contact {contact_id}")
    return row


def _check_free(
    tx: Connection, editor: Editor, keys: Keys, *, before: Keys, but: ContactId | None = None
) -> None:
    others = find_others(tx, editor, keys, before=before, but=but)
    if others:
        raise DuplicatePersonError(
            f"{', '.join(others)} has this e-mail or phone: change that contact instead",
            contact_ids=others,
        )
