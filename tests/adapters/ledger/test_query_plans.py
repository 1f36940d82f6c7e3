"""Look-ups do not grow with history: no statement of a hot path reads all rows of a large table."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection

from tests.adapters.large_ledger import LARGE, SMALL, analyze, fill, fill_shared
from tests.adapters.query_plans import Statement, faults_of, statements_recorded, table_of
from tests.deliveries import cancelled, confirmed, moved
from tests.engine.activity_world import ActivityWorld, opened_activities
from tests.engine.calendar_world import opened_calendar
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.activities import discarded_edits
from timerex_ghl.adapters.ledger.tables.activities.activities import WantedActivities
from timerex_ghl.adapters.ledger.tables.activities.activity_pages import page_of_activities
from timerex_ghl.adapters.ledger.tables.bookings import BookingFilter
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts
from timerex_ghl.adapters.ledger.tables.contacts.contact_pages import (
    WantedContacts,
    page_of_contacts,
)
from timerex_ghl.adapters.ledger.tables.housekeeping import forget_history
from timerex_ghl.adapters.ledger.tables.inbox import inbox, inbox_queue, retention
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState
from timerex_ghl.adapters.ledger.tables.operations import audit, review_lookups, reviews
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.adapters.ledger.tables.sync.differences import RecordPlace
from timerex_ghl.domain.activities.activity_fields import ActivityId
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import ContactId, FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.handle_contact import handle_contact_key
from timerex_ghl.engine.contacts.pull_contacts import Scope, list_changed, read_page
from timerex_ghl.engine.process import process_record
from timerex_ghl.orchestration.batches import at_once, each
from timerex_ghl.sandbox.server import running_sandbox
from timerex_ghl.workspace import contact_edits
from timerex_ghl.workspace.edits import Editor

ROWS = {"sqlite": 50_000, "postgresql": 20_000}
"""Rows of the large connection; PostgreSQL takes four times as long to add one."""

SHORT = {
    "ix_inbox_set_aside",
    "ix_inbox_waiting",
    "ix_inbox_waiting_record",
    "ix_intents_open",
    "ix_links_differing",
    "ix_pending_deletes_unapplied",
    "uq_reviews_open",
}
"""Indexes of the few rows that are pending, open or differ."""

IN_ORDER = {
    "ix_audit_connection_id": "the newest entries, as many as are asked for",
    "pk_audit": "the same on PostgreSQL",
}
"""Indexes that are read in their order until a limit is reached, each with what for."""

PENDING = "inbox.state = 'waiting'"
BY_STATE = "ix_inbox_connection_state_seq"
"""An index that finds few events where it is asked for the pending ones."""

UP_TO_A_LIMIT = {
    "SELECT count(*) AS count_1 \nFROM (SELECT": "counts linked notes or tasks up to a limit",
    "DELETE FROM inbox WHERE inbox.seq IN (SELECT": "looks at the oldest events of a state",
    "DELETE FROM locks WHERE locks.name IN (SELECT": "removes some locks that nobody has",
}
"""Beginnings of statements that stop after a fixed number of rows, each with what for."""

HANDLE_CONTACT = partial(handle_contact_key, dry_run=False)


def fill_all(tx: Connection) -> None:
    """Give one connection nearly all rows, and another one a few."""
    rows = ROWS[tx.dialect.name]
    fill(tx, NAME, rows)
    fill(tx, "osaka", 200)
    fill_shared(tx, rows)
    analyze(tx)


def faults(tx: Connection, sent: dict[str, Statement]) -> list[str]:
    """List the faults of statements, each before its text."""
    return [
        f"{fault}: {statement.text}"
        for statement in sent.values()
        if not is_bounded(tx, statement)
        for fault in faults_of(tx, statement, LARGE, short_for(statement))
    ]


def is_bounded(tx: Connection, statement: Statement) -> bool:
    """Return whether a statement stops after a fixed number of rows.

    PostgreSQL reads 20,000 rows once rather than look up the 500 that are to be deleted.
    """
    is_cleaned_up = statement.text.startswith("DELETE") and "LIMIT" in statement.text
    return statement.text.startswith(tuple(UP_TO_A_LIMIT)) or (
        is_cleaned_up and tx.dialect.name == "postgresql"
    )


def short_for(statement: Statement) -> set[str]:
    return {*SHORT, *IN_ORDER} | ({BY_STATE} if PENDING in statement.text else set[str]())


def read_twice(tx: Connection, sent: dict[str, Statement]) -> list[str]:
    """List the tables that a statement reads whole more than once."""
    return [
        f"{table} is read {number} times: {statement.text}"
        for statement in sent.values()
        for table, number in Counter(
            map(table_of, faults_of(tx, statement, LARGE, short_for(statement)))
        ).items()
        if table is not None and number > 1
    ]


async def handle_new(acts: ActivityWorld) -> None:
    """Process all pending events, and look for more as the live worker does."""
    await acts.process_all()
    assert await acts.ledger.read(look, acts.world.clock.now()) == ({}, [], None, [])


def look(tx: Connection, now: datetime) -> tuple[object, ...]:
    return (
        inbox_queue.due_events(tx, [NAME], now, 100),
        inbox_queue.fresh_events(tx, NAME, now, now - timedelta(minutes=1), 50),
        inbox_queue.next_due_at(tx, [NAME], now),
        inbox.waiting_events(tx, NAME, now, fresh_since=now),
    )


async def book(world: World) -> None:
    """Receive a booking, both halves of its move in the wrong order, and its cancellation."""
    old, new = moved("b1", "b2")
    for body in (confirmed(), new, old, cancelled("b2"), confirmed("b3", "other@hinode.example")):
        await world.handle(await world.receive(body))


async def edit_here(acts: ActivityWorld) -> ContactId:
    """Add a contact, and edit it as a person does."""
    world = acts.world
    row = await world.add("hana@kumo.example", first_name="Hana")
    outcome = await process_record(world.context, HANDLE_CONTACT, RecordRef.contact(row.id))
    assert outcome.what == "applied"
    values = {"city": "Nara", "email": "mori@kumo.example", "phone": "+81 90 1234 5602"}
    change = WorkspaceChange(
        values={FieldName(field): value for field, value in values.items()},
        tags_added=frozenset({"vip"}),
    )
    editor, now = Editor(world.context.settings, "cli:anna"), world.clock.now()
    edit = contact_edits.change_contact
    await world.ledger.write(edit, editor, row.id, change, now, versions=None)
    await handle_new(acts)
    return row.id


async def edit_in_ghl(acts: ActivityWorld) -> None:
    """Edit a contact in GHL, add one there, and delete it again."""
    world = acts.world
    await world.edit_crm("mori@kumo.example", city="Kobe")
    await world.ask("POST", "/ghl/contacts", {"firstName": "Aoi", "email": "aoi@kumo.example"})
    await handle_new(acts)
    gone = await world.one_in_crm("aoi@kumo.example")
    await world.ask("DELETE", f"/ghl/contacts/{gone['id']}")
    await handle_new(acts)


async def write_activities(acts: ActivityWorld, contact_id: ContactId) -> None:
    """Write a note and a task, complete the one and delete the other."""
    note = await acts.write("note", contact_id, text="Call back")
    task = await acts.write("task", contact_id, title="Call back")
    await handle_new(acts)
    await acts.edit(task, completed="true")
    await acts.delete(note)
    await handle_new(acts)


async def sync_all(world: World) -> None:
    """Run a full sync of new contacts on both sides; most known ones are gone from GHL."""
    await world.ask("POST", "/ghl/bulk", {"count": 60})
    for number in range(40):
        await world.add(f"new{number}@kumo.example", first_name="New")
    while await read_page(world.context, Scope.FULL, "all"):
        pass
    handle = partial(process_record, world.context, HANDLE_CONTACT)
    outcomes = await each(handle, await list_changed(world.context), at_once(world.context))
    assert sum(outcome.what == "applied" for outcome in outcomes) >= 100


async def compare_all(world: World) -> None:
    """Do what a sync does once, before it handles single records."""
    await list_changed(world.context)
    await world.ledger.write(ghl_contacts.forget_unseen, NAME, world.clock.now())


def clean_up(tx: Connection) -> None:
    """Delete old history in small units of work, as `watch` does."""
    forget_history(tx)
    retention.forget_events(tx, NAME, InboxState.APPLIED)
    locks.forget_idle(tx, retention.HEAD)


def read_pages(tx: Connection) -> None:
    """Read what the API, the command line and an import ask for."""
    person, now = ContactId(f"c_{NAME}7"), datetime.now(UTC)
    page_of_contacts(tx, NAME, WantedContacts(email=f"{NAME}7@hinode.example"), limit=50)
    page_of_contacts(tx, NAME, WantedContacts(phone="+818010000007"), limit=50)
    page_of_contacts(tx, NAME, WantedContacts(), person, 50)
    page_of_activities(tx, NAME, "note", WantedActivities(contact_id=person), None, 50)
    page_of_activities(tx, NAME, "note", WantedActivities(), ActivityId(f"n_{NAME}7"), 50)
    bookings.list_bookings(tx, NAME, BookingFilter(contact_id=person), limit=50)
    bookings.list_bookings(tx, NAME, BookingFilter(starts_from=now - timedelta(days=1)), limit=50)
    audit.entries(tx, NAME, 50)
    audit.entries_about(tx, RecordRef.contact(person))
    audit.entries_of_run(tx, "run7", 50)
    reviews.open_reviews(tx, NAME)
    review_lookups.waiting_events(tx, NAME)
    discarded_edits.list_discarded(tx, NAME, "note", RecordPlace("note", f"n_{NAME}7"), 50)
    discarded_edits.list_discarded(tx, NAME, None, RecordPlace("note", f"n_{NAME}7"), 50)


async def test_no_look_up_grows_with_history(empty_url: str) -> None:
    async with open_ledger(empty_url) as ledger, running_sandbox() as info:
        await ledger.write(fill_all)
        async with opened_activities(ledger, info) as acts, opened_calendar(ledger, info) as dated:
            with statements_recorded() as sent:
                await book(acts.world)
                await book(dated.world)
                contact_id = await edit_here(acts)
                await edit_in_ghl(acts)
                await write_activities(acts, contact_id)
                await ledger.read(read_pages)
                await ledger.write(clean_up)
                await sync_all(acts.world)
            with statements_recorded() as once_a_sync:
                await compare_all(acts.world)
        single = {shape: each for shape, each in sent.items() if shape not in once_a_sync}

        assert await ledger.read(faults, single) == []
        assert await ledger.read(read_twice, once_a_sync) == []
        assert len(single) > 40


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM contacts WHERE version = 7",
        "SELECT * FROM contacts WHERE connection = 'aoba' AND version = 7",
        "SELECT * FROM contacts WHERE connection = 'aoba' ORDER BY updated_at LIMIT 5",
        "UPDATE links SET digest = '' WHERE connection = 'aoba' AND kind = 'note' AND digest = 'x'",
    ],
)
async def test_a_statement_that_reads_a_whole_table_has_a_fault(ledger_url: str, text: str) -> None:
    async with open_ledger(ledger_url) as ledger:
        await ledger.write(fill, NAME, 3000)
        await ledger.write(analyze)

        assert await ledger.read(faults, {text: Statement(text, ())}) != []


def test_every_table_is_large_or_small() -> None:
    assert {*LARGE, *SMALL} == {*metadata.tables}
