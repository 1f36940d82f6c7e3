"""Resolve reviews about values: a person chooses or types them, and the contact is reconciled."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.contacts.contact_merge import apply_change
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.reviews.review_decisions import (
    chosen_winners,
    is_as_asked,
    rules_with_decision,
)
from timerex_ghl.domain.shared.actions import Conflict, ContactPlan, WorkspaceChange
from timerex_ghl.domain.shared.errors import ReviewNeededError, SettingsError
from timerex_ghl.domain.shared.merge_field import Side
from timerex_ghl.domain.shared.models import ContactId, FieldName, GhlContact, WorkspaceContact
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.claim_contact import ContactState, claim_contact, reload_contact
from timerex_ghl.engine.contacts.commit_contact import ask_about, change_row
from timerex_ghl.engine.contacts.match_contact import Person
from timerex_ghl.engine.contacts.reconcile_contact import reconcile_contact
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.reviews.review_case import ReviewCase, close, close_and_replay, is_open
from timerex_ghl.engine.writes.write import Claim, ReviewDecision


class Asked(NamedTuple):
    """One open conflict, as it was shown to a person."""

    review: Review
    conflict: Conflict


async def keep(case: ReviewCase, contact_id: ContactId) -> bool:
    """Reconcile a contact with the decision as its fields' rules.

    Raises:
        SettingsError: The decision does not fit the open review.
        ReviewNeededError: The values are no longer those that the review shows.
    """
    async with claim_contact(case.context, contact_id) as claimed:
        if claimed is None:
            raise SettingsError(f"contact {contact_id} is not in the workspace: drop the review")
        if not await is_open(case):
            return False
        if case.review.kind == "conflict":
            await _keep_chosen(case, claimed.claim, claimed.known)
        else:
            await _keep_typed(case, claimed.claim, claimed.known)
    return True


async def _keep_chosen(case: ReviewCase, claim: Claim, known: ContactState) -> None:
    """Resolve conflicts. Nothing is written before both sides' values were checked again."""
    waiting = await case.context.ledger.read(_asked_about, case, claim.contact_id)
    field = case.review.subject.field
    if field is None:
        raise AssertionError("a conflict is about a field")
    chosen = chosen_winners(case.decision, field, waiting)
    asked = {field: waiting[field] for field in chosen}
    row = known.person.row
    found: list[Conflict] = []

    def approve(plan: ContactPlan, ghl: GhlContact | None) -> ContactPlan:
        found.extend(plan.conflicts)
        remote = map_from_ghl(ghl, case.context.settings.rules).values if ghl else {}
        conflicts = [each.conflict for each in asked.values()]
        if not is_as_asked(conflicts, row.contact.values, remote, case.context.settings.region):
            raise ReviewNeededError(
                "the values changed since the review opened: nothing was written, look again",
                kind="conflict",
            )
        _refuse_one_way(plan, chosen)
        return _with_typed(plan, case)

    def note(tx: Connection, now: datetime) -> None:
        for each in asked.values():
            close(tx, case._replace(review=each.review), now)

    claim.decision = ReviewDecision(approve, note, frozenset(chosen))
    try:
        await reconcile_contact(_with_rules(case, chosen), claim, _typed_in(case, known))
    except ReviewNeededError:
        await case.context.ledger.write(_ask_anew, case, row, found, case.context.now())
        raise


async def _keep_typed(case: ReviewCase, claim: Claim, known: ContactState) -> None:
    """Write the typed values to the row; they go to GHL as any edit does."""
    context, row = case.context, known.person.row
    subject, record_state = case.review.subject, case.review.record_state
    if subject == RecordRef.contact(row.id) and record_state not in {"", str(row.version)}:
        raise ReviewNeededError(
            f"contact {row.id} changed since the review opened: nothing was written, look again",
            kind="conflict",
        )
    change = WorkspaceChange(values=case.decision.values)
    await context.ledger.write(change_row, context, row, change, context.now())
    claim.decision = ReviewDecision(note=lambda tx, now: close_and_replay(tx, case, now))
    again = await reload_contact(context, row.id)
    await reconcile_contact(context, claim, again)


def _asked_about(tx: Connection, case: ReviewCase, contact_id: ContactId) -> dict[FieldName, Asked]:
    """Collect the open conflicts of a contact."""
    waiting = reviews.open_of(tx, case.context.connection, "conflict")
    contact = RecordRef.contact(contact_id)
    return {
        review.subject.field: Asked(review, Conflict.model_validate(review.detail))
        for review in waiting
        if review.subject.record == contact and review.subject.field is not None
    }


def _refuse_one_way(plan: ContactPlan, chosen: dict[FieldName, Side]) -> None:
    for conflict in plan.conflicts:
        if conflict.winner != chosen.get(conflict.field, conflict.winner):
            raise SettingsError(
                f"{conflict.field} syncs one way only: keep {conflict.winner}, or publish another"
                " mapping"
            )


def _with_rules(case: ReviewCase, chosen: dict[FieldName, Side]) -> SyncContext:
    settings = case.context.settings
    ruled = settings.model_copy(update={"rules": rules_with_decision(settings.rules, chosen)})
    published = case.context.published.model_copy(update={"settings": ruled})
    return replace(case.context, published=published)


def _typed_in(case: ReviewCase, known: ContactState) -> ContactState:
    """Return the state as if the row had just been edited to the typed values."""
    values = case.decision.values
    row, link, keys = known.person
    row = row.model_copy(
        update={"contact": apply_change(row.contact, WorkspaceChange(values=values))}
    )
    if link is not None and link.base is not None:
        agreed = {field: value for field, value in link.base.values.items() if field not in values}
        base = link.base.model_copy(update={"values": agreed})
        link = link.model_copy(update={"base": base})
    return known._replace(person=Person(row, link, keys))


def _with_typed(plan: ContactPlan, case: ReviewCase) -> ContactPlan:
    """Add the typed values to the plan, so that they are committed with the contact."""
    values = {**plan.to_workspace.values, **case.decision.values}
    change = plan.to_workspace.model_copy(update={"values": values})
    return plan.model_copy(update={"to_workspace": change})


def _ask_anew(
    tx: Connection, case: ReviewCase, row: WorkspaceContact, found: list[Conflict], now: datetime
) -> None:
    """Update the open reviews to the current values."""
    for field in _asked_about(tx, case, row.id).keys() & {one.field for one in found}:
        conflict = next(one for one in found if one.field == field)
        local = row.contact.values.get(field)
        conflict = conflict.model_copy(update={"workspace": local, "winner": None})
        ask_about(tx, case.context.connection, row.id, conflict, now)
