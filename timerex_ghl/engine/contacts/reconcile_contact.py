"""Reconcile one contact: read, plan, write, commit."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import StoredSnapshot
from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans
from timerex_ghl.adapters.ledger.tables.sync import intents
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.contacts.change_times import (
    ContactTimes,
    GhlReading,
    newer_by_field,
    note_changes,
)
from timerex_ghl.domain.contacts.contact_base import base_after
from timerex_ghl.domain.contacts.contact_plan import as_pulled, is_as_planned, with_answer
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.reviews.chosen_values import check_decision, plan_as_chosen
from timerex_ghl.domain.shared.actions import ContactPlan
from timerex_ghl.domain.shared.errors import (
    DuplicateContactError,
    ReviewNeededError,
    SkippableError,
)
from timerex_ghl.domain.shared.merge_field import Side
from timerex_ghl.domain.shared.models import FieldName, FieldRule, GhlContact, GhlContactId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.engine.contacts.claim_contact import ContactState
from timerex_ghl.engine.contacts.commit_contact import (
    ContactCommit,
    commit_contacts,
    save_link,
)
from timerex_ghl.engine.contacts.match_contact import Person, read_again, read_ghl
from timerex_ghl.engine.contacts.recover_contact import recover_contact, relinked
from timerex_ghl.engine.contacts.taken_phone import answer_refusal, withhold_taken_phone
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.reviews.review_case import NO_DECISION, ReviewDecision
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
    decision: ReviewDecision = NO_DECISION,
    dry_run: bool = False,
) -> ReconciledContact:
    """Bring one contact in sync between the workspace and GHL.

    Args:
        context: The connection's clients, ledger and settings.
        claim: The claim on the contact.
        known: The ledger's state of it, from a claim.
        snapshot: Its GHL contact as a page showed it: saves a call where GHL needs no write.
        decision: A person's, where one was asked; else the fields' rules apply.
        dry_run: Store the plan, write nothing.

    Raises:
        ReviewNeededError: A person must decide. Nothing was written.
        ScopeError: The token may not write to GHL. The workspace's changes are committed.
    """
    work = _Work(context, claim, decision, known.last_reading)
    try:
        return await _reconcile(work, known, snapshot, dry_run=dry_run)
    except (ReviewNeededError, SkippableError) as error:
        error.subject = claim.record_key  # one question, whatever events met it
        raise


async def _reconcile(
    work: "_Work", known: ContactState, snapshot: StoredSnapshot | None, *, dry_run: bool
) -> ReconciledContact:
    context, decision = work.context, work.decision
    person, ghl, plan = await _read_and_plan(work, known, snapshot)
    local, settings = person.row.contact, context.settings
    check_decision(decision.values, plan, local, ghl, settings.rules, settings.region)
    if dry_run:
        return await _store_plan(work, ghl, plan)
    await _stop_where_refused(work, person, ghl, plan)
    result = await _write(work, person, ghl, plan)
    writes = len(plan.to_ghl)
    did = writes or plan.to_workspace or known.person.link is None
    outcome = Outcome(what="applied" if did else "no-op", writes=writes, contact_id=result.id)
    if any(conflict.winner is None for conflict in plan.conflicts):
        outcome = outcome.model_copy(update={"what": "review"})
    return ReconciledContact(outcome, result.id)


class _Work(NamedTuple):
    """A contact that is being reconciled, and the decision about it."""

    context: SyncContext
    claim: Claim
    decision: ReviewDecision
    last_reading: GhlReading | None

    def plan(self, person: Person, ghl: GhlContact | None) -> ContactPlan:
        rules, region = self.rules_of(person), self.context.settings.region
        local, base = person.row.contact, person.base
        newer = None if ghl is None else self.newer_of(person, ghl)
        return plan_as_chosen(local, ghl, base, rules, region, self.decision.values, newer)

    def newer_of(self, person: Person, ghl: GhlContact) -> dict[FieldName, Side]:
        settings = self.context.settings
        changed = note_changes(self.last_reading, ghl.values, self.context.now())
        times = ContactTimes(person.row.changed_at, changed, ghl.created_at)
        remote = map_from_ghl(ghl, settings.rules)
        return newer_by_field(
            times, person.row.contact, remote, settings.rules, settings.newest_tolerance
        )

    def rules_of(self, person: Person) -> Sequence[FieldRule]:
        """Return the fields to reconcile: of a tombstone none, only the tags of its bookings."""
        return () if person.row.deleted else self.context.settings.rules

    async def commit(self, commit: ContactCommit) -> None:
        await self.context.ledger.write_together(commit_contacts, commit)
        self.claim.released = self.claim.releases_on_commit


async def _read_and_plan(
    work: _Work, known: ContactState, snapshot: StoredSnapshot | None
) -> tuple[Person, GhlContact | None, ContactPlan]:
    """Read what GHL has, and plan. A plan that writes to GHL is made from a read by id."""
    context, person = work.context, known.person
    if person.link is not None and snapshot is not None and _is_current(person.link, snapshot):
        ghl, from_page = snapshot.contact, True
    else:
        ghl = await read_ghl(context, person, known.candidates)
        from_page = known.candidates is not None
    person = await recover_contact(context, person, known.unknown, ghl)
    plan = work.plan(person, ghl)
    if ghl is not None and from_page and plan.to_ghl:
        ghl = await read_again(context, person, ghl)
        plan = work.plan(person, ghl)
    return person, ghl, await withhold_taken_phone(context, person, ghl, plan)


def _is_current(link: Link, snapshot: StoredSnapshot) -> bool:
    return link.written_at is None or snapshot.read_at - link.written_at > SEARCH_LAG


async def _write(
    work: _Work, person: Person, ghl: GhlContact | None, plan: ContactPlan
) -> GhlContact:
    """Write a plan to the workspace and GHL, and commit the new base.

    A write's outcome and the base that follows from it are stored in the commit of the next one's
    intent, those of the last write with the rest.
    """
    context, before = work.context, ghl
    last: Written[GhlContact] | None = None
    for action in plan.to_ghl:
        previous = None
        if last is not None and person.link is not None:
            previous = post_outcome(context, last, partial(save_link, person.link))
        try:
            last = await write_contact(context, work.claim, action, ghl, previous)
            ghl, base = last.record, base_after(person.base, action)
            person = relinked(context, person, ghl.id, base, context.now())
        except SkippableError as refused:
            return await _write_after_refusal(work, person, ghl, plan, refused)
    if ghl is None:
        raise AssertionError("a plan for a contact that GHL lacks creates it there")
    if plan.to_ghl and not is_as_planned(before, plan.to_ghl, ghl):
        rules, region = work.rules_of(person), context.settings.region
        plan = with_answer(plan, person.row.contact, ghl, rules, region)
    await work.commit(
        ContactCommit(context, work.claim, person, plan, ghl, last, context.now(), work.decision)
    )
    if last is not None:
        context.failpoint(last.action.kind, "after-outcome")
    return ghl


async def _write_after_refusal(
    work: _Work,
    person: Person,
    ghl: GhlContact | None,
    plan: ContactPlan,
    refused: SkippableError,
) -> GhlContact:
    """Go on without a taken phone, or with the contact that exists, or was made all the same.

    Raises:
        SkippableError: None of these.
        ReviewNeededError: Another contact is in the way.
    """
    context = work.context
    if isinstance(refused, DuplicateContactError):
        answer = await answer_refusal(context, person, ghl, plan, refused)
        if isinstance(answer, ContactPlan):
            return await _write(work, person, ghl, answer)
        ghl = answer
    else:
        made = await read_ghl(context, person) if ghl is None else None
        if made is None:
            raise refused
        keys = [work.claim.record_key]
        unknown = await context.ledger.read(intents.open_intents, context.connection, keys)
        person, ghl = await recover_contact(context, person, unknown, made), made
    again = await withhold_taken_phone(context, person, ghl, work.plan(person, ghl))
    return await _write(work, person, ghl, again)


async def _stop_where_refused(
    work: _Work, person: Person, ghl: GhlContact | None, plan: ContactPlan
) -> None:
    """Stop a plan that the token may not write; commit the workspace's part of it first.

    Raises:
        ScopeError: The token lacks the right to write to GHL.
    """
    refusal = work.context.ghl.refusal_of(plan.to_ghl[0].kind) if plan.to_ghl else None
    if refusal is None:
        return
    if ghl is not None:
        await _pull(work, person, ghl, plan)
    raise refusal


async def _pull(work: _Work, person: Person, ghl: GhlContact, plan: ContactPlan) -> None:
    """Commit the workspace's part of a plan."""
    asks = any(conflict.winner is None for conflict in plan.conflicts)
    if person.link is not None and not plan.to_workspace and not asks:
        return
    pulled = as_pulled(plan, person.base)
    now = work.context.now()
    await work.commit(
        ContactCommit(
            work.context,
            work.claim,
            person,
            pulled,
            ghl,
            None,
            now,
            work.decision,
            is_in_sync=False,
        )
    )


async def _store_plan(work: _Work, ghl: GhlContact | None, plan: ContactPlan) -> ReconciledContact:
    context = work.context
    does = bool(plan.to_ghl or plan.to_workspace)
    if does:
        await context.ledger.write(
            dry_run_plans.save_plan,
            context.connection,
            work.claim.record_key,
            plan.model_dump(mode="json"),
            context.now(),
        )
    outcome = Outcome(
        what="applied" if does else "no-op",
        writes=len(plan.to_ghl),
        contact_id=ghl.id if ghl else None,
    )
    return ReconciledContact(outcome, ghl.id if ghl else None)
