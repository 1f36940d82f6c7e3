"""The sentence of one contact: whoever starts it, a person is made level the same way."""

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import dry_run_plans, ghl_contacts
from timerex_ghl.adapters.ledger.ghl_contacts import Seen, Snapshot
from timerex_ghl.domain.errors import NotFoundError
from timerex_ghl.domain.identity import keys_of
from timerex_ghl.domain.mapping import map_from_ghl
from timerex_ghl.domain.models import ContactId, GhlContact, GhlContactId
from timerex_ghl.engine.claim import claimed
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.locking import insist
from timerex_ghl.engine.outcome import Outcome
from timerex_ghl.engine.reconcile import bring_level
from timerex_ghl.engine.resolve_contact import Meeting, meet


async def carry_key(sides: Sides, key: str, *, preview: bool) -> Outcome:
    """Carry one person that `list_changed` named."""
    kind, _, record_id = key.partition(":")
    if kind == "ghl":
        return await carry_ghl_contact(sides, GhlContactId(record_id), preview=preview)
    return await carry_contact(sides, ContactId(record_id), preview=preview)


async def carry_contact(
    sides: Sides,
    contact_id: ContactId,
    *,
    seen: Seen | None = None,
    preview: bool = False,
    asks: bool = False,
) -> Outcome:
    """Bring one person of the workspace and their GHL contact level.

    Args:
        sides: Both sides.
        contact_id: The person.
        seen: Their GHL contact as a page showed it.
        preview: Keep the plan, write nothing.
        asks: GHL is asked for somebody who is not linked yet: outside of a bulk run, the pages that
            were read are old.
    """
    async with claimed(sides, contact_id) as claim:
        if claim is None:
            return Outcome(what="no-op")
        known = claim.known._replace(candidates=None) if asks else claim.known
        level = await bring_level(sides, claim.hold, known, seen=seen, preview=preview)
    return level.outcome


async def carry_ghl_contact(
    sides: Sides, ghl_id: GhlContactId, *, preview: bool = False
) -> Outcome:
    """Bring the workspace level with one contact of GHL, as it was last read."""
    meeting = Meeting(sides, ghl_id, adds=not preview)
    met = await insist(sides.ledger, lambda: sides.ledger.write_together(meet, meeting))
    if met.seen is None:
        return Outcome(what="no-op")
    if met.contact_id is not None:
        return await carry_contact(sides, met.contact_id, seen=met.seen, preview=preview)
    if preview:
        await _keep_preview(sides, met.seen)
    return Outcome(what="applied", contact_id=ghl_id)


async def carry_unknown_contact(sides: Sides, ghl_id: GhlContactId) -> Outcome:
    """Read a contact that is nobody's yet, and find out who it is."""
    try:
        ghl = await sides.ghl.get_contact(ghl_id)
    except NotFoundError:
        await sides.ledger.write(ghl_contacts.forget, sides.connection, ghl_id)
        return Outcome(what="no-op", contact_id=ghl_id)
    await sides.ledger.write(_keep, sides, ghl)
    return await carry_ghl_contact(sides, ghl_id)


def _keep(tx: Connection, sides: Sides, ghl: GhlContact) -> None:
    """Keep a contact as it was just read."""
    theirs = map_from_ghl(ghl, sides.settings.rules)
    snapshot = Snapshot(ghl, keys_of(theirs, sides.settings.region), ghl_contacts.digest_of(theirs))
    ghl_contacts.save_snapshots(tx, sides.connection, [snapshot], sides.now())


async def _keep_preview(sides: Sides, seen: Seen) -> None:
    """Show that somebody would be added to the workspace."""
    theirs = map_from_ghl(seen.contact, sides.settings.rules)
    await sides.ledger.write(
        dry_run_plans.save_preview,
        sides.connection,
        f"ghl:{seen.contact.id}",
        theirs.model_dump(mode="json"),
        sides.run_id or "",
        sides.now(),
    )
