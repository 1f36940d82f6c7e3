"""Resolve reviews about values: a person chooses or types them, and the contact is reconciled."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.reviews.chosen_values import ChosenValues, ValuesChangedError
from timerex_ghl.domain.reviews.review_decisions import chosen_winners
from timerex_ghl.domain.shared.actions import Conflict, WorkspaceChange
from timerex_ghl.domain.shared.errors import ReviewNeededError, SettingsError
from timerex_ghl.domain.shared.models import ContactId, FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.claim_contact import ContactState, claim_contact, reload_contact
from timerex_ghl.engine.contacts.commit_contact import change_row
from timerex_ghl.engine.contacts.reconcile_contact import reconcile_contact
from timerex_ghl.engine.reviews.review_case import ReviewCase, ReviewDecision, is_open
from timerex_ghl.engine.writes.record_conflict import record_conflict
from timerex_ghl.engine.writes.write import Claim


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
    winners = chosen_winners(case.decision, field, waiting)
    asked = [waiting[field] for field in winners]
    decision = ReviewDecision(
        tuple(case._replace(review=each.review) for each in asked),
        ChosenValues(
            asked=tuple(each.conflict for each in asked),
            winners=winners,
            typed=case.decision.values,
        ),
    )
    try:
        await reconcile_contact(case.context, claim, known, decision=decision)
    except ValuesChangedError as changed:
        now = case.context.now()
        await case.context.ledger.write(_ask_anew, case, claim.contact_id, changed.conflicts, now)
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
    again = await reload_contact(context, row.id)
    await reconcile_contact(context, claim, again, decision=ReviewDecision((case,)))


def _asked_about(tx: Connection, case: ReviewCase, contact_id: ContactId) -> dict[FieldName, Asked]:
    """Collect the open conflicts of a contact."""
    waiting = reviews.open_of(tx, case.context.connection, "conflict")
    contact = RecordRef.contact(contact_id)
    return {
        review.subject.field: Asked(review, Conflict.model_validate(review.detail))
        for review in waiting
        if review.subject.record == contact and review.subject.field is not None
    }


def _ask_anew(
    tx: Connection,
    case: ReviewCase,
    contact_id: ContactId,
    conflicts: Sequence[Conflict],
    now: datetime,
) -> None:
    """Update the open reviews to the current values."""
    asked, ref = _asked_about(tx, case, contact_id), RecordRef.contact(contact_id)
    for conflict in conflicts:
        if conflict.field in asked:
            record_conflict(tx, case.context.connection, ref, conflict, case.decision.by, now)
