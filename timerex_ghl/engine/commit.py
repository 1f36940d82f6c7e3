"""What the ledger keeps once a person is level: outcome, row, link, base, conflicts, audit."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import audit, ghl_contacts, intents, links, locks, reviews
from timerex_ghl.adapters.ledger import workspace as people
from timerex_ghl.adapters.ledger.audit import Deed
from timerex_ghl.adapters.ledger.ghl_contacts import Snapshot
from timerex_ghl.adapters.ledger.links import Link
from timerex_ghl.adapters.ledger.workspace import Keyed
from timerex_ghl.domain.actions import Conflict, ContactPlan, WorkspaceChange
from timerex_ghl.domain.identity import Keys, keys_of
from timerex_ghl.domain.mapping import map_from_ghl
from timerex_ghl.domain.merge import apply_change
from timerex_ghl.domain.models import (
    ConnectionName,
    Contact,
    ContactId,
    FieldName,
    GhlContact,
    WorkspaceContact,
)
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.match_contact import Person
from timerex_ghl.engine.write import Hold, Written

LEVELLED = "contact levelled"
ADDED = "contact added from GHL"
"""What the audit calls these."""


class Levelled(NamedTuple):
    """A person who is level, save that the ledger does not know it yet.

    Attributes:
        last: The last write to GHL, whose outcome is still to be noted; None where none was made.
        is_level: False: GHL lacks its share, so that the person still counts as changed here.
    """

    sides: Sides
    hold: Hold
    person: Person
    plan: ContactPlan
    ghl: GhlContact
    last: Written[GhlContact] | None
    now: datetime
    is_level: bool = True

    @property
    def subjects(self) -> tuple[str, str]:
        """Name the person as reviews do: from either side."""
        return f"contact:{self.person.row.id}", f"ghl:{self.ghl.id}"


def remember_write(sides: Sides, contact_id: ContactId, tx: Connection, ghl: GhlContact) -> None:
    """Keep the link from the first write on, and when we wrote last."""
    now = sides.now()
    if not links.note_write(tx, sides.connection, "contact", contact_id, now):
        new = Link(
            connection=sides.connection,
            kind="contact",
            local_id=contact_id,
            remote_id=ghl.id,
            written_at=now,
        )
        links.save_link(tx, new)


def remember_level(tx: Connection, levelled: list[Levelled]) -> list[None]:
    """Note the last outcomes, write the workspace's share, and keep what both sides agree on.

    Whoever has nothing to do after this lets go of the person, too.
    """
    for connection in {one.sides.connection for one in levelled}:
        here = [one for one in levelled if one.sides.connection == connection]
        _remember(tx, connection, here, here[-1].now)
    return [None] * len(levelled)


def _remember(
    tx: Connection, connection: ConnectionName, here: list[Levelled], now: datetime
) -> None:
    intents.close_all(tx, [one.last.closing(now) for one in here if one.last is not None])
    rows = [change_row(tx, one.sides, one.person.row, one.plan.to_workspace, now) for one in here]
    pairs = list(zip(here, rows, strict=True))
    kept = [_pair_of(one.sides, row, one.ghl, one.plan.base, _wrote(one)) for one, row in pairs]
    links.save_links(tx, [_as_level(one, link) for one, (link, _) in zip(here, kept, strict=True)])
    ghl_contacts.save_snapshots(tx, connection, [snapshot for _, snapshot in kept], now)
    for one in here:
        one.hold.decided.note(tx, now)
    subjects = [subject for one in here for subject in one.subjects]
    reviews.settle_subjects(tx, connection, subjects, by="a later run", now=now)
    for one in here:
        for conflict in one.plan.conflicts:
            _note_conflict(tx, one, conflict, now)
    _close_what_is_over(tx, connection, here, now)
    audit.record_all(tx, [_deed(one) for one in here if one.plan.to_ghl or one.plan.to_workspace])
    locks.release_locks(tx, [one.hold.fence for one in here if one.hold.lets_go])


def add_from_ghl(
    tx: Connection, sides: Sides, ghl: GhlContact, theirs: Contact, now: datetime
) -> WorkspaceContact:
    """Take over a person whom only GHL knew."""
    row = people.new_row(theirs, now)
    add_rows_from_ghl(tx, sides, [(row, ghl, theirs)], now)
    return row


def add_rows_from_ghl(
    tx: Connection,
    sides: Sides,
    new: list[tuple[WorkspaceContact, GhlContact, Contact]],
    now: datetime,
) -> None:
    """Add people made by `new_row` of contacts whom only GHL knew."""
    if not new:
        return
    connection = sides.connection
    keyed = [Keyed(row, _keys(sides, theirs)) for row, _, theirs in new]
    people.add_rows(tx, connection, keyed, now)
    kept = [
        _pair_of(sides, row, ghl, Contact(values=theirs.values, tags=theirs.tags), None)
        for row, ghl, theirs in new
    ]
    links.save_links(tx, [link for link, _ in kept])
    ghl_contacts.save_snapshots(tx, connection, [snapshot for _, snapshot in kept], now)
    audit.record_all(
        tx,
        [
            Deed(
                now,
                connection,
                ADDED,
                f"contact:{row.id}",
                sides.run_id,
                {"ghl": ghl.id},
            )
            for row, ghl, _ in new
        ],
    )


def change_row(
    tx: Connection, sides: Sides, row: WorkspaceContact, change: WorkspaceChange, now: datetime
) -> WorkspaceContact:
    """Write a change to a workspace row, if there is any."""
    if not change:
        return row
    keys = _keys(sides, apply_change(row.contact, change))
    return people.change_contact(
        tx, sides.connection, row.id, change, keys, now, expected_version=row.version
    )


def _wrote(one: Levelled) -> datetime | None:
    """Tell when we last wrote to the person's GHL contact."""
    if one.last is not None:
        return one.now
    return one.person.link.written_at if one.person.link else None


def _pair_of(
    sides: Sides,
    row: WorkspaceContact,
    ghl: GhlContact,
    base: Contact,
    written_at: datetime | None,
) -> tuple[Link, Snapshot]:
    """Say of a person how both sides stand now that they are level."""
    theirs = map_from_ghl(ghl, sides.settings.rules)
    digest = ghl_contacts.digest_of(theirs)
    link = Link(
        connection=sides.connection,
        kind="contact",
        local_id=row.id,
        remote_id=ghl.id,
        local_version=row.version,
        remote_updated_at=ghl.updated_at,
        written_at=written_at,
        base=base,
        digest=digest,
    )
    return link, Snapshot(ghl, _keys(sides, theirs), digest)


def _as_level(one: Levelled, link: Link) -> Link:
    """Keep the version at which both sides were level last, where they are not now."""
    if one.is_level:
        return link
    before = one.person.link.local_version if one.person.link else None
    return link.model_copy(update={"local_version": before})


def _deed(one: Levelled) -> Deed:
    detail = {
        "ghl": one.ghl.id,
        "to_ghl": ", ".join(action.kind for action in one.plan.to_ghl),
        "to_workspace": ", ".join(sorted(one.plan.to_workspace.values)),
    }
    subject = f"contact:{one.person.row.id}"
    sides = one.sides
    return Deed(one.now, sides.connection, LEVELLED, subject, sides.run_id, detail)


def conflict_subject(contact_id: ContactId, field: FieldName) -> str:
    """Name a conflict as its review does."""
    return f"contact:{contact_id}:{field}"


def _close_what_is_over(
    tx: Connection, connection: ConnectionName, here: list[Levelled], now: datetime
) -> None:
    """Settle conflicts that waited and are none any more: an edit made both sides equal."""
    people = {one.person.row.id for one in here}
    still = {
        conflict_subject(one.person.row.id, conflict.field)
        for one in here
        for conflict in one.plan.conflicts
    }
    over = [
        subject
        for subject in reviews.conflict_subjects(tx, connection)
        if subject.split(":")[1] in people and subject not in still
    ]
    reviews.settle_subjects(tx, connection, over, by="a later run", now=now)


def _note_conflict(tx: Connection, one: Levelled, conflict: Conflict, now: datetime) -> None:
    """Keep both values. What a person was asked about is kept already."""
    if conflict.field in one.hold.decided.fields:
        return
    review_id = ask_about(tx, one.sides.connection, one.person.row.id, conflict, now)
    if conflict.winner is not None:
        reviews.settle_review(
            tx, review_id, decision=conflict.winner, by="the field's rule", now=now
        )


def ask_about(
    tx: Connection,
    connection: ConnectionName,
    contact_id: ContactId,
    conflict: Conflict,
    now: datetime,
) -> str:
    """Ask a person whose value stands, once; hand back the review's id."""
    review_id, _ = reviews.open_review(
        tx,
        connection=connection,
        kind="conflict",
        subject=conflict_subject(contact_id, conflict.field),
        reason=f"both sides changed {conflict.field}",
        detail=conflict.model_dump(mode="json"),
        now=now,
    )
    return review_id


def _keys(sides: Sides, contact: Contact) -> Keys:
    return keys_of(contact, sides.settings.region)
