"""Commit a contact that is in sync: outcome, row, link, base, conflicts, audit."""

from datetime import datetime
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, withheld_values
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts as people
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import Snapshot
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import Keyed
from timerex_ghl.adapters.ledger.tables.operations import audit, reviews
from timerex_ghl.adapters.ledger.tables.operations.audit import NewAuditEntry
from timerex_ghl.adapters.ledger.tables.sync import intents, links, locks
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.contacts.contact_merge import apply_change
from timerex_ghl.domain.contacts.identity import Keys, ghl_keys_of, keys_of
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.actions import (
    ContactPlan,
    WorkspaceChange,
)
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    Contact,
    GhlContact,
    GhlContactId,
    WorkspaceContact,
)
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.match_contact import Person
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.reviews.review_case import NO_DECISION, ReviewDecision, close
from timerex_ghl.engine.writes.close_reviews import close_answered
from timerex_ghl.engine.writes.record_conflict import record_conflict
from timerex_ghl.engine.writes.recovery import close as close_unread
from timerex_ghl.engine.writes.write import Claim, Written

RECONCILED = "contact reconciled"
ADDED = "contact added from GHL"
"""Names of these changes in the audit."""


class ContactCommit(NamedTuple):
    """A contact that was reconciled, to be committed to the ledger.

    Attributes:
        last: The last write to GHL, whose outcome is still to be stored; None where none was made.
        decision: A person's, where one was asked; else the fields' rules applied.
        is_in_sync: False: GHL lacks its share, so the contact still counts as changed locally.
    """

    context: SyncContext
    claim: Claim
    person: Person
    plan: ContactPlan
    ghl: GhlContact
    last: Written[GhlContact] | None
    now: datetime
    decision: ReviewDecision = NO_DECISION
    is_in_sync: bool = True

    @property
    def subjects(self) -> tuple[RecordRef, RecordRef]:
        """Return the two subjects that reviews about this contact have, local and remote."""
        return RecordRef.contact(self.person.row.id), RecordRef.ghl_contact(self.ghl.id)


def save_link(link: Link, tx: Connection, _ghl: GhlContact) -> None:
    """Save the link after a write, in the unit of work that stores the write's outcome."""
    links.save_links(tx, [link])


def commit_recovered(
    tx: Connection, intent: Intent, link: Link | None, ghl_id: GhlContactId | None
) -> None:
    """Store the outcome of a write whose answer was never read, and the link after it."""
    if link is not None:
        links.save_links(tx, [link])
    close_unread(tx, intent, ghl_id)


def commit_contacts(tx: Connection, commit: list[ContactCommit]) -> list[None]:
    """Store the last outcomes, the workspace's changes, and the new bases.

    Claims with nothing left to do release their locks in the same unit of work.
    """
    for connection in {one.context.connection for one in commit}:
        here = [one for one in commit if one.context.connection == connection]
        _commit(tx, connection, here, here[-1].now)
    return [None] * len(commit)


def _commit(
    tx: Connection, connection: ConnectionName, here: list[ContactCommit], now: datetime
) -> None:
    intents.close_intents(tx, [one.last.closing() for one in here if one.last is not None])
    rows = [change_row(tx, one.context, one.person.row, one.plan.to_workspace, now) for one in here]
    pairs = list(zip(here, rows, strict=True))
    kept = [_pair_of(one.context, row, one.ghl, one.plan.base, _wrote(one)) for one, row in pairs]
    links.save_links(
        tx, [_with_last_version(one, link) for one, (link, _) in zip(here, kept, strict=True)]
    )
    ghl_contacts.save_snapshots(tx, connection, [snapshot for _, snapshot in kept], now)
    withheld = {one.person.row.id: one.plan.withheld for one in here}
    withheld_values.replace_withheld(tx, connection, withheld)
    for case in chain.from_iterable(one.decision.cases for one in here):
        close(tx, case, now)
    subjects = [subject for one in here for subject in one.subjects]
    close_answered(tx, connection, subjects, now)
    for one in here:
        for conflict in one.plan.conflicts:
            if conflict.field not in one.decision.values.winners:
                ref = RecordRef.contact(one.person.row.id)
                record_conflict(tx, connection, ref, conflict, "the field's rule", now)
    _close_what_is_over(tx, connection, here, now)
    audit.record_all(tx, [_deed(one) for one in here if one.plan.to_ghl or one.plan.to_workspace])
    locks.release_locks(tx, [one.claim.fence for one in here if one.claim.releases_on_commit])


def add_from_ghl(
    tx: Connection, context: SyncContext, ghl: GhlContact, remote: Contact, now: datetime
) -> WorkspaceContact:
    """Add a contact that only GHL had to the workspace."""
    row = people.new_row(remote, now)
    add_rows_from_ghl(tx, context, [(row, ghl, remote)], now)
    return row


def add_rows_from_ghl(
    tx: Connection,
    context: SyncContext,
    new: list[tuple[WorkspaceContact, GhlContact, Contact]],
    now: datetime,
) -> None:
    """Add rows that `new_row` made of contacts that only GHL had."""
    if not new:
        return
    connection = context.connection
    keyed = [Keyed(row, _keys(context, remote)) for row, _, remote in new]
    people.add_rows(tx, connection, keyed, now)
    kept = [
        _pair_of(context, row, ghl, Contact(values=remote.values, tags=remote.tags), None)
        for row, ghl, remote in new
    ]
    links.save_links(tx, [link for link, _ in kept])
    ghl_contacts.save_snapshots(tx, connection, [snapshot for _, snapshot in kept], now)
    audit.record_all(
        tx,
        [
            NewAuditEntry(
                now,
                connection,
                ADDED,
                RecordRef.contact(row.id),
                context.run_id,
                {"ghl": ghl.id},
            )
            for row, ghl, _ in new
        ],
    )


def change_row(
    tx: Connection,
    context: SyncContext,
    row: WorkspaceContact,
    change: WorkspaceChange,
    now: datetime,
) -> WorkspaceContact:
    """Write a change to a workspace row, if there is any."""
    if not change:
        return row
    if row.deleted:
        return people.change_tombstone(tx, context.connection, row, change, now)
    keys = _keys(context, apply_change(row.contact, change))
    return people.change_contact(
        tx, context.connection, row.id, change, keys, now, expected_version=row.version
    )


def _wrote(one: ContactCommit) -> datetime | None:
    """Return when we last wrote to the GHL contact."""
    if one.last is not None:
        return one.now
    return one.person.link.written_at if one.person.link else None


def _pair_of(
    context: SyncContext,
    row: WorkspaceContact,
    ghl: GhlContact,
    base: Contact,
    written_at: datetime | None,
) -> tuple[Link, Snapshot]:
    """Build the link and the snapshot of a contact that is in sync."""
    remote = map_from_ghl(ghl, context.settings.rules)
    digest = ghl_contacts.digest_of(remote)
    link = Link(
        connection=context.connection,
        kind="contact",
        local_id=row.id,
        remote_id=ghl.id,
        local_version=row.version,
        written_at=written_at,
        base=base,
        digest=digest,
    )
    return link, Snapshot(ghl, ghl_keys_of(ghl, remote, context.settings.region), digest)


def _with_last_version(one: ContactCommit, link: Link) -> Link:
    """Add the differences; keep the last version that was in sync, where this one is not."""
    link = link.with_differences(one.plan.differences, one.context.published.version)
    if one.is_in_sync:
        return link
    before = one.person.link.local_version if one.person.link else None
    return link.model_copy(update={"local_version": before})


def _deed(one: ContactCommit) -> NewAuditEntry:
    detail = {
        "ghl": one.ghl.id,
        "to_ghl": ", ".join(action.kind for action in one.plan.to_ghl),
        "to_workspace": ", ".join(sorted(one.plan.to_workspace.values)),
    }
    subject = RecordRef.contact(one.person.row.id)
    context = one.context
    return NewAuditEntry(one.now, context.connection, RECONCILED, subject, context.run_id, detail)


def _close_what_is_over(
    tx: Connection, connection: ConnectionName, here: list[ContactCommit], now: datetime
) -> None:
    """Close conflict reviews whose cause is gone: an edit made both sides equal."""
    people = {one.person.row.id for one in here}
    still = {
        RecordRef.contact(one.person.row.id, conflict.field)
        for one in here
        for conflict in one.plan.conflicts
    }
    over = [
        subject
        for subject in reviews.conflict_subjects(tx, connection)
        if subject.id in people and subject not in still
    ]
    close_answered(tx, connection, over, now)


def _keys(context: SyncContext, contact: Contact) -> Keys:
    return keys_of(contact, context.settings.region)
