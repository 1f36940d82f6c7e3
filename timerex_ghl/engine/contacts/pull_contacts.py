"""Pull GHL's changed contacts into the ledger, and list all contacts that may differ."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime
from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.contacts import LARGEST_PAGE, ContactPage, SearchAfter
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, withheld_values
from timerex_ghl.adapters.ledger.tables.contacts.changed_contacts import (
    changed_contacts,
    missing_contacts,
)
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import cursors, links
from timerex_ghl.domain.contacts.identity import ghl_keys_of
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, GhlContactId, Record
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.identity_doubts import retry_clear
from timerex_ghl.engine.context import SyncContext

OVERLAP = timedelta(minutes=5)
"""Time that two runs read twice: GHL's search shows a change seconds after it was made."""

TICK = timedelta(milliseconds=1)
"""The resolution of GHL's times."""

CURSOR = "ghl-contacts"


class Scope(StrEnum):
    """How far a run looks back in GHL."""

    INCREMENTAL = "incremental"
    FULL = "full"


class PullPosition(Record):
    """The position of a pull, saved with every page, so that a killed run goes on from it.

    Attributes:
        scan: The run that reads; None between runs.
        scope: The scope of that run. None before the first one.
        since: Contacts changed after this are read; None for all of them.
        newest: The latest change found so far.
        newest_at: When it was first found, by our clock.
        is_caught_up: A scan that began `OVERLAP` after that found nothing newer: GHL's search shows
            all changes until then, and nothing has to be read twice any more.
        began_at: When this scan began, by our clock.
        after: The last contact read, as GHL's search wants it back.
        was_full: All contacts were read at least once.
        whole_at: When the last scan of all contacts began that has ended.
    """

    scan: str | None = None
    scope: Scope | None = None
    since: AwareDatetime | None = None
    newest: AwareDatetime | None = None
    newest_at: AwareDatetime | None = None
    is_caught_up: bool = False
    began_at: AwareDatetime | None = None
    after: SearchAfter | None = None
    was_full: bool = False
    whole_at: AwareDatetime | None = None

    def begin(self, scope: Scope, scan: str, now: datetime) -> "PullPosition":
        """Start a scan, or continue the unfinished one. The first scan is always a full one."""
        full = scope is Scope.FULL or not self.was_full
        if self.scan is not None and (self.scan == scan or not full or self.since is None):
            return self.model_copy(update={"scan": scan})
        since = None
        if not full and self.newest is not None:
            since = self.newest + TICK if self.is_caught_up else self.newest - OVERLAP
        new = {"scan": scan, "scope": scope, "since": since, "after": None, "began_at": now}
        return self.model_copy(update=new)

    def advance(self, page: ContactPage, now: datetime) -> "PullPosition":
        """Move past a page; the last one ends the scan."""
        times = [c.updated_at for c in page.contacts if c.updated_at is not None]
        newest = max((time for time in (*times, self.newest) if time is not None), default=None)
        moved = newest != self.newest
        here = self.model_copy(
            update={
                "newest": newest,
                "newest_at": now if moved else self.newest_at,
                "is_caught_up": self.is_caught_up and not moved,
                "after": page.after,
            }
        )
        return here if page.after is not None else _ended(here)

    @property
    def is_whole(self) -> bool:
        """Return whether this scan reads every contact."""
        return self.since is None


async def read_page(
    context: SyncContext, scope: Scope, scan: str, *, limit: int = LARGEST_PAGE
) -> bool:
    """Read the next page of GHL's changed contacts into the ledger; return whether more follow.

    Args:
        context: The connection's clients, ledger and settings.
        scope: How far to look back, where this begins a scan.
        scan: The run that reads: an unfinished scan of it is continued.
        limit: Contacts on a page.
    """
    saved = await context.ledger.read(cursors.get_cursor, context.connection, CURSOR)
    place = (PullPosition.model_validate_json(saved) if saved else PullPosition()).begin(
        scope, scan, context.now()
    )
    page = await context.ghl.search_contacts(
        updated_since=place.since, after=place.after, limit=limit
    )
    context.failpoint("page", "before-save")
    await context.ledger.write(_save_page, context, page, place, context.now())
    context.failpoint("page", "after-save")
    return page.after is not None


async def list_changed(context: SyncContext, *, dry_run: bool = False) -> list[RecordRef]:
    """List all contacts that may differ: GHL's first, then the workspace's.

    Last come those whose identity is no longer in doubt, unless in a dry run; their reviews close
    as they go through.

    GHL's come first so that a person who is new on both sides is matched before a duplicate is
    created.
    """
    changed = await context.ledger.read(_changed, context.connection, context.published.version)
    if dry_run:
        return changed
    clear = await context.ledger.write(retry_clear, context, context.now())
    return [*dict.fromkeys([*changed, *clear])]


def _ended(place: PullPosition) -> PullPosition:
    """End a scan whose last page was read."""
    began_at, newest_at = place.began_at, place.newest_at
    waited = began_at is not None and newest_at is not None and began_at - newest_at >= OVERLAP
    return place.model_copy(
        update={
            "scan": None,
            "since": None,
            "began_at": None,
            "is_caught_up": place.is_caught_up or waited,
            "was_full": place.was_full or place.is_whole,
            "whole_at": place.began_at if place.is_whole else place.whole_at,
        }
    )


def _save_page(
    tx: Connection, context: SyncContext, page: ContactPage, place: PullPosition, now: datetime
) -> None:
    rows: list[ghl_contacts.Snapshot] = []
    for contact in page.contacts:
        local = map_from_ghl(contact, context.settings.rules)
        keys = ghl_keys_of(contact, local, context.settings.region)
        rows.append(ghl_contacts.Snapshot(contact, keys, ghl_contacts.digest_of(local)))
    ghl_contacts.save_snapshots(tx, context.connection, rows, now)
    if page.after is None and place.is_whole and place.began_at is not None:
        ghl_contacts.forget_unseen(tx, context.connection, place.began_at)
    after = place.advance(page, now)
    cursors.save_cursor(tx, context.connection, CURSOR, after.model_dump_json())


def _changed(tx: Connection, connection: ConnectionName, published_version: int) -> list[RecordRef]:
    remote = ghl_contacts.changed_snapshots(tx, connection)
    local = changed_contacts(tx, connection, published_version)
    freed = withheld_values.list_outdated(tx, connection)
    saved = cursors.get_cursor(tx, connection, CURSOR)
    whole_at = PullPosition.model_validate_json(saved).whole_at if saved else None
    missing = [] if whole_at is None else missing_contacts(tx, connection, whole_at)
    people = dict.fromkeys([*local, *freed, *missing, *_restored(tx, connection)])
    return [*map(RecordRef.ghl_contact, remote), *map(RecordRef.contact, people)]


def _restored(tx: Connection, connection: ConnectionName) -> list[ContactId]:
    """List the contacts that were gone in GHL and were read there since."""
    asked = {
        ContactId(review.subject.id): review.opened_at
        for review in reviews.open_of(tx, connection, "gone")
        if review.subject.kind == "contact"
    }
    linked = links.links_of_locals(tx, connection, "contact", [*asked]) if asked else {}
    ghl_ids = {GhlContactId(link.remote_id): ContactId(one) for one, link in linked.items()}
    snapshots = ghl_contacts.get_snapshots(tx, connection, ghl_ids) if ghl_ids else {}
    return [
        ghl_ids[ghl_id]
        for ghl_id, snapshot in snapshots.items()
        if snapshot.read_at > asked[ghl_ids[ghl_id]]
    ]
