"""Resolve a review: the person's decision becomes the rule by which the record is reconciled."""

from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import kept_apart, workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.kept_apart import ContactPair
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.activities.activity_fields import KINDS
from timerex_ghl.domain.reviews.review_decisions import Decision, Way, check_way
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, EventId, GhlContactId
from timerex_ghl.engine.contacts.claim_contact import claim_contact, reload_contact
from timerex_ghl.engine.contacts.reconcile_contact import reconcile_contact
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.reviews.review_activity import keep_activity, resolve_deletes
from timerex_ghl.engine.reviews.review_case import (
    ResolvedReview,
    ReviewCase,
    ReviewDecision,
    close,
    is_open,
    note_late,
)
from timerex_ghl.engine.reviews.review_guest import link_guest, part_guest, person_of
from timerex_ghl.engine.reviews.review_values import keep
from timerex_ghl.engine.writes.lock_names import lock_of_review
from timerex_ghl.engine.writes.locking import locked


async def resolve(context: SyncContext, review_id: str, decision: Decision) -> ResolvedReview:
    """Resolve a review. A second decision changes nothing, reports so, and is audited too.

    Raises:
        SettingsError: There is no such review, or it cannot be resolved this way.
        ReviewNeededError: The values changed since it was opened: it shows the new ones now.
    """
    names = [lock_of_review(context.connection, review_id)]
    async with locked(context.ledger, names, run_id=context.run_id):
        case = ReviewCase(context, await _read(context, review_id), decision)
        is_first = False
        if case.review.resolved_at is None:
            check_way(case.review.kind, case.review.subject, decision)
            is_first = await _execute(case)
        if not is_first:
            await context.ledger.write(note_late, case, context.now())
        return ResolvedReview(await _read(context, review_id), is_first)


async def _read(context: SyncContext, review_id: str) -> Review:
    review = await context.ledger.read(reviews.get_review, review_id)
    if review is None or review.connection != context.connection:
        raise SettingsError(f"{context.connection} has no review {review_id}")
    return review


async def _execute(case: ReviewCase) -> bool:
    """Apply the decision; False where the review was resolved meanwhile."""
    subject = case.review.subject
    link_to = case.decision.link_to or ""
    match case.decision.way, subject.kind:
        case Way.KEEP, _:
            return await _keep(case)
        case Way.LINK, "event":
            return await link_guest(case, EventId(subject.id), GhlContactId(link_to))
        case Way.LINK, "ghl":
            return await _link(case, ContactId(link_to), GhlContactId(subject.id))
        case Way.LINK, _:
            return await _link(case, ContactId(subject.id), GhlContactId(link_to))
        case Way.APART, "event":
            return await part_guest(case, EventId(subject.id))
        case _:
            return await case.context.ledger.write(_close, case, case.context.now())


async def _keep(case: ReviewCase) -> bool:
    if case.review.subject.kind in KINDS:
        return await keep_activity(case)
    return await keep(case, await _person_of(case))


async def _person_of(case: ReviewCase) -> ContactId:
    """Return the workspace contact that a decision is about."""
    contact_id = await case.context.ledger.read(person_of, case)
    if contact_id is None:
        raise SettingsError(
            f"{case.review.subject} names no contact of the workspace: retry or drop it"
        )
    return contact_id


def _close(tx: Connection, case: ReviewCase, now: datetime) -> bool:
    """Store a decision that needs no write now: the next run does what is to be retried."""
    if not close(tx, case, now):
        return False
    if case.review.kind == "deletes":
        resolve_deletes(tx, case, now)
    if case.decision.way is Way.APART:
        _part(tx, case, now)
    return True


def _part(tx: Connection, case: ReviewCase, now: datetime) -> None:
    """Keep contacts apart, and resolve the reviews that ask the same about the GHL contact."""
    connection = case.context.connection
    pairs = _pairs(case.review)
    if not pairs:
        raise SettingsError(f"{case.review.id} names no contacts to keep apart: link or drop it")
    kept_apart.keep_apart(tx, connection, pairs)
    for review in reviews.open_of(tx, connection, "identity"):
        same = _pairs(review)
        if same and same <= pairs:
            close(tx, case._replace(review=review), now)


def _pairs(review: Review) -> set[ContactPair]:
    """Return the pairs of contacts that may be the same person."""
    kind, record_id = review.subject.kind, review.subject.id
    people: list[str] = [record_id] if kind == "contact" else review.detail.get("people", [])
    ghl_ids: list[str] = [record_id] if kind == "ghl" else review.detail.get("ghl_ids", [])
    return {ContactPair(ContactId(one), GhlContactId(other)) for one in people for other in ghl_ids}


async def _link(case: ReviewCase, contact_id: ContactId, ghl_id: GhlContactId) -> bool:
    """Link a workspace contact to a GHL contact, then reconcile them."""
    context = case.context
    await context.ghl.get_contact(ghl_id)  # raises unless it exists in this location
    async with claim_contact(context, contact_id) as claimed:
        if claimed is None:
            raise SettingsError(f"contact {contact_id} is not in the workspace")
        if not await is_open(case):
            return False
        await context.ledger.write(_save_link, context.connection, contact_id, ghl_id)
        known = await reload_contact(context, contact_id)
        await reconcile_contact(context, claimed.claim, known, decision=ReviewDecision((case,)))
    return True


def _save_link(
    tx: Connection, connection: ConnectionName, contact_id: ContactId, ghl_id: GhlContactId
) -> None:
    owner = links.link_of_remote(tx, connection, "contact", ghl_id)
    if owner is not None and owner.local_id == contact_id:
        return
    if owner is not None:
        raise SettingsError(f"GHL contact {ghl_id} is already linked to contact {owner.local_id}")
    if workspace_contacts.get_contact(tx, connection, contact_id) is None:
        raise SettingsError(f"contact {contact_id} is not in the workspace")
    links.save_links(
        tx,
        [Link(connection=connection, kind="contact", local_id=contact_id, remote_id=ghl_id)],
    )
