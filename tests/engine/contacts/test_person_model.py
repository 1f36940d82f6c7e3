"""Whatever happens to people on either side: no edit, person or booking is lost, or there twice.

Each example is a story of bookings, edits, merges and deletes, with lost webhooks and lost
answers, on a real ledger and the real sandbox. It is checked after each step
(`tests/engine/person_model.py`), and once everything was processed and swept.
"""

import asyncio
import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import Connection, select, text

from tests.engine.activities.test_activity_sweeps import sweep
from tests.engine.person_steps import StoryOfPeople, stories
from tests.engine.person_story import PersonStory
from tests.engine.person_world import (
    FIELDS,
    TAGS,
    CrmContact,
    emails_of,
    opened_people,
    value_here,
    value_in_crm,
)
from tests.engine.world import NAME
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.bookings import bookings_of
from timerex_ghl.adapters.ledger.tables.inbox.inbox import events
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.bookings.guest_plan import plan_booking_tags
from timerex_ghl.domain.bookings.note_text import booking_of
from timerex_ghl.domain.shared.models import ContactId, EventId, FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.bookings.pending_moves import MOVE_CHECK
from timerex_ghl.engine.contacts.pull_contacts import Scope
from timerex_ghl.engine.writes.recovery import LOOK_AGAIN
from timerex_ghl.sandbox.server import running_sandbox

FINAL = {"applied", "no-op", "superseded", "ignored"}
MOVES_ARE_LOST = timedelta(minutes=16)


class StoredEvent(NamedTuple):
    """An inbox event, and how it ended."""

    id: EventId
    type: str
    state: str
    record: RecordRef
    error: str | None


async def come_to_rest(story: PersonStory, name: str) -> None:
    """Process and sweep until nothing is pending, and check the moves."""
    people = story.people
    await people.world.ask("DELETE", "/ghl/faults")
    for number in range(3):
        await people.process()
        await people.advance(LOOK_AGAIN if number else MOVES_ARE_LOST)
        await people.world.sync(Scope.FULL, scan=f"{name} {number}")
        await sweep(people.acts, f"{name} {number}")
    await people.process()
    story.model.step += 1
    await story.observe(is_synced=True)


async def check(story: PersonStory) -> None:
    asked = await story.people.ledger.read(reviews.open_reviews, NAME)
    await check_people(story, asked)
    check_conflicts(story, asked)
    await check_bookings(story, asked)
    if not story.model.has_moved:
        await check_booking_tags(story, asked)
    await check_events(story, asked)
    await story.people.world.calls()
    await come_to_rest(story, "again")
    writes = await story.people.world.writes()
    assert writes == [], "a second run writes nothing"


async def check_people(story: PersonStory, asked: list[Review]) -> None:
    """Check that everybody is the same on both sides, or a person is asked about them."""
    scene = story.model.scene
    about = {one for review in asked for one in review.record_ids}
    pairs = dict(scene.pairs())
    for contact_id in scene.here:
        assert contact_id in pairs or contact_id in about, f"{contact_id} is not in GHL"
    for ghl_id in scene.crm:
        is_linked = ghl_id in scene.links.values()
        assert is_linked or ghl_id in about, f"GHL contact {ghl_id} is not in the workspace"
    for review in asked:  # everybody in a story has an e-mail or a phone
        assert review.kind != "no-key", f"{review.subject} is asked about for want of a key"
        is_there = review.subject.kind == "contact" and review.subject.id in pairs
        assert review.kind != "gone" or not is_there, f"{review.subject} is not gone any more"
    whole = {one for review in asked if review.kind != "conflict" for one in review.record_ids}
    for contact_id, ghl_id in pairs.items():
        link = await story.people.ledger.read(links.link_of_local, NAME, "contact", contact_id)
        for name in (*FIELDS, *TAGS):
            row, contact = scene.here[contact_id], scene.crm[ghl_id]
            is_same = (contact_id, name) in story.model.agreed and (
                story.model.agreed[contact_id, name].step == story.model.step
            )
            question = RecordRef.contact(contact_id, FieldName(name))
            is_shown = link is not None and FieldName(name) in link.differences
            assert (
                is_same
                or is_shown
                or question in {review.subject for review in asked}
                or not whole.isdisjoint({contact_id, ghl_id})
            ), f"{name} is {value_here(row, name)} here, {value_in_crm(contact, name)} in GHL"


def check_conflicts(story: PersonStory, asked: list[Review]) -> None:
    """Check that a person is asked only about a field that both sides changed."""
    pairs = dict(story.model.scene.pairs())
    for review in asked:
        contact_id = ContactId(review.subject.id)
        is_watched = review.subject.field in {*FIELDS, *TAGS}
        if review.kind == "conflict" and contact_id in pairs and is_watched:
            ghl_id, name = pairs[contact_id], str(review.subject.field)
            is_right = story.model.may_be_asked(contact_id, ghl_id, name)
            assert is_right, f"{name} of {contact_id} is asked about, and one side changed it"


async def check_bookings(story: PersonStory, asked: list[Review]) -> None:
    """Check that a chain of bookings is one note or appointment, on a contact of its guest."""
    scene, stored = story.model.scene, await story.people.ledger.read(stored_events)
    keys_of = {one.id: one.keys for one in story.bookings}
    for find in (notes_of, appointments_of):
        found: Counter[str] = Counter()
        for contact in scene.crm.values():
            root_ids = await find(story, contact)
            found.update(root_ids)
            addresses = story.model.addresses[contact["id"]] | {
                str(value_here(scene.here[contact_id], name))
                for contact_id, ghl_id in scene.pairs()
                if ghl_id == contact["id"]
                for name in ("email", "phone")
            }
            for root_id in root_ids:
                keys = keys_of[root_id]
                assert keys & addresses, f"a booking of {keys} is on {emails_of(contact)}"
        assert set(found.values()) <= {1}, f"a booking is there several times: {found}"
        story.shown |= found.keys()
    waiting = {event for review in asked for event in review.events}
    asked_about = {one.record.id for one in stored if one.id in waiting}
    done = {one.record.id for one in stored if one.state == "applied"}
    for booking in story.bookings:
        is_shown = booking.root_id in story.shown
        is_asked = booking.id in asked_about or booking.root_id in asked_about
        assert is_shown or is_asked or booking.id not in done, f"booking {booking.id} is not shown"


async def check_booking_tags(story: PersonStory, asked: list[Review]) -> None:
    """Check that GHL's tags say whether a contact has a booking."""
    scene, settings = story.model.scene, story.people.world.context.settings
    about = {one for review in asked for one in review.record_ids}
    for contact_id, ghl_id in scene.links.items():
        if ghl_id not in scene.crm or not about.isdisjoint({contact_id, ghl_id}):
            continue
        rows = await story.people.ledger.read(bookings_of, NAME, contact_id)
        tags = frozenset(scene.crm[ghl_id]["tags"])
        change = plan_booking_tags(
            [row.booking for row in rows],
            tags,
            booked_tag=settings.booked_tag,
            cancelled_tag=settings.cancelled_tag,
        )
        assert not change, f"{contact_id} has the tags {tags}, but should have {change}"


async def notes_of(_story: PersonStory, contact: CrmContact) -> list[str]:
    """List the chains of bookings that have a note on a GHL contact."""
    written = [booking_of(one["bodyText"]) for one in contact["notes"]]
    return [root_id for root_id in written if root_id]


async def appointments_of(story: PersonStory, contact: CrmContact) -> list[str]:
    """List the chains of bookings that have an appointment of a GHL contact."""
    appointments = await story.people.appointments(contact["id"])
    root_of = {one.id: one.root_id for one in story.bookings}
    found = list[str]()
    for remote_id in appointments:
        linked = await story.people.ledger.read(bookings_shown_by, remote_id)
        assert linked, f"appointment {remote_id} is of no booking"
        found += {root_of[booking_id] for booking_id in linked}
    return found


def bookings_shown_by(tx: Connection, remote_id: str) -> list[str]:
    columns = links.links.c
    wanted = (columns.kind == "appointment", columns.remote_id == remote_id)
    return [*tx.scalars(select(columns.local_id).where(*wanted))]


async def check_events(story: PersonStory, asked: list[Review]) -> None:
    """Check that each event has ended, or waits for exactly one answer."""
    naming = Counter(event for review in asked for event in review.events)
    reviewed = await story.people.ledger.read(all_reviews)
    subjects, kinds = {one for _, one in reviewed}, {kind for kind, _ in reviewed}
    for event in await story.people.ledger.read(stored_events):
        if event.state in FINAL:
            assert not naming[event.id], f"{event} has ended, and still waits for an answer"
            continue
        assert event.state in {"review", "dead"}, f"{event} has not ended"
        assert naming[event.id] <= 1, f"{event} waits for several answers"
        is_explained = (
            naming[event.id]
            or f"event:{event.id}" in subjects
            or (event.type == MOVE_CHECK and str(event.record) in subjects)
            or "conflict" in kinds  # of a contact, which no column of the event names
        )
        assert is_explained, f"{event} waits for nobody's answer"


def stored_events(tx: Connection) -> list[StoredEvent]:
    columns = (events.c[name] for name in StoredEvent._fields)
    rows = tx.execute(select(*columns).where(events.c.connection == NAME).order_by(events.c.seq))
    return [StoredEvent(*row) for row in rows]


def all_reviews(tx: Connection) -> set[tuple[str, str]]:
    """List the kinds and subjects of all reviews, open and resolved."""
    return {
        (kind, subject) for kind, subject in tx.execute(text("SELECT kind, subject FROM reviews"))
    }


async def play(url: str, plan: StoryOfPeople) -> None:
    async with (
        open_ledger(url) as ledger,
        running_sandbox() as info,
        opened_people(
            ledger, info, allow_duplicates=plan.allow_duplicates, has_calendar=plan.has_calendar
        ) as people,
    ):
        story = PersonStory(people)
        for step in plan.steps:
            await story.play(step)
        await come_to_rest(story, "rest")
        await check(story)


def run(template: Path, folder: Path, plan: StoryOfPeople) -> None:
    path = folder / "people.db"
    for backlog in folder.glob("people.db*"):
        backlog.unlink()
    shutil.copy(template, path)
    asyncio.run(play(f"sqlite:///{path}", plan))


RULES = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


@settings(RULES, max_examples=6)  # half a second of processor time each, or more
@given(plan=stories(4, 16))
def test_people_and_bookings_survive_any_story(
    sqlite_template: Path, tmp_path: Path, plan: StoryOfPeople
) -> None:
    run(sqlite_template, tmp_path, plan)


@pytest.mark.slow
@settings(RULES, max_examples=50)  # an example takes a second or two; `make explore` tries more
@given(plan=stories(10, 40))
def test_people_and_bookings_survive_long_stories(
    sqlite_template: Path, tmp_path: Path, plan: StoryOfPeople
) -> None:
    run(sqlite_template, tmp_path, plan)
