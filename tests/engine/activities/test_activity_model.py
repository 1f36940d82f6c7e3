"""Whatever people do, and in whatever order webhooks arrive or get lost, both sides agree.

Each example is a sequence of edits to contacts, notes and tasks on both sides, with lost webhooks
and lost answers, on a real ledger and the real sandbox. Then everything is processed and swept,
and both sides are compared.
"""

import asyncio
import shutil
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from tests.engine.activities.test_activity_sweeps import sweep
from tests.engine.activity_story import (
    OPERATIONS,
    PEOPLE,
    STEPS,
    ActivityStory,
    Step,
    serial_of,
    stories_of_one,
)
from tests.engine.activity_world import NAME, ActivityWorld, opened_activities
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.domain.activities.activity_fields import (
    COMPLETED,
    KINDS,
    TEXT,
    TITLE,
    ActivityKind,
)
from timerex_ghl.domain.shared.models import FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.writes.recovery import LOOK_AGAIN
from timerex_ghl.sandbox.server import running_sandbox

EMAIL, CITY = FieldName("email"), FieldName("city")


async def come_to_rest(story: ActivityStory) -> None:
    """Process and sweep until nothing is left to do."""
    await story.acts.world.ask("DELETE", "/ghl/faults")
    for number in range(3):
        await story.acts.process_all()
        story.acts.world.clock.advance(LOOK_AGAIN)
        await story.acts.world.sync(scan=f"rest {number}")
        await sweep(story.acts, f"rest {number}")
    await story.acts.process_all()


async def check(story: ActivityStory) -> None:
    acts = story.acts
    for kind in KINDS:
        here = Counter(await standing_here(acts, kind))
        there = Counter(await standing_there(acts, kind))
        assert here == there, "both sides agree"
        serials = Counter(serial_of(one[1]) for one in here.elements())
        assert set(serials.values()) <= {1}, "nothing exists twice"
        alive = {*story.written[kind]} - story.deleted
        assert alive <= set(serials) <= alive | story.unheard, (
            "deleted records stay deleted, and nothing else is lost"
        )
    asked = {one.subject for one in await acts.ledger.read(reviews.open_of, NAME, "conflict")}
    for number, contact_id in enumerate(story.people):
        city = (await acts.world.here(contact_id)).contact.values.get(CITY)
        same = city == (await acts.world.one_in_crm(PEOPLE[number])).get("city")
        assert same or RecordRef.contact(contact_id, CITY) in asked, (
            "both sides agree, or a person is asked: which of two edits is newer is unknown"
        )
    assert await outcomes(acts, "done") <= await written(acts) <= await outcomes(acts, "sent"), (
        "every write has its intent"
    )
    await acts.calls()
    await come_to_rest(story)
    assert await acts.writes() == [], "a second run writes nothing"


async def standing_here(acts: ActivityWorld, kind: ActivityKind) -> list[tuple[str, str, str]]:
    rows = await acts.all_here(kind)
    emails = {
        row.contact_id: str((await acts.world.here(row.contact_id)).contact.values[EMAIL])
        for row in rows
    }
    return [
        (
            emails[row.contact_id],
            str(row.values[TEXT if kind == "note" else TITLE]),
            row.values.get(COMPLETED) or "",
        )
        for row in rows
    ]


async def standing_there(acts: ActivityWorld, kind: ActivityKind) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for email in PEOPLE:
        if kind == "note":
            said = [
                (str(one["bodyText"]).partition("\n\n[")[0], "") for one in await acts.notes(email)
            ]
        else:
            said = [
                (str(one["title"]), str(one["completed"]).lower())
                for one in await acts.tasks(email)
            ]
        found += [(email, *one) for one in said]
    return found


async def written(acts: ActivityWorld) -> Counter[str]:
    """Count the writes that GHL accepted, by kind. The log has our client's requests only."""
    calls = acts.logged + (await acts.world.ask("GET", "/ghl/calls"))["calls"]
    return Counter(
        OPERATIONS[call["operation"]]
        for call in calls
        if call["operation"] in OPERATIONS and 200 <= call["status"] < 300
    )


async def outcomes(acts: ActivityWorld, which: Literal["done", "sent"]) -> Counter[str]:
    """Count the intents by kind: those that are done, or all that may have reached GHL.

    Where the answer got lost and the value was overwritten since, nothing shows that it arrived.
    """

    def count(tx: Connection) -> Counter[str]:
        rows = tx.execute(
            text("SELECT kind, state, recovered, count(*) FROM intents GROUP BY 1, 2, 3")
        ).all()
        assert not [row for row in rows if row.state == "open"], "every intent has an outcome"
        found: Counter[str] = Counter()
        for kind, state, recovered, number in rows:
            if kind in OPERATIONS.values() and (state == "done" or (which == "sent" and recovered)):
                found[kind] += number
        return found

    return await acts.ledger.read(count)


async def play(url: str, steps: list[Step]) -> None:
    async with (
        open_ledger(url) as ledger,
        running_sandbox() as info,
        opened_activities(ledger, info) as acts,
    ):
        story = ActivityStory(acts)
        for email in PEOPLE:
            story.people.append(await acts.person(email))
        for step in steps:
            note(repr(step))
            await story.play(step)
        await come_to_rest(story)
        await check(story)


def run(template: Path, folder: Path, steps: list[Step]) -> None:
    path = folder / "model.db"
    for backlog in folder.glob("model.db*"):
        backlog.unlink()
    shutil.copy(template, path)
    asyncio.run(play(f"sqlite:///{path}", steps))


RULES = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


@settings(RULES, max_examples=6)  # half a second of processor time each, or more
@given(steps=st.lists(STEPS, min_size=4, max_size=16))
def test_both_systems_agree_after_any_story(
    sqlite_template: Path, tmp_path: Path, steps: list[Step]
) -> None:
    run(sqlite_template, tmp_path, steps)


@pytest.mark.slow
@settings(RULES, max_examples=50)  # an example takes a second or two; `make explore` tries more
@given(steps=st.lists(STEPS, min_size=10, max_size=40))
def test_both_systems_agree_after_long_stories(
    sqlite_template: Path, tmp_path: Path, steps: list[Step]
) -> None:
    run(sqlite_template, tmp_path, steps)


@pytest.mark.slow
@settings(RULES, max_examples=100)  # half a second of processor time each, or more
@given(steps=stories_of_one())
def test_both_systems_agree_whatever_befalls_one_record(
    sqlite_template: Path, tmp_path: Path, steps: list[Step]
) -> None:
    run(sqlite_template, tmp_path, steps)
