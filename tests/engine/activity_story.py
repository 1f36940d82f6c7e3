"""Random sequences of edits to contacts, notes and tasks on both sides, step by step."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from hypothesis import strategies as st

from tests.engine.activities.test_activity_sweeps import sweep
from tests.engine.activity_world import DUE, ActivityWorld
from timerex_ghl.domain.activities.activity_fields import (
    KINDS,
    TEXT,
    TITLE,
    ActivityKey,
    ActivityKind,
)
from timerex_ghl.domain.shared.models import ContactId
from timerex_ghl.engine.writes.recovery import LOOK_AGAIN

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
"""The request of every write, with the kind of its intent."""

Side = Literal["here", "ghl"]
WHERE: tuple[Side, ...] = ("here", "ghl")


class Step(NamedTuple):
    """One step. `who` and `number` choose among the existing people and records."""

    what: Literal[
        "write",
        "edit",
        "complete",
        "delete",
        "city",
        "process",
        "try",
        "sweep",
        "lose",
        "drop",
        "unsure",
    ]
    side: Side
    kind: ActivityKind
    who: int
    number: int


STEPS = st.builds(
    Step,
    st.sampled_from(
        ["write", "write", "edit", "edit", "edit", "complete", "delete", "city", "process",
         "try", "sweep", "lose", "drop"]
    ),
    st.sampled_from(WHERE),
    st.sampled_from(KINDS),
    st.integers(0, 1),
    st.integers(0, 7),
)  # fmt: skip


@st.composite
def stories_of_one(draw: st.DrawFn) -> list[Step]:
    """Draw steps about one or a few records of one person, so that they hit the same record."""
    kind, context = draw(st.sampled_from(KINDS)), st.sampled_from(WHERE)
    whats = st.sampled_from(
        ["write", "edit", "complete", "delete", "delete", "process", "unsure", "unsure", "sweep",
         "lose"]
    )  # fmt: skip
    step = st.builds(Step, whats, context, st.just(kind), st.just(0), st.integers(0, 3))
    first = Step("write", draw(context), kind, 0, 0)
    return [first, *draw(st.lists(step, min_size=3, max_size=13))]


@dataclass
class ActivityStory:
    """The state of a run of steps.

    Attributes:
        written: The serial number of each note and task, by where it was written.
        deleted: Serial numbers of what was deleted, on either side.
        unheard: Those of them that no answer and no webhook had shown to be in GHL when they were
            processed next.
    """

    acts: ActivityWorld
    people: list[ContactId] = field(default_factory=list[ContactId])
    serial: int = 0
    written: dict[ActivityKind, list[int]] = field(
        default_factory=lambda: {"note": list[int](), "task": list[int]()}
    )
    deleted: set[int] = field(default_factory=set[int])
    unheard: set[int] = field(default_factory=set[int])

    async def play(self, step: Step) -> None:
        """Run a step, once GHL's lists show all that was written before."""
        self.acts.world.clock.advance(LOOK_AGAIN)
        match step.what:
            case "write":
                await self._write(step)
            case "edit" | "complete" | "delete":
                await (self._change_here if step.side == "here" else self._change_there)(step)
            case "city":
                await self._city(step)
            case "process":
                await self.acts.process_all()
            case "drop":
                operations = operations_of(step.kind)
                await self._lose_an_answer(operations[step.number % len(operations)])
            case _:
                await self._note_unheard()
                await self._go_on_unheard(step)

    async def _go_on_unheard(self, step: Step) -> None:
        """Run a step before which no webhook is processed."""
        match step.what:
            case "try":
                await self.acts.try_once()
            case "unsure":
                await self._try_in_vain(step)
            case "sweep":
                await sweep(self.acts, f"sweep {self.serial} {step.number}")
            case _:
                await self.acts.lose_webhooks()

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
            self._note_deleted(serial)
            await self.acts.delete(key)
        elif step.what == "complete" and row.kind == "task":
            await self.acts.edit(key, completed="true" if step.number % 2 else "false")
        else:
            await self.acts.edit(key, **{"text" if row.kind == "note" else "title": words})

    async def _change_there(self, step: Step) -> None:
        email = PEOPLE[step.who]
        there = await self.acts.there(step.kind, email)
        if not there:
            return
        one = there[step.number % len(there)]
        path = f"{one['contactId']}/{step.kind}s/{one['id']}"
        said = str(one["bodyText"] if step.kind == "note" else one["title"])
        serial = serial_of(said)
        if step.what == "delete":
            self._note_deleted(serial)
            await self.acts.in_crm("DELETE", path)
        elif step.what == "complete" and step.kind == "task":
            await self.acts.in_crm("PUT", f"{path}/completed", {"completed": bool(step.number % 2)})
        elif step.kind == "note":
            mark = said[said.find("\n\n[") :] if "\n\n[" in said else ""
            await self.acts.in_crm("PUT", path, {"body": f"#{serial} ghl {step.number}{mark}"})
        else:
            await self.acts.in_crm("PUT", path, {"title": f"#{serial} ghl {step.number}"})

    def _note_deleted(self, serial: int) -> None:
        self.deleted.add(serial)
        self.unheard.discard(serial)

    async def _city(self, step: Step) -> None:
        city = CITIES[step.number % len(CITIES)]
        if step.side == "here":
            await self.acts.world.edit(self.people[step.who], city=city)
        else:
            await self.acts.world.edit_crm(PEOPLE[step.who], city=city)

    async def _note_unheard(self) -> None:
        """Record what was sent without an answer and deleted, where no webhook came so far."""
        for kind in KINDS:
            for row in await self.acts.all_here(kind):
                serial = serial_of(row.values[TEXT if kind == "note" else TITLE])
                if serial in self.deleted and not await self.acts.is_linked(kind, row.id):
                    self.unheard.add(serial)

    async def _lose_an_answer(self, operation: str) -> None:
        """Let the next write of this kind happen without an answer."""
        order = {"operation": operation, "kind": "drop_after_commit"}
        await self.acts.world.ask("POST", "/ghl/faults", order)

    async def _try_in_vain(self, step: Step) -> None:
        """Write the pending records without getting an answer."""
        for operation in operations_of(step.kind):
            await self._lose_an_answer(operation)
        await self.acts.try_once()
        await self.acts.world.ask("DELETE", "/ghl/faults")


def operations_of(kind: ActivityKind) -> list[str]:
    """Return the operation of a kind's writes."""
    return [name for name in OPERATIONS if kind in name]


def serial_of(said: str | None) -> int:
    """Read the serial number that every text begins with."""
    return int((said or "").split()[0].removeprefix("#"))
