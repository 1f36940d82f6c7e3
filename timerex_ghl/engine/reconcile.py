"""Bring one person level on both sides: read, decide, write, remember."""

from datetime import timedelta
from functools import partial
from typing import NamedTuple

from timerex_ghl.adapters.ledger import dry_run_plans
from timerex_ghl.adapters.ledger.ghl_contacts import Seen
from timerex_ghl.adapters.ledger.links import Link
from timerex_ghl.domain.actions import ContactPlan, WorkspaceChange
from timerex_ghl.domain.errors import DuplicateContactError, ReviewNeededError
from timerex_ghl.domain.merge import apply_change
from timerex_ghl.domain.models import GhlContact, GhlContactId
from timerex_ghl.domain.plan import as_pulled, is_as_planned, plan_contact
from timerex_ghl.engine.claim import Known
from timerex_ghl.engine.commit import Levelled, remember_level, remember_write
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.match_contact import Person, adopt, read_again, read_ghl
from timerex_ghl.engine.outcome import Outcome
from timerex_ghl.engine.recover import settle_unknown
from timerex_ghl.engine.write import Hold, Written, post_outcome, write_contact

SEARCH_LAG = timedelta(minutes=1)
"""A page read this soon after a write of ours may not show it yet: then we read by id."""


class Level(NamedTuple):
    """A person who is level.

    Attributes:
        ghl_id: Their GHL contact; None only in a preview of a contact still to be made.
    """

    outcome: Outcome
    ghl_id: GhlContactId | None

    @property
    def known_ghl_id(self) -> GhlContactId:
        """Hand out the contact's id where something was applied."""
        if self.ghl_id is None:
            raise AssertionError("a person who is level has a GHL contact")
        return self.ghl_id


async def bring_level(
    sides: Sides,
    hold: Hold,
    known: Known,
    *,
    seen: Seen | None = None,
    preview: bool = False,
) -> Level:
    """Bring one person level on both sides.

    Args:
        sides: Both sides.
        hold: The person, locked.
        known: What the ledger knows of them, from a claim.
        seen: Their contact as a page showed it: saves a call where nothing is written to GHL.
        preview: Keep the plan, write nothing.

    Raises:
        ReviewNeededError: Only a person can tell what to do. Nothing was written.
        ScopeError: GHL's share may not be written; the workspace has got its own.
    """
    person = known.person
    ghl, plan = await _decide(sides, known, seen)
    plan = hold.decided.approve(plan, ghl)
    if preview:
        return await _keep_preview(sides, hold, ghl, plan)
    await _stop_where_refused(sides, hold, person, ghl, plan)
    level = await _write(sides, hold, person, ghl, plan)
    writes = len(plan.to_ghl)
    did = writes or plan.to_workspace or person.link is None
    outcome = Outcome(what="applied" if did else "no-op", writes=writes, contact_id=level.id)
    if any(conflict.winner is None for conflict in plan.conflicts):
        outcome = outcome.model_copy(update={"what": "review"})
    return Level(outcome, level.id)


async def _decide(
    sides: Sides, known: Known, seen: Seen | None
) -> tuple[GhlContact | None, ContactPlan]:
    """Read what GHL has, and plan. A plan that writes to GHL is made from a read by id."""
    person = known.person
    if person.link is not None and seen is not None and _is_current(person.link, seen):
        ghl, from_page = seen.contact, True
    else:
        ghl = await read_ghl(sides, person, known.candidates)
        from_page = known.candidates is not None
    await settle_unknown(sides, known.unknown, ghl)
    plan = _plan(sides, person, ghl)
    if ghl is not None and from_page and plan.to_ghl:
        ghl = await read_again(sides, person, ghl)
        plan = _plan(sides, person, ghl)
    return ghl, plan


def _is_current(link: Link, seen: Seen) -> bool:
    return link.written_at is None or seen.seen_at - link.written_at > SEARCH_LAG


def _plan(sides: Sides, person: Person, ghl: GhlContact | None) -> ContactPlan:
    base = person.link.base if person.link else None
    return plan_contact(person.row.contact, ghl, base, sides.settings.rules, sides.settings.region)


async def _write(
    sides: Sides, hold: Hold, person: Person, ghl: GhlContact | None, plan: ContactPlan
) -> GhlContact:
    """Carry a plan out on both sides, and remember what they agree on now.

    A write's outcome is noted in the commit of the next one's intent, and that of the last write
    together with what both sides agree on then.
    """
    before = ghl
    last: Written[GhlContact] | None = None
    for action in plan.to_ghl:
        remember = partial(remember_write, sides, person.row.id)
        noting = None if last is None else post_outcome(sides, last, remember)
        try:
            last = await write_contact(sides, hold, action, ghl, noting)
            ghl = last.record
        except DuplicateContactError as refused:
            if ghl is not None:
                raise ReviewNeededError(
                    str(refused),
                    kind="identity",
                    people=[hold.contact_id],
                    ghl_ids=[refused.contact_id],
                ) from refused
            existing = await sides.ghl.get_contact(GhlContactId(refused.contact_id))
            ghl = await adopt(sides, person, existing)
            return await _write(sides, hold, person, ghl, _plan(sides, person, ghl))
    if ghl is None:
        raise AssertionError("a person without a GHL contact is planned one")
    if plan.to_ghl and not is_as_planned(before, plan.to_ghl, ghl):
        plan = _with_what_ghl_added(sides, person, ghl, plan)
    levelled = Levelled(sides, hold, person, plan, ghl, last, sides.now())
    await sides.ledger.write_together(remember_level, levelled)
    hold.released = hold.lets_go
    if last is not None:
        sides.failpoint(last.action.kind, "after-outcome")
    return ghl


async def _stop_where_refused(
    sides: Sides, hold: Hold, person: Person, ghl: GhlContact | None, plan: ContactPlan
) -> None:
    """Let a plan through that may be written; of another one the workspace gets its share.

    Raises:
        ScopeError: The token lacks the right to write to GHL.
    """
    refusal = sides.ghl.refusal_of(plan.to_ghl[0].kind) if plan.to_ghl else None
    if refusal is None:
        return
    if ghl is not None:
        await _pull(sides, hold, person, ghl, plan)
    raise refusal


async def _pull(
    sides: Sides, hold: Hold, person: Person, ghl: GhlContact, plan: ContactPlan
) -> None:
    """Bring the workspace its share."""
    asks = any(conflict.winner is None for conflict in plan.conflicts)
    if person.link is not None and not plan.to_workspace and not asks:
        return
    base = person.link.base if person.link else None
    pulled = as_pulled(plan, base, sides.settings.rules)
    levelled = Levelled(sides, hold, person, pulled, ghl, None, sides.now(), is_level=False)
    await sides.ledger.write_together(remember_level, levelled)
    hold.released = hold.lets_go


def _with_what_ghl_added(
    sides: Sides, person: Person, ghl: GhlContact, plan: ContactPlan
) -> ContactPlan:
    """Take over what GHL filled in by itself while it wrote, such as the location's country."""
    change = plan.to_workspace
    after = apply_change(person.row.contact, change)
    more = plan_contact(after, ghl, plan.base, sides.settings.rules, sides.settings.region)
    if more.to_ghl:  # somebody else was at it: the next look settles that
        return plan
    added = more.to_workspace
    both = WorkspaceChange(
        values={**change.values, **added.values},
        tags_added=change.tags_added | added.tags_added,
        tags_removed=change.tags_removed | added.tags_removed,
    )
    return plan.model_copy(update={"to_workspace": both, "base": more.base})


async def _keep_preview(
    sides: Sides, hold: Hold, ghl: GhlContact | None, plan: ContactPlan
) -> Level:
    does = bool(plan.to_ghl or plan.to_workspace)
    if does:
        await sides.ledger.write(
            dry_run_plans.save_preview,
            sides.connection,
            hold.record_key,
            plan.model_dump(mode="json"),
            sides.run_id or "",
            sides.now(),
        )
    outcome = Outcome(
        what="applied" if does else "no-op",
        writes=len(plan.to_ghl),
        contact_id=ghl.id if ghl else None,
    )
    return Level(outcome, ghl.id if ghl else None)
