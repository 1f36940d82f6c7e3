"""Reconcile one contact: read, plan, write, commit."""

from datetime import timedelta
from functools import partial
from typing import NamedTuple

from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import StoredSnapshot
from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.contacts.contact_merge import apply_change
from timerex_ghl.domain.contacts.contact_plan import (
    as_pulled,
    is_as_planned,
    plan_contact,
    withhold_phone,
)
from timerex_ghl.domain.shared.actions import ContactPlan, WorkspaceChange
from timerex_ghl.domain.shared.errors import DuplicateContactError
from timerex_ghl.domain.shared.models import GhlContact, GhlContactId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.engine.contacts.claim_contact import ContactState
from timerex_ghl.engine.contacts.commit_contact import ContactCommit, commit_contacts, commit_write
from timerex_ghl.engine.contacts.match_contact import Person, read_again, read_ghl
from timerex_ghl.engine.contacts.taken_phone import plan_after_refusal, withhold_taken_phone
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.recovery import recover_unknown
from timerex_ghl.engine.writes.write import Claim, Written, post_outcome, write_contact

SEARCH_LAG = timedelta(minutes=1)
"""A page read this soon after our own write may not show it yet: then we read by id."""


class ReconciledContact(NamedTuple):
    """A contact that is in sync.

    Attributes:
        ghl_id: Its GHL contact; None only in a dry run that would create one.
    """

    outcome: Outcome
    ghl_id: GhlContactId | None

    @property
    def existing_ghl_id(self) -> GhlContactId:
        """Return the GHL contact's id of a run that was not dry."""
        if self.ghl_id is None:
            raise AssertionError("a contact in sync has a GHL contact")
        return self.ghl_id


async def reconcile_contact(
    context: SyncContext,
    claim: Claim,
    known: ContactState,
    *,
    snapshot: StoredSnapshot | None = None,
    dry_run: bool = False,
) -> ReconciledContact:
    """Bring one contact in sync between the workspace and GHL.

    Args:
        context: The connection's clients, ledger and settings.
        claim: The claim on the contact.
        known: The ledger's state of it, from a claim.
        snapshot: Its GHL contact as a page showed it: saves a call where GHL needs no write.
        dry_run: Store the plan, write nothing.

    Raises:
        ReviewNeededError: A person must decide. Nothing was written.
        ScopeError: The token may not write to GHL. The workspace's changes are committed.
    """
    person = known.person
    ghl, plan = await _read_and_plan(context, known, snapshot)
    plan = claim.decision.approve(plan, ghl)
    if dry_run:
        return await _store_plan(context, claim, ghl, plan)
    await _stop_where_refused(context, claim, person, ghl, plan)
    result = await _write(context, claim, person, ghl, plan)
    writes = len(plan.to_ghl)
    did = writes or plan.to_workspace or person.link is None
    outcome = Outcome(what="applied" if did else "no-op", writes=writes, contact_id=result.id)
    if any(conflict.winner is None for conflict in plan.conflicts):
        outcome = outcome.model_copy(update={"what": "review"})
    return ReconciledContact(outcome, result.id)


async def _read_and_plan(
    context: SyncContext, known: ContactState, snapshot: StoredSnapshot | None
) -> tuple[GhlContact | None, ContactPlan]:
    """Read what GHL has, and plan. A plan that writes to GHL is made from a read by id."""
    person = known.person
    if person.link is not None and snapshot is not None and _is_current(person.link, snapshot):
        ghl, from_page = snapshot.contact, True
    else:
        ghl = await read_ghl(context, person, known.candidates)
        from_page = known.candidates is not None
    await recover_unknown(context, known.unknown, ghl)
    plan = _plan(context, person, ghl)
    if ghl is not None and from_page and plan.to_ghl:
        ghl = await read_again(context, person, ghl)
        plan = _plan(context, person, ghl)
    return ghl, await withhold_taken_phone(context, person, ghl, plan)


def _is_current(link: Link, snapshot: StoredSnapshot) -> bool:
    return link.written_at is None or snapshot.read_at - link.written_at > SEARCH_LAG


def _plan(context: SyncContext, person: Person, ghl: GhlContact | None) -> ContactPlan:
    base = person.link.base if person.link else None
    return plan_contact(
        person.row.contact, ghl, base, context.settings.rules, context.settings.region
    )


async def _write(
    context: SyncContext, claim: Claim, person: Person, ghl: GhlContact | None, plan: ContactPlan
) -> GhlContact:
    """Write a plan to the workspace and GHL, and commit the new base.

    A write's outcome is stored in the commit of the next one's intent, that of the last write
    together with the new base.
    """
    before = ghl
    last: Written[GhlContact] | None = None
    for action in plan.to_ghl:
        store_result = partial(commit_write, context, person.row.id)
        previous = None if last is None else post_outcome(context, last, store_result)
        try:
            last = await write_contact(context, claim, action, ghl, previous)
            ghl = last.record
        except DuplicateContactError as refused:
            ghl, plan = await plan_after_refusal(context, person, ghl, plan, refused)
            return await _write(context, claim, person, ghl, plan)
    if ghl is None:
        raise AssertionError("a plan for a contact that GHL lacks creates it there")
    if plan.to_ghl and not is_as_planned(before, plan.to_ghl, ghl):
        plan = _with_what_ghl_added(context, person, ghl, plan)
    commit = ContactCommit(context, claim, person, plan, ghl, last, context.now())
    await context.ledger.write_together(commit_contacts, commit)
    claim.released = claim.releases_on_commit
    if last is not None:
        context.failpoint(last.action.kind, "after-outcome")
    return ghl


async def _stop_where_refused(
    context: SyncContext, claim: Claim, person: Person, ghl: GhlContact | None, plan: ContactPlan
) -> None:
    """Stop a plan that the token may not write; commit the workspace's part of it first.

    Raises:
        ScopeError: The token lacks the right to write to GHL.
    """
    refusal = context.ghl.refusal_of(plan.to_ghl[0].kind) if plan.to_ghl else None
    if refusal is None:
        return
    if ghl is not None:
        await _pull(context, claim, person, ghl, plan)
    raise refusal


async def _pull(
    context: SyncContext, claim: Claim, person: Person, ghl: GhlContact, plan: ContactPlan
) -> None:
    """Commit the workspace's part of a plan."""
    asks = any(conflict.winner is None for conflict in plan.conflicts)
    if person.link is not None and not plan.to_workspace and not asks:
        return
    base = person.link.base if person.link else None
    pulled = as_pulled(plan, base, context.settings.rules)
    commit = ContactCommit(
        context, claim, person, pulled, ghl, None, context.now(), is_in_sync=False
    )
    await context.ledger.write_together(commit_contacts, commit)
    claim.released = claim.releases_on_commit


def _with_what_ghl_added(
    context: SyncContext, person: Person, ghl: GhlContact, plan: ContactPlan
) -> ContactPlan:
    """Add to the plan what GHL filled in by itself, such as the location's country."""
    change = plan.to_workspace
    after = apply_change(person.row.contact, change)
    more = plan_contact(after, ghl, plan.base, context.settings.rules, context.settings.region)
    for taken in plan.withheld:
        more = withhold_phone(more, plan.base, taken)
    if more.to_ghl:  # the contact was changed meanwhile: the next run reconciles that
        return plan
    added = more.to_workspace
    both = WorkspaceChange(
        values={**change.values, **added.values},
        tags_added=change.tags_added | added.tags_added,
        tags_removed=change.tags_removed | added.tags_removed,
    )
    return plan.model_copy(update={"to_workspace": both, "base": more.base})


async def _store_plan(
    context: SyncContext, claim: Claim, ghl: GhlContact | None, plan: ContactPlan
) -> ReconciledContact:
    does = bool(plan.to_ghl or plan.to_workspace)
    if does:
        await context.ledger.write(
            dry_run_plans.save_plan,
            context.connection,
            claim.record_key,
            plan.model_dump(mode="json"),
            context.now(),
        )
    outcome = Outcome(
        what="applied" if does else "no-op",
        writes=len(plan.to_ghl),
        contact_id=ghl.id if ghl else None,
    )
    return ReconciledContact(outcome, ghl.id if ghl else None)
