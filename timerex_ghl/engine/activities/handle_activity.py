"""The handler of one note or task, the same for live, replay and bulk runs."""

from functools import partial

from timerex_ghl.domain.activities.activity_fields import ActivityKey, text_of
from timerex_ghl.domain.activities.activity_mapping import GhlActivity
from timerex_ghl.domain.activities.activity_plan import Policy, plan_activity, plan_creation
from timerex_ghl.domain.shared.actions import ActivityPlan, CreateActivity, UpdateActivity
from timerex_ghl.domain.shared.errors import NotFoundError, RetryableError
from timerex_ghl.domain.shared.models import GhlContactId, Values
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.engine.activities.claim_activity import (
    ActivityState,
    ClaimedActivity,
    claim_activity,
    read_activity,
)
from timerex_ghl.engine.activities.commit_activity import ActivityCommit, commit_activity
from timerex_ghl.engine.activities.delete_activity import delete_here, delete_there, keep_apart
from timerex_ghl.engine.activities.dry_run import NOTHING, show_plan
from timerex_ghl.engine.activities.read_remote import (
    RemoteActivity,
    emails_for,
    find_marked,
    read_remote_activity,
)
from timerex_ghl.engine.activities.write_activity import Emails, create_activity, update_activity
from timerex_ghl.engine.contacts.handle_contact import handle_contact
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.reviews.review_case import NO_DECISION, ReviewDecision
from timerex_ghl.engine.writes.write import Written


async def handle_activity(
    context: SyncContext,
    key: ActivityKey,
    *,
    dry_run: bool = False,
    decision: ReviewDecision = NO_DECISION,
) -> Outcome:
    """Bring one note or task of the workspace in sync with GHL.

    Args:
        context: The connection's clients, ledger and settings.
        key: The note or task.
        dry_run: Store the plan, write nothing.
        decision: A person's decision about its conflicts.

    Raises:
        ReviewNeededError: A person must decide which GHL contact it belongs to.
        ScopeError: The token may not write to GHL. The workspace's changes are committed.
    """
    if not context.settings.activities.mirrors:
        return Outcome(what="ignored")
    if not await _ensure_contact(context, key, dry_run=dry_run):
        return NOTHING
    async with claim_activity(context, key) as claimed:
        if claimed is None or not claimed.known.has_person:
            return NOTHING
        return await _reconcile(context, claimed, decision, dry_run=dry_run)


async def _reconcile(
    context: SyncContext, claimed: ClaimedActivity, decision: ReviewDecision, *, dry_run: bool
) -> Outcome:
    key, delete = claimed.known.key, claimed.known.delete
    if delete is not None and delete.state == "kept":
        return await keep_apart(context, claimed)
    emails = await emails_for(context, key.kind)
    remote = await read_remote_activity(context, claimed.known, emails)
    if claimed.known.row.deleted:
        return await delete_there(context, claimed, remote, dry_run=dry_run)
    if remote.link is not None and remote.ghl is None:
        return await delete_here(context, claimed, remote.link, dry_run=dry_run)
    plan = _plan(context, claimed.known, remote, emails, decision)
    if dry_run:
        return await show_plan(context, key.ref, plan)
    return await _apply(context, claimed, remote, plan, emails, decision)


async def _ensure_contact(context: SyncContext, key: ActivityKey, *, dry_run: bool) -> bool:
    """Ensure that its contact exists in GHL; False where there is nothing to do."""
    known = await context.ledger.read(read_activity, context.connection, key)
    if known is None or not known.has_person:
        return False
    if known.contact_id is not None:
        return True
    if known.row.deleted or dry_run:
        return False
    await handle_contact(context, known.row.contact_id, asks=True)
    return True


def _plan(
    context: SyncContext,
    known: ActivityState,
    remote: RemoteActivity,
    emails: Emails,
    decision: ReviewDecision,
) -> ActivityPlan:
    users = {email for email in emails.values() if email}
    policy = Policy(context.settings.activities.rule, users, decision.values.winners)
    contact_id = known.contact_id or GhlContactId("")
    if remote.ghl is None:
        return plan_creation(known.row, contact_id, policy)
    base = remote.link.base.values if remote.link and remote.link.base else None
    return plan_activity(known.row, remote.ghl, base, contact_id, policy)


async def _apply(
    context: SyncContext,
    claimed: ClaimedActivity,
    remote: RemoteActivity,
    plan: ActivityPlan,
    emails: Emails,
    decision: ReviewDecision,
) -> Outcome:
    """Write a plan to the workspace and GHL, and commit the new base.

    Raises:
        ScopeError: The token lacks the right to write to GHL.
    """
    claim, known = claimed
    refusal = context.ghl.refusal_of(plan.to_ghl[0].kind) if plan.to_ghl else None
    if refusal is not None:
        if remote.ghl is not None and plan.to_workspace:
            base = remote.link.base.values if remote.link and remote.link.base else {}
            plan = _pulled(plan, base)
            pulled = ActivityCommit(
                claim, known, plan, remote.ghl, None, decision, is_in_sync=False
            )
            await context.ledger.write(commit_activity, context, pulled, context.now())
            claim.released = True
        raise refusal
    last = await _send(context, claimed, remote, plan, emails)
    ghl = remote.ghl if last is None else last.record
    if ghl is None:
        raise AssertionError("a plan for a record that GHL lacks creates it there")
    commit = ActivityCommit(claim, known, plan, ghl, last, decision)
    await context.ledger.write(commit_activity, context, commit, context.now())
    claim.released = True
    if last is not None:
        context.failpoint(last.action.kind, "after-outcome")
    return _outcome_of(known, plan, last)


async def _send(
    context: SyncContext,
    claimed: ClaimedActivity,
    remote: RemoteActivity,
    plan: ActivityPlan,
    emails: Emails,
) -> Written[GhlActivity] | None:
    for action in plan.to_ghl:
        match action:
            case CreateActivity():
                find = partial(find_marked, context, claimed.known, action, emails)
                try:
                    return await create_activity(context, claimed.claim, action, emails, find)
                except NotFoundError as error:  # it may have been merged into another one
                    raise RetryableError(f"the contact of {claimed.known.key} is gone") from error
            case UpdateActivity():
                marker = remote.ghl.marker if remote.ghl else None
                return await update_activity(context, claimed.claim, action, emails, marker=marker)
    return None


def _pulled(plan: ActivityPlan, before: Values) -> ActivityPlan:
    """Return a plan without its writes to GHL. The base of the fields not sent stays as it was."""
    sent = {field for action in plan.to_ghl for field in action.values}
    base = {field: value for field, value in plan.base.items() if field not in sent}
    kept = {field: text_of(before, field) for field in sent if field in before}
    return plan.model_copy(update={"to_ghl": (), "base": {**base, **kept}})


def _outcome_of(
    known: ActivityState, plan: ActivityPlan, last: Written[GhlActivity] | None
) -> Outcome:
    did = plan.to_ghl or plan.to_workspace
    asks = any(conflict.winner is None for conflict in plan.conflicts)
    return Outcome(
        what="review" if asks else "applied" if did else "no-op",
        writes=0 if last is None else 1,
        contact_id=known.contact_id,
    )
