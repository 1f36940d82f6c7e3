"""The sentence of one note or task: whoever starts it, it is made level the same way."""

from timerex_ghl.domain.actions import ActivityPlan, CreateActivity, UpdateActivity
from timerex_ghl.domain.activities import ActivityKey, text_of
from timerex_ghl.domain.activity_ghl import GhlActivity
from timerex_ghl.domain.activity_plan import Policy, plan_activity, plan_creation
from timerex_ghl.domain.errors import NotFoundError, RetryableError
from timerex_ghl.domain.models import GhlContactId, Values
from timerex_ghl.engine.activities.claim_activity import (
    NOTHING_SETTLED,
    ActivityClaim,
    ActivityKnown,
    Settlement,
    claimed_activity,
    read_activity,
)
from timerex_ghl.engine.activities.commit_activity import LevelledActivity, remember_activity
from timerex_ghl.engine.activities.delete_activity import delete_here, delete_there, keep_apart
from timerex_ghl.engine.activities.dry_run import NOTHING, show_plan
from timerex_ghl.engine.activities.read_remote import Theirs, emails_for, read_theirs
from timerex_ghl.engine.activities.write_activity import Emails, create_activity, update_activity
from timerex_ghl.engine.contact import carry_contact
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.outcome import Outcome
from timerex_ghl.engine.write import Written


async def carry_activity(
    sides: Sides,
    key: ActivityKey,
    *,
    preview: bool = False,
    settled: Settlement = NOTHING_SETTLED,
) -> Outcome:
    """Bring one note or task of the workspace and GHL's level.

    Args:
        sides: Both sides.
        key: Which.
        preview: Keep the plan, write nothing.
        settled: Conflicts that a person settled.

    Raises:
        ReviewNeededError: Only a person can tell whose it is in GHL.
        ScopeError: GHL's share may not be written; the workspace has got its own.
    """
    if not sides.settings.activities.mirrors:
        return Outcome(what="ignored")
    if not await _bring_person(sides, key, preview=preview):
        return NOTHING
    async with claimed_activity(sides, key) as claim:
        if claim is None or not claim.known.has_person:
            return NOTHING
        claim.hold.settled = settled
        return await _bring_level(sides, claim, preview=preview)


async def _bring_level(sides: Sides, claim: ActivityClaim, *, preview: bool) -> Outcome:
    key, delete = claim.known.key, claim.known.delete
    if delete is not None and delete.state == "kept":
        return await keep_apart(sides, claim)
    emails = await emails_for(sides, key.kind)
    theirs = await read_theirs(sides, claim.known, emails)
    if claim.known.row.deleted:
        return await delete_there(sides, claim, theirs, preview=preview)
    if theirs.link is not None and theirs.ghl is None:
        return await delete_here(sides, claim, theirs.link, preview=preview)
    plan = _plan(sides, claim, theirs, emails)
    if preview:
        return await show_plan(sides, str(key), plan)
    return await _apply(sides, claim, theirs, plan, emails)


async def _bring_person(sides: Sides, key: ActivityKey, *, preview: bool) -> bool:
    """See that the person whose it is has a contact in GHL; False where there is nothing to do."""
    known = await sides.ledger.read(read_activity, sides.connection, key)
    if known is None or not known.has_person:
        return False
    if known.contact_id is not None:
        return True
    if known.row.deleted or preview:
        return False
    await carry_contact(sides, known.row.contact_id, asks=True)
    return True


def _plan(sides: Sides, claim: ActivityClaim, theirs: Theirs, emails: Emails) -> ActivityPlan:
    known, settled = claim.known, claim.hold.settled
    users = {email for email in emails.values() if email}
    policy = Policy(sides.settings.activities.rule, users, settled.fields)
    contact_id = known.contact_id or GhlContactId("")
    if theirs.ghl is None:
        return plan_creation(known.row, contact_id, policy)
    base = theirs.link.base.values if theirs.link and theirs.link.base else None
    return plan_activity(known.row, theirs.ghl, base, contact_id, policy)


async def _apply(
    sides: Sides, claim: ActivityClaim, theirs: Theirs, plan: ActivityPlan, emails: Emails
) -> Outcome:
    """Carry a plan out on both sides, and remember what they agree on now.

    Raises:
        ScopeError: The token lacks the right to write to GHL.
    """
    hold, known = claim
    refusal = sides.ghl.refusal_of(plan.to_ghl[0].kind) if plan.to_ghl else None
    if refusal is not None:
        if theirs.ghl is not None and plan.to_workspace:
            base = theirs.link.base.values if theirs.link and theirs.link.base else {}
            plan = _pulled(plan, base)
            pulled = LevelledActivity(hold, known, plan, theirs.ghl, None, is_level=False)
            await sides.ledger.write(remember_activity, sides, pulled, sides.now())
            hold.released = True
        raise refusal
    last = await _send(sides, claim, theirs, plan, emails)
    ghl = theirs.ghl if last is None else last.record
    if ghl is None:
        raise AssertionError("what GHL does not have is planned there")
    levelled = LevelledActivity(hold, known, plan, ghl, last)
    await sides.ledger.write(remember_activity, sides, levelled, sides.now())
    hold.released = True
    if last is not None:
        sides.failpoint(last.action.kind, "after-outcome")
    return _outcome_of(known, plan, last)


async def _send(
    sides: Sides, claim: ActivityClaim, theirs: Theirs, plan: ActivityPlan, emails: Emails
) -> Written[GhlActivity] | None:
    for action in plan.to_ghl:
        match action:
            case CreateActivity():
                try:
                    return await create_activity(sides, claim.hold, action, emails)
                except NotFoundError as error:  # it may have been merged into another one
                    raise RetryableError(f"the contact of {claim.known.key} is gone") from error
            case UpdateActivity():
                marker = theirs.ghl.marker if theirs.ghl else None
                return await update_activity(sides, claim.hold, action, emails, marker=marker)
    return None


def _pulled(plan: ActivityPlan, before: Values) -> ActivityPlan:
    """Give the part of a plan that writes nothing to GHL: of the rest the base stays as it was."""
    sent = {field for action in plan.to_ghl for field in action.values}
    base = {field: value for field, value in plan.base.items() if field not in sent}
    kept = {field: text_of(before, field) for field in sent if field in before}
    return plan.model_copy(update={"to_ghl": (), "base": {**base, **kept}})


def _outcome_of(
    known: ActivityKnown, plan: ActivityPlan, last: Written[GhlActivity] | None
) -> Outcome:
    did = plan.to_ghl or plan.to_workspace
    asks = any(conflict.winner is None for conflict in plan.conflicts)
    return Outcome(
        what="review" if asks else "applied" if did else "no-op",
        writes=0 if last is None else 1,
        contact_id=known.contact_id,
    )
