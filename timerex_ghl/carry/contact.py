"""The sentence of one contact: whoever starts it, a person is made level the same way."""

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import ghl_contacts, links, previews
from timerex_ghl.adapters.ledger.ghl_contacts import Seen
from timerex_ghl.adapters.ledger.links import Link
from timerex_ghl.carry.level import bring_level
from timerex_ghl.carry.locking import held
from timerex_ghl.carry.names import lock_of_contact, locks_of_keys
from timerex_ghl.carry.outcome import Outcome
from timerex_ghl.carry.person import LookUp, find_in_workspace, read_person
from timerex_ghl.carry.remember import add_from_ghl
from timerex_ghl.carry.sides import Sides, utc_now
from timerex_ghl.carry.write import Hold
from timerex_ghl.sync.identity import keys_of
from timerex_ghl.sync.mapping import map_from_ghl
from timerex_ghl.sync.models import ConnectionName, Contact, ContactId, GhlContactId


async def carry_key(sides: Sides, key: str, *, preview: bool) -> Outcome:
    """Carry one person that `list_changed` named."""
    kind, _, record_id = key.partition(":")
    if kind == "ghl":
        return await carry_ghl_contact(sides, GhlContactId(record_id), preview=preview)
    return await carry_contact(sides, ContactId(record_id), preview=preview)


async def carry_contact(
    sides: Sides, contact_id: ContactId, *, seen: Seen | None = None, preview: bool = False
) -> Outcome:
    """Bring one person of the workspace and their GHL contact level.

    Args:
        sides: Both sides.
        contact_id: The person.
        seen: Their GHL contact as a page showed it.
        preview: Keep the plan, write nothing.
    """
    person = await sides.ledger.read(read_person, sides.connection, contact_id)
    if person is None or person.row.deleted:
        return Outcome(what="no-op")
    keys = keys_of(person.row.contact, sides.settings.region)
    names = [lock_of_contact(sides.connection, contact_id), *locks_of_keys(sides.connection, keys)]
    async with held(sides.ledger, names, run_id=sides.run_id) as fence:
        hold = Hold(contact_id, fence)
        level = await bring_level(sides, hold, LookUp.INDEX, seen=seen, preview=preview)
    return level.outcome


async def carry_ghl_contact(
    sides: Sides, ghl_id: GhlContactId, *, preview: bool = False
) -> Outcome:
    """Bring the workspace level with one contact of GHL, as it was last read."""
    seen, link = await sides.ledger.read(_read_seen, sides.connection, ghl_id)
    if seen is None:
        return Outcome(what="no-op")
    if link is None:
        theirs = map_from_ghl(seen.contact, sides.settings.rules)
        contact_id = await _meet(sides, seen, theirs, preview=preview)
    else:
        contact_id = ContactId(link.local_id)
    if contact_id is None:
        return Outcome(what="applied", contact_id=ghl_id)
    return await carry_contact(sides, contact_id, seen=seen, preview=preview)


async def _meet(sides: Sides, seen: Seen, theirs: Contact, *, preview: bool) -> ContactId | None:
    """Find who of the workspace a contact is, or add them; None when that was all to do."""
    keys = keys_of(theirs, sides.settings.region)
    names = [f"{sides.connection}:ghl:{seen.contact.id}", *locks_of_keys(sides.connection, keys)]
    async with held(sides.ledger, names, run_id=sides.run_id):
        row = await find_in_workspace(sides, keys)
        if row is not None:
            return row.id
        if preview:
            await sides.ledger.write(
                previews.save_preview,
                sides.connection,
                f"ghl:{seen.contact.id}",
                theirs.model_dump(mode="json"),
                sides.run_id or "",
                utc_now(),
            )
        else:
            await sides.ledger.write(add_from_ghl, sides, seen.contact, theirs, utc_now())
    return None


def _read_seen(
    tx: Connection, connection: ConnectionName, ghl_id: GhlContactId
) -> tuple[Seen | None, Link | None]:
    seen = ghl_contacts.get_snapshots(tx, connection, [ghl_id]).get(ghl_id)
    return seen, links.link_of_remote(tx, connection, "contact", ghl_id)
