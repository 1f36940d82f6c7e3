"""A ledger of the first revision comes up to this version with all that stood in it."""

from datetime import UTC, datetime
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    insert,
    select,
)

from tests.adapters.ledger.first_rows import AOBA, AT_MS, ENDPOINT, KEY, ROWS
from timerex_ghl.adapters.ledger import (
    audit,
    bookings,
    cursors,
    dry_run_plans,
    ghl_contacts,
    inbox,
    intents,
    links,
    locks,
    published,
    quota,
    reviews,
    tokens,
    workspace,
)
from timerex_ghl.adapters.ledger.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.engine import make_engines
from timerex_ghl.adapters.ledger.migrations import VERSION_TABLE
from timerex_ghl.adapters.ledger.migrations.upgrade import config
from timerex_ghl.adapters.ledger.schema import metadata
from timerex_ghl.domain.identity import Keys
from timerex_ghl.domain.models import BookingId, ContactId, EventId, GhlContactId, LocationId

AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
RIKU = Keys("riku@hinode.example", None)
Rows = dict[str, dict[str, Any]]


def tables(tx: Connection) -> dict[str, Table]:
    found = MetaData()
    found.reflect(tx)
    return {name: table for name, table in found.tables.items() if name != VERSION_TABLE}


def revisions(tx: Connection) -> list[str]:
    """List all revisions, the first one first."""
    walk = ScriptDirectory.from_config(config(tx)).walk_revisions()
    return [each.revision for each in walk][::-1]


def filled(column: Column[Any]) -> object:
    """Give a value that fits a column, also where JSON is wanted."""
    match column.type:
        case Boolean():
            return False
        case Integer() | BigInteger():
            return 1
        case LargeBinary():
            return b"sealed"
        case _:
            return "{}"


def fill(tx: Connection, known: Rows) -> Rows:
    """Put a row into each table that has none known yet; hand back what was put there."""
    new: Rows = {}
    for name, table in tables(tx).items():
        if name not in known:
            new[name] = ROWS.get(name) or {column.name: filled(column) for column in table.columns}
            tx.execute(insert(table).values(new[name]))
    return new


def kept(tx: Connection, rows: Rows) -> Rows:
    """Read these rows back, with the columns they were put in with."""
    here = tables(tx)
    return {
        name: dict(tx.execute(select(*(here[name].c[column] for column in row))).mappings().one())
        for name, row in rows.items()
    }


def fill_first(url: str) -> None:
    """Make a ledger of the first revision, with a row in every table."""
    engines = make_engines(url)
    with engines.writer.begin() as tx:
        command.upgrade(config(tx), "0001")
        assert fill(tx, {}).keys() == ROWS.keys()
    engines.dispose()


async def test_every_row_of_the_first_revision_is_there_and_the_same(empty_url: str) -> None:
    fill_first(empty_url)

    async with open_ledger(empty_url) as ledger:
        assert await ledger.read(kept, ROWS) == ROWS


async def test_rows_survive_each_revision_since_the_one_that_made_their_table(
    empty_url: str,
) -> None:
    """New tables join by themselves; the modules' own column types must read what was stored."""
    rows: Rows = {}
    engines = make_engines(empty_url)
    with engines.writer.begin() as tx:
        for revision in revisions(tx):
            command.upgrade(config(tx), revision)
            rows |= fill(tx, rows)
    with engines.reader.begin() as tx:
        found = kept(tx, rows)
        read = {
            table.name: tx.execute(select(table)).mappings().all()
            for table in metadata.sorted_tables
        }
    engines.dispose()

    assert found == rows
    assert rows.keys() == read.keys()
    assert [name for name, these in read.items() if len(these) != 1] == []


async def test_the_modules_read_what_the_first_revision_kept(empty_url: str) -> None:
    fill_first(empty_url)

    async with open_ledger(empty_url, key=KEY) as ledger:
        await check_people(ledger)
        await check_work(ledger)
        await check_installation(ledger)


async def check_people(ledger: Ledger) -> None:
    ((person,), _) = await ledger.read(workspace.find_contacts, AOBA, RIKU)
    ((remote,), _) = await ledger.read(ghl_contacts.find_snapshots, AOBA, RIKU)
    link = await ledger.read(links.link_of_local, AOBA, "contact", "c_1")
    booking = await ledger.read(bookings.get_booking, AOBA, BookingId("b1"))

    assert (person.id, person.version, person.contact.tags) == (ContactId("c_1"), 3, {"vip"})
    assert (remote.id, remote.values, remote.tags) == (
        GhlContactId("riku1"),
        {"firstName": "陸"},
        None,
    )
    assert link is not None
    assert link.base is not None
    assert (link.remote_id, link.remote_updated_at) == ("riku1", AT)
    assert link.base.values == person.contact.values
    assert booking is not None
    assert (booking.verified, booking.booking.guest_name) == (True, "佐藤 陸")


async def check_work(ledger: Ledger) -> None:
    event = await ledger.read(inbox.read_event, EventId("e_1"))
    (intent,) = await ledger.read(intents.open_intents, AOBA, ["contact:c_1"])
    (review,) = await ledger.read(reviews.open_reviews, AOBA)
    (entry,) = await ledger.read(audit.entries, AOBA, 10)
    plans = await ledger.read(dry_run_plans.read_plans, AOBA, AT)
    fence = await ledger.write(locks.try_lock, ["contact:c_1"], "kana", 5)

    assert event is not None
    assert (event.seq, event.attempts, event.next_at, event.body) == (41, 2, AT, '{"id": "予約"}')
    assert (intent.id, intent.created_at, intent.recovered) == ("i_1", AT, False)
    assert (review.id, review.detail, review.resolved_at) == ("r_1", {"people": ["c_1"]}, None)
    assert (entry.id, entry.at, entry.detail) == (7, AT, {"version": 1})
    assert plans == {"contact:c_1": {"to_ghl": []}}
    assert fence is not None
    assert fence.number == 13


async def check_installation(ledger: Ledger) -> None:
    running = await ledger.read(published.by_endpoint, ENDPOINT)
    pair = await ledger.read(tokens.read_tokens, "app:locAoba", KEY)
    used = await ledger.read(quota.usage, LocationId("locAoba"))

    assert running is not None
    assert (running.version, running.settings.name, running.published_at) == (4, AOBA, AT)
    assert await ledger.read(cursors.get_cursor, AOBA, "ghl-contacts") == '{"was_full":true}'
    assert pair is not None
    assert (pair.version, pair.refresh.get_secret_value()) == (9, "seed-canary")
    assert pair.seeds == {"d1", "d2"}
    assert (used.in_window, used.today) == (1, 150_001)
