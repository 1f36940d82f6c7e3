"""Whatever people do on both sides, in whatever order webhooks come or stay away: both agree.

Each example is a story of edits of contacts, notes and tasks on both sides, with webhooks that get
lost and answers that never come, on a real ledger and the real sandbox. Then everything is carried
and swept, and it is looked at what stands where.
"""

import asyncio
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from tests.carry.activity_world import DUE, ActivityWorld, opened_activities
from tests.carry.test_activity_sweeps import sweep
from timerex_ghl.adapters.ledger.core import open_ledger
from timerex_ghl.carry import activity_read, recover
from timerex_ghl.sandbox.server import running_sandbox
from timerex_ghl.sync.activities import COMPLETED, KINDS, TEXT, TITLE, ActivityKey, ActivityKind
from timerex_ghl.sync.models import ContactId, FieldName

EMAIL = FieldName("email")
PEOPLE = ("riku@hinode.example", "hana@hinode.example")
CITIES = ("Osaka", "Kyoto", "Nara")
OPERATIONS = {
    "create-contact": "contact.create",
    "update-contact": "contact.update",
    "create-note": "note.create",
    "update-note": "note.update",
    "delete-note": "note.delete",
    "create-task": "task.create",
    "update-task": "task.update",
    "update-task-completed": "task.complete",
    "delete-task": "task.delete",
}
"""Every write, and the kind of intent that explains it."""


class Step(NamedTuple):
    """One thing that happens. `who` and `number` choose among what there is."""

    what: Literal[
        "write", "edit", "complete", "delete", "city", "carry", "try", "sweep", "lose", "drop"
    ]
    side: Literal["here", "ghl"]
    kind: ActivityKind
    who: int
    number: int


STEPS = st.builds(
    Step,
    st.sampled_from(
        ["write", "write", "edit", "edit", "edit", "complete", "delete", "city", "carry",
         "try", "sweep", "lose", "drop"]
    ),
    st.sampled_from(["here", "ghl"]),
    st.sampled_from(KINDS),
    st.integers(0, 1),
    st.integers(0, 7),
)  # fmt: skip


@dataclass
class Story:
    """What was done so far.

    Attributes:
        written: The serial number of each note and task, by where it was written.
        deleted: Serial numbers of what somebody deleted, on either side.
    """

    acts: ActivityWorld
    people: list[ContactId] = field(default_factory=list[ContactId])
    serial: int = 0
    written: dict[ActivityKind, list[int]] = field(
        default_factory=lambda: {"note": list[int](), "task": list[int]()}
    )
    deleted: set[int] = field(default_factory=set[int])

    async def play(self, step: Step) -> None:
        match step.what:
            case "write":
                await self._write(step)
            case "edit" | "complete" | "delete":
                await (self._change_here if step.side == "here" else self._change_there)(step)
            case "city":
                await self._city(step)
            case "carry":
                await self.acts.settle()
            case "try":
                await self.acts.try_once()
            case "sweep":
                await sweep(self.acts, f"sweep {self.serial} {step.number}")
            case "lose":
                await self._lose_webhooks()
            case "drop":
                await self._lose_an_answer(step)

    async def _write(self, step: Step) -> None:
        self.serial += 1
        self.written[step.kind].append(self.serial)
        words = f"#{self.serial} first"
        if step.side == "here":
            given = {"text": words} if step.kind == "note" else {"title": words}
            await self.acts.write(step.kind, self.people[step.who], **given)
        else:
            body: dict[str, Any] = (
                {"body": f"<p>{words}</p>"}
                if step.kind == "note"
                else {"title": words, "dueDate": DUE, "completed": False}
            )
            crm_id = await self.acts.crm_id(PEOPLE[step.who])
            await self.acts.in_crm("POST", f"{crm_id}/{step.kind}s", body)

    async def _change_here(self, step: Step) -> None:
        rows = await self.acts.all_here(step.kind)
        if not rows:
            return
        row = rows[step.number % len(rows)]
        key = ActivityKey(row.kind, row.id)
        serial = serial_of(row.values[TEXT if row.kind == "note" else TITLE])
        words = f"#{serial} here {step.number}"
        if step.what == "delete":
            self.deleted.add(serial)
            await self.acts.delete(key)
        elif step.what == "complete" and row.kind == "task":
            await self.acts.edit(key, completed="true" if step.number % 2 else "false")
        else:
            await self.acts.edit(key, **{"text" if row.kind == "note" else "title": words})

    async def _change_there(self, step: Step) -> None:
        email = PEOPLE[step.who]
        there = await (self.acts.notes if step.kind == "note" else self.acts.tasks)(email)
        if not there:
            return
        one = there[step.number % len(there)]
        path = f"{one['contactId']}/{step.kind}s/{one['id']}"
        said = str(one["bodyText"] if step.kind == "note" else one["title"])
        serial = serial_of(said)
        if step.what == "delete":
            self.deleted.add(serial)
            await self.acts.in_crm("DELETE", path)
        elif step.what == "complete" and step.kind == "task":
            await self.acts.in_crm("PUT", f"{path}/completed", {"completed": bool(step.number % 2)})
        elif step.kind == "note":
            mark = said[said.find("\n\n[") :] if "\n\n[" in said else ""
            await self.acts.in_crm("PUT", path, {"body": f"#{serial} ghl {step.number}{mark}"})
        else:
            await self.acts.in_crm("PUT", path, {"title": f"#{serial} ghl {step.number}"})

    async def _city(self, step: Step) -> None:
        city = CITIES[step.number % len(CITIES)]
        if step.side == "here":
            await self.acts.world.edit(self.people[step.who], city=city)
        else:
            await self.acts.world.edit_crm(PEOPLE[step.who], city=city)

    async def _lose_webhooks(self) -> None:
        """What is told at the moment gets lost."""
        await self.acts.settle_deliveries()
        self.acts.taken = len(self.acts.door.raw)

    async def _lose_an_answer(self, step: Step) -> None:
        """The next write of this kind happens, and nobody hears of it."""
        operations = [name for name in OPERATIONS if step.kind in name]
        order = {
            "operation": operations[step.number % len(operations)],
            "kind": "drop_after_commit",
        }
        await self.acts.world.ask("POST", "/ghl/faults", order)


def serial_of(said: str | None) -> int:
    """Read the serial number that everything here begins with."""
    return int((said or "").split()[0].removeprefix("#"))


async def come_to_rest(story: Story) -> None:
    """Carry and sweep until nothing is left to do."""
    await story.acts.world.ask("DELETE", "/ghl/faults")
    for number in range(3):
        await story.acts.settle()
        await story.acts.world.sync(scan=f"rest {number}")
        await sweep(story.acts, f"rest {number}")
    await story.acts.settle()


async def check(story: Story) -> None:
    acts = story.acts
    for kind in KINDS:
        here = Counter(await standing_here(acts, kind))
        there = Counter(await standing_there(acts, kind))
        assert here == there, "both sides agree"
        serials = Counter(serial_of(one[1]) for one in here.elements())
        assert set(serials.values()) <= {1}, "nothing is there twice"
        assert set(serials) == {*story.written[kind]} - story.deleted, (
            "what was deleted stays so, and nothing else is lost"
        )
    for number, contact_id in enumerate(story.people):
        city = (await acts.world.here(contact_id)).contact.values.get(FieldName("city"))
        assert city == (await acts.world.one_in_crm(PEOPLE[number])).get("city")
    assert await explained(acts) == await written(acts), "every write has its intent"
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
    """Count the writes that GHL took, by kind. The log keeps what our client asked, only."""
    calls = acts.logged + (await acts.world.ask("GET", "/ghl/calls"))["calls"]
    return Counter(
        OPERATIONS[call["operation"]]
        for call in calls
        if call["operation"] in OPERATIONS and 200 <= call["status"] < 300
    )


async def explained(acts: ActivityWorld) -> Counter[str]:
    """Count the intents that say they were done, by kind."""

    def count(tx: Connection) -> Counter[str]:
        rows = tx.execute(
            text("SELECT kind, state, count(*) FROM intents GROUP BY kind, state")
        ).all()
        assert not [row for row in rows if row[1] == "open"], "every intent has an outcome"
        return Counter(
            {row[0]: row[2] for row in rows if row[1] == "done" and row[0] in OPERATIONS.values()}
        )

    return await acts.ledger.read(count)


async def tell(url: str, steps: list[Step]) -> None:
    async with (
        open_ledger(url) as ledger,
        running_sandbox() as info,
        opened_activities(ledger, info) as acts,
    ):
        story = Story(acts)
        for email in PEOPLE:
            story.people.append(await acts.person(email))
        for step in steps:
            note(repr(step))
            await story.play(step)
        await come_to_rest(story)
        await check(story)


@pytest.fixture
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's lists do not lag: what is not found was not made."""
    monkeypatch.setattr(activity_read, "LOOK_AGAIN", activity_read.LOOK_AGAIN * 0)
    monkeypatch.setattr(recover, "LOOK_AGAIN", recover.LOOK_AGAIN * 0)


def run(template: Path, folder: Path, steps: list[Step]) -> None:
    path = folder / "model.db"
    for left in folder.glob("model.db*"):
        left.unlink()
    shutil.copy(template, path)
    asyncio.run(tell(f"sqlite:///{path}", steps))


RULES = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


@pytest.mark.usefixtures("_no_patience")
@settings(RULES, max_examples=20)
@given(steps=st.lists(STEPS, min_size=4, max_size=16))
def test_both_sides_agree_after_any_story(
    sqlite_template: Path, tmp_path: Path, steps: list[Step]
) -> None:
    run(sqlite_template, tmp_path, steps)


@pytest.mark.slow
@pytest.mark.usefixtures("_no_patience")
@settings(RULES, max_examples=150)
@given(steps=st.lists(STEPS, min_size=10, max_size=40))
def test_both_sides_agree_after_long_stories(
    sqlite_template: Path, tmp_path: Path, steps: list[Step]
) -> None:
    run(sqlite_template, tmp_path, steps)
