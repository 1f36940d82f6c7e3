"""A contact of GHL meets the workspace: it is somebody's already, somebody's by key, or new."""

from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import ghl_contacts, kept_apart, links, locks
from timerex_ghl.adapters.ledger import workspace as people
from timerex_ghl.adapters.ledger.ghl_contacts import Seen
from timerex_ghl.adapters.ledger.kept_apart import Pair
from timerex_ghl.adapters.ledger.workspace import Keyed
from timerex_ghl.domain.errors import ReviewNeededError
from timerex_ghl.domain.identity import Keys
from timerex_ghl.domain.mapping import map_from_ghl
from timerex_ghl.domain.models import (
    ConnectionName,
    Contact,
    ContactId,
    GhlContact,
    GhlContactId,
    WorkspaceContact,
)
from timerex_ghl.engine.commit import add_rows_from_ghl
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.lock_names import locks_of_keys
from timerex_ghl.engine.locking import Busy
from timerex_ghl.engine.match_contact import choose_row


class Meeting(NamedTuple):
    """A contact of GHL, as it was last read, that may be anybody.

    Attributes:
        adds: One whom the workspace does not know is added to it.
    """

    sides: Sides
    ghl_id: GhlContactId
    adds: bool


class Met(NamedTuple):
    """Who a contact is.

    Attributes:
        seen: As it was last read; None where it never was.
        contact_id: The person of the workspace; None where nobody is, or was added just now.
    """

    seen: Seen | None
    contact_id: ContactId | None


Result = Met | Busy | Exception
New = tuple[WorkspaceContact, GhlContact, Contact]


def meet(tx: Connection, meetings: list[Meeting]) -> list[Result]:
    """Find out who contacts are, and add whom the workspace does not know.

    Somebody whose keys another holder has locked is being carried at this moment: busy.
    """
    met: dict[tuple[ConnectionName, GhlContactId], Result] = {}
    for connection in {meeting.sides.connection for meeting in meetings}:
        here = {each.ghl_id: each for each in meetings if each.sides.connection == connection}
        met |= {(connection, ghl_id): one for ghl_id, one in _meet(tx, connection, here).items()}
    return [met[meeting.sides.connection, meeting.ghl_id] for meeting in meetings]


def _meet(
    tx: Connection, connection: ConnectionName, here: dict[GhlContactId, Meeting]
) -> dict[GhlContactId, Result]:
    seen = ghl_contacts.get_snapshots(tx, connection, here)
    linked = links.links_of_remotes(tx, connection, "contact", here)
    met: dict[GhlContactId, Result] = dict.fromkeys(here, Met(None, None))
    for ghl_id in seen:
        if ghl_id in linked:
            met[ghl_id] = Met(seen[ghl_id], ContactId(linked[ghl_id].local_id))
    strangers = {ghl_id: one for ghl_id, one in seen.items() if ghl_id not in linked}
    return {**met, **_meet_strangers(tx, here, strangers)} if strangers else met


def _meet_strangers(
    tx: Connection, here: dict[GhlContactId, Meeting], strangers: dict[GhlContactId, Seen]
) -> dict[GhlContactId, Result]:
    sides = here[next(iter(strangers))].sides
    names = {i: locks_of_keys(sides.connection, each.keys) for i, each in strangers.items()}
    taken = locks.taken(tx, {name for several in names.values() for name in several})
    known = people.find_by_keys(tx, sides.connection, [each.keys for each in strangers.values()])
    taken_by = _contacts_of(tx, sides.connection, known)
    apart_from = kept_apart.apart_from(tx, sides.connection, strangers)
    now = sides.now()
    new: list[New] = []
    met: dict[GhlContactId, Result] = {}
    for ghl_id, theirs in strangers.items():
        if not taken.isdisjoint(names[ghl_id]):
            met[ghl_id] = Busy(tuple(names[ghl_id]))
            continue
        try:
            others = [one for one in known if Pair(one.row.id, ghl_id) not in apart_from]
            row = _check_free(_find(others, theirs.keys), taken_by)
        except ReviewNeededError as several:
            met[ghl_id] = several
            continue
        met[ghl_id] = Met(theirs, row.id if row else None)
        if row is None and here[ghl_id].adds:
            contact = map_from_ghl(theirs.contact, sides.settings.rules)
            added = people.new_row(contact, now)
            known.append(Keyed(added, theirs.keys))  # the next one may have the same keys
            taken_by[added.id] = ghl_id
            new.append((added, theirs.contact, contact))
    add_rows_from_ghl(tx, sides, new, now)
    return met


def _contacts_of(
    tx: Connection, connection: ConnectionName, known: list[Keyed]
) -> dict[ContactId, str]:
    """Tell who of them is which contact of GHL already."""
    if not known:
        return {}
    linked = links.links_of_locals(tx, connection, "contact", [row.id for row, _ in known])
    return {ContactId(contact_id): link.remote_id for contact_id, link in linked.items()}


def _check_free(
    row: WorkspaceContact | None, taken_by: dict[ContactId, str]
) -> WorkspaceContact | None:
    """Let nobody be two contacts of GHL.

    Raises:
        ReviewNeededError: This person is another contact already.
    """
    if row is not None and row.id in taken_by:
        raise ReviewNeededError(
            f"contact {row.id} has its e-mail or phone, and is GHL contact {taken_by[row.id]}",
            kind="identity",
            people=[row.id],
            ghl_ids=[taken_by[row.id]],
        )
    return row


def _find(known: list[Keyed], keys: Keys) -> WorkspaceContact | None:
    email, phone = keys
    return choose_row(
        [row for row, theirs in known if email is not None and theirs.email == email],
        [row for row, theirs in known if phone is not None and theirs.phone == phone],
    )
