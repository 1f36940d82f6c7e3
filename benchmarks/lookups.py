"""Time of the ledger's look-ups by the number of contacts, and of a first sync.

Each table that grows has a row a contact: links, bookings, notes, events, intents, reviews, audit.
A look-up's time is the median of 50, in one transaction, without the way to the reader's thread.
`--people N` measures instead the first sync of N people of the sandbox's GHL into a new ledger.

python -m benchmarks.lookups [--ledger URL] [--people N] [sizes ...]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from benchmarks.harness import ledger_url, machine, median, say, started_sandbox
from tests.adapters.large_ledger import NOW_MS, analyze, fill, fill_shared
from tests.engine.world import NAME, opened_world
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.contacts import changed_contacts, ghl_contacts, kept_apart
from timerex_ghl.adapters.ledger.tables.contacts.contact_pages import (
    WantedContacts,
    page_of_contacts,
)
from timerex_ghl.adapters.ledger.tables.contacts.people import find_people
from timerex_ghl.adapters.ledger.tables.inbox import inbox_lookups
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import intents
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import BookingId, ContactId, GhlContactId
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.pull_contacts import Scope

ROUNDS = 50
PERSON, GHL_ID = ContactId(f"c_{NAME}700"), GhlContactId(f"g_{NAME}700")
KEYS = Keys(f"{NAME}700@hinode.example", "+818010000700")
RECORDS = [RecordRef.contact(PERSON), RecordRef.ghl_contact(GHL_ID)]
FIRST = datetime.fromtimestamp(NOW_MS / 1000, UTC)
"""Before the times of all rows: nothing is missing since then."""


def chain(tx: Connection) -> object:
    """Read a booking and those it was moved from and to."""
    row = bookings.get_booking(tx, NAME, BookingId(f"b_{NAME}700"))
    if row is None:
        raise AssertionError("the booking is in the ledger")
    return bookings.get_chain(tx, NAME, row.booking)


LOOK_UPS: Mapping[str, Callable[[Connection], object]] = {
    "people by e-mail and phone": partial(find_people, connection=NAME, several=[KEYS]),
    "GHL contacts by e-mail and phone": partial(
        ghl_contacts.find_by_keys, connection=NAME, several=[KEYS]
    ),
    "a page of contacts by e-mail": partial(
        page_of_contacts, connection=NAME, wanted=WantedContacts(email=KEYS.email), limit=50
    ),
    "open intents of a contact": partial(
        intents.open_intents, connection=NAME, record_keys=RECORDS[:1]
    ),
    "open intents of a kind": partial(intents.open_of_kind, connection=NAME, kind="contact.create"),
    "a booking's chain": chain,
    "a contact's bookings": partial(bookings.bookings_of, connection=NAME, contact_id=PERSON),
    "pairs kept apart": partial(kept_apart.apart_from, connection=NAME, ghl_ids=[GHL_ID]),
    "events set aside about records": partial(
        inbox_lookups.set_aside, connection=NAME, records=RECORDS
    ),
    "open reviews": partial(reviews.open_reviews, connection=NAME),
    "once a sync: contacts missing in GHL": partial(
        changed_contacts.missing_contacts, connection=NAME, since=FIRST
    ),
    "once a sync: changed contacts": partial(changed_contacts.changed_contacts, connection=NAME),
    "once a sync: changed GHL contacts": partial(ghl_contacts.changed_snapshots, connection=NAME),
}


def time_all(tx: Connection) -> dict[str, float]:
    """Return the median milliseconds of each look-up."""
    return {name: median([_time(tx, work) for _ in range(ROUNDS)]) for name, work in _named()}


def _named() -> list[tuple[str, Callable[[Connection], object]]]:
    return [*LOOK_UPS.items()]


def _time(tx: Connection, work: Callable[[Connection], object]) -> float:
    began = time.perf_counter()
    work(tx)
    return (time.perf_counter() - began) * 1000


def _fill(tx: Connection, size: int) -> None:
    fill(tx, NAME, size)
    fill_shared(tx, size)
    analyze(tx)


async def measure(url: str, size: int) -> None:
    """Fill a new ledger, and time each look-up in it."""
    async with open_ledger(url) as ledger:
        await ledger.write(_fill, size)
        figures: dict[str, Any] = await ledger.read(time_all)
    say(benchmark="lookups", contacts=size, milliseconds=figures, **machine())


async def first_sync(url: str, people: int) -> None:
    """Read everybody from GHL into a new ledger, and add them to the workspace."""
    async with started_sandbox() as stand:
        await stand.api.send("POST", "/ghl/bulk", {"count": people})
        async with open_ledger(url) as ledger, opened_world(ledger, stand.info) as world:
            began, cpu_began = time.perf_counter(), time.process_time()
            await world.sync(Scope.FULL)
            took, cpu = time.perf_counter() - began, time.process_time() - cpu_began
            if len(await world.people()) != people:
                raise AssertionError("not everybody is in the workspace")
    say(benchmark="first_sync", people=people, seconds=round(took, 1), cpu_s=round(cpu, 1))


async def main(url: str | None, people: int | None, sizes: list[int]) -> None:
    """Measure each size in a ledger of its own; one at `url` has to be new, and is used once."""
    with tempfile.TemporaryDirectory() as folder:
        if people is not None:
            await first_sync(url or ledger_url(folder, "first"), people)
            return
        for size in sizes:
            await measure(url or ledger_url(folder, f"of-{size}"), size)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledger")
    parser.add_argument("--people", type=int)
    parser.add_argument("sizes", nargs="*", type=int, default=[1000, 20_000, 50_000])
    given = parser.parse_args()
    asyncio.run(main(given.ledger, given.people, given.sizes))
