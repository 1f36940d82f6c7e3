"""Pending deletes of notes and tasks, with their states."""

from datetime import datetime, timedelta

import pytest

from tests import make
from tests.gateway.given import NAME
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.activities import pending_deletes
from timerex_ghl.adapters.ledger.tables.activities.pending_deletes import (
    FoundDelete,
    PendingDelete,
    Side,
    State,
)
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.activities.activity_fields import ActivityId, ActivityKey, ActivityKind
from timerex_ghl.domain.shared.models import ConnectionName

HINODE = ConnectionName("hinode")
LATER = make.NOW + timedelta(minutes=5)
KEY = ActivityKey("note", ActivityId("n_1"))


async def note(
    ledger: Ledger,
    id_: str = "n_1",
    state: State = "pending",
    *,
    side: Side = "ghl",
    kind: ActivityKind = "note",
    now: datetime = make.NOW,
) -> None:
    found = FoundDelete(ActivityKey(kind, ActivityId(id_)), side, state)
    await ledger.write(pending_deletes.note_delete, NAME, found, now)


async def get(ledger: Ledger) -> PendingDelete | None:
    return await ledger.read(pending_deletes.get_delete, NAME, KEY)


async def pending(ledger: Ledger) -> list[ActivityId]:
    found = await ledger.read(pending_deletes.list_deletes, NAME, ["pending"])
    return [one.local_id for one in found]


@pytest.mark.parametrize("state", ["pending", "released", "done", "kept"])
async def test_a_delete_reads_back_whole(ledger: Ledger, state: State) -> None:
    await note(ledger, state=state)

    assert await get(ledger) == PendingDelete(
        kind="note", local_id=KEY.id, side="ghl", state=state, found_at=make.NOW
    )
    assert await ledger.read(pending_deletes.get_delete, HINODE, KEY) is None


async def test_a_record_has_one_delete_as_it_stands_now(ledger: Ledger) -> None:
    await note(ledger)
    await note(ledger, state="done", side="workspace", now=LATER)

    found = await get(ledger)
    assert found is not None
    assert (found.state, found.side) == ("done", "workspace")
    assert await pending(ledger) == []


async def test_deletes_are_listed_the_oldest_first_and_chosen(ledger: Ledger) -> None:
    await note(ledger, "n_2", now=LATER)
    await note(ledger, "n_1")
    await note(ledger, "n_3", "done")
    await note(ledger, "t_1", kind="task", now=LATER)
    await note(ledger, "n_4", side="workspace", now=LATER + timedelta(minutes=1))

    assert await pending(ledger) == ["n_1", "n_2", "t_1", "n_4"]
    chosen: list[tuple[ActivityKind, Side | None, list[str]]] = [
        ("note", None, ["n_1", "n_2", "n_4"]),
        ("note", "ghl", ["n_1", "n_2"]),
        ("task", "workspace", []),
    ]
    for kind, side, ids in chosen:
        found = await ledger.read(pending_deletes.list_deletes, NAME, ["pending"], kind, side)
        assert [one.local_id for one in found] == ids
    assert await ledger.read(pending_deletes.list_deletes, HINODE, ["pending"]) == []


@pytest.mark.parametrize("state", ["released", "kept", "withdrawn"])
async def test_all_that_is_pending_of_a_kind_and_side_is_resolved_at_once(
    ledger: Ledger, state: State
) -> None:
    await note(ledger)
    await note(ledger, "n_2", "done")
    await note(ledger, "n_3", side="workspace")
    await note(ledger, "t_1", kind="task")

    await ledger.write(pending_deletes.finish_pending, NAME, "note", "ghl", state)

    found = await get(ledger)
    assert found is not None
    assert found.state == state
    assert await pending(ledger) == ["n_3", "t_1"]
    done = await ledger.read(pending_deletes.list_deletes, NAME, ["done"])
    assert [one.local_id for one in done] == ["n_2"]


@pytest.mark.parametrize(
    ("state", "waited"),
    [("pending", True), ("released", True), ("kept", True), ("done", False), ("withdrawn", False)],
)
async def test_only_what_waits_or_was_kept_is_withdrawn(
    ledger: Ledger, state: State, *, waited: bool
) -> None:
    await note(ledger, state=state)

    assert await ledger.write(pending_deletes.withdraw, NAME, KEY) == waited

    found = await get(ledger)
    assert found is not None
    assert (found.state == "withdrawn") == (waited or state == "withdrawn")


async def test_what_was_never_deleted_is_not_withdrawn(ledger: Ledger) -> None:
    assert await ledger.write(pending_deletes.withdraw, NAME, KEY) is False


async def test_counted_is_what_was_executed_since_a_time(ledger: Ledger) -> None:
    await note(ledger, "n_1", "done")
    await note(ledger, "n_2", "done", now=LATER)
    await note(ledger, "n_3", "done", now=LATER, side="workspace")
    await note(ledger, "n_4", "pending", now=LATER)
    await note(ledger, "t_1", "done", now=LATER, kind="task")

    async def count(since: datetime) -> int:
        return await ledger.read(pending_deletes.count_since, NAME, "note", "ghl", since)

    assert [await count(since) for since in (make.NOW, LATER)] == [2, 1]


async def test_linked_are_the_notes_that_both_systems_have(ledger: Ledger) -> None:
    for kind, id_ in (("note", "n_1"), ("note", "n_2"), ("task", "t_1")):
        link = Link.model_validate(
            {"connection": NAME, "kind": kind, "local_id": id_, "remote_id": f"ghl-{id_}"}
        )
        await ledger.write(links.save_links, [link])

    assert await ledger.read(pending_deletes.count_linked, NAME, "note", 9) == 2
    assert await ledger.read(pending_deletes.count_linked, NAME, "note", 1) == 1
    assert await ledger.read(pending_deletes.count_linked, HINODE, "note", 9) == 0
