"""What the ledger keeps once a person is level: row, link, base, conflicts, audit, at once."""

from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import audit, ghl_contacts, links, reviews, workspace
from timerex_ghl.adapters.ledger.links import Link
from timerex_ghl.carry.person import Person
from timerex_ghl.carry.sides import Sides, utc_now
from timerex_ghl.sync.actions import Conflict, ContactPlan, WorkspaceChange
from timerex_ghl.sync.identity import Keys, keys_of
from timerex_ghl.sync.mapping import map_from_ghl
from timerex_ghl.sync.merge import apply_change
from timerex_ghl.sync.models import Contact, ContactId, GhlContact, WorkspaceContact


def remember_write(sides: Sides, contact_id: ContactId, tx: Connection, ghl: GhlContact) -> None:
    """Keep the link from the first write on, and when we wrote last."""
    now = utc_now()
    if not links.note_write(tx, sides.connection, "contact", contact_id, now):
        new = Link(
            connection=sides.connection,
            kind="contact",
            local_id=contact_id,
            remote_id=ghl.id,
            written_at=now,
        )
        links.save_link(tx, new)


def remember_level(
    tx: Connection, sides: Sides, person: Person, plan: ContactPlan, ghl: GhlContact, now: datetime
) -> None:
    """Write the workspace's share of a plan, and what both sides agree on now."""
    row = change_row(tx, sides, person.row, plan.to_workspace, now)
    _save_level(tx, sides, row, ghl, plan.base, now)
    for subject in (f"contact:{row.id}", f"ghl:{ghl.id}"):
        reviews.settle_subject(tx, sides.connection, subject, by="a later run", now=now)
    for conflict in plan.conflicts:
        _note_conflict(tx, sides, row.id, conflict, now)
    if plan.to_ghl or plan.to_workspace:
        audit.record(
            tx,
            connection=sides.connection,
            what="contact levelled",
            subject=f"contact:{row.id}",
            run_id=sides.run_id,
            detail={
                "ghl": ghl.id,
                "to_ghl": ", ".join(action.kind for action in plan.to_ghl),
                "to_workspace": ", ".join(sorted(plan.to_workspace.values)),
            },
            now=now,
        )


def add_from_ghl(
    tx: Connection, sides: Sides, ghl: GhlContact, theirs: Contact, now: datetime
) -> WorkspaceContact:
    """Take over a person whom only GHL knew."""
    row = workspace.add_contact(tx, sides.connection, theirs, _keys(sides, theirs), now)
    base = Contact(values=theirs.values, tags=theirs.tags)
    _save_level(tx, sides, row, ghl, base, now)
    audit.record(
        tx,
        connection=sides.connection,
        what="contact added from GHL",
        subject=f"contact:{row.id}",
        run_id=sides.run_id,
        detail={"ghl": ghl.id},
        now=now,
    )
    return row


def change_row(
    tx: Connection, sides: Sides, row: WorkspaceContact, change: WorkspaceChange, now: datetime
) -> WorkspaceContact:
    """Write a change to a workspace row, if there is any."""
    if not change:
        return row
    keys = _keys(sides, apply_change(row.contact, change))
    return workspace.change_contact(
        tx, sides.connection, row.id, change, keys, now, expected_version=row.version
    )


def _save_level(
    tx: Connection,
    sides: Sides,
    row: WorkspaceContact,
    ghl: GhlContact,
    base: Contact,
    now: datetime,
) -> None:
    theirs = map_from_ghl(ghl, sides.settings.rules)
    digest = ghl_contacts.digest_of(theirs)
    old = links.link_of_local(tx, sides.connection, "contact", row.id)
    links.save_link(
        tx,
        Link(
            connection=sides.connection,
            kind="contact",
            local_id=row.id,
            remote_id=ghl.id,
            local_version=row.version,
            remote_updated_at=ghl.updated_at,
            written_at=old.written_at if old else None,
            base=base,
            digest=digest,
        ),
    )
    snapshot = ghl_contacts.Snapshot(ghl, _keys(sides, theirs), digest)
    ghl_contacts.save_snapshots(tx, sides.connection, [snapshot], now)


def _note_conflict(
    tx: Connection, sides: Sides, contact_id: ContactId, conflict: Conflict, now: datetime
) -> None:
    review_id, _ = reviews.open_review(
        tx,
        connection=sides.connection,
        kind="conflict",
        subject=f"contact:{contact_id}:{conflict.field}",
        reason=f"both sides changed {conflict.field}",
        detail=conflict.model_dump(mode="json"),
        now=now,
    )
    if conflict.winner is not None:
        reviews.settle_review(
            tx, review_id, decision=conflict.winner, by="the field's rule", now=now
        )


def _keys(sides: Sides, contact: Contact) -> Keys:
    return keys_of(contact, sides.settings.region)
