"""A crash between intent, write and outcome of a note or task: no duplicate and no loss."""

import pytest
from sqlalchemy import Connection, text

from tests.engine.activity_world import NAME, ActivityWorld
from tests.engine.world import killed_at
from tests.engine.writes.test_recovery import MOMENTS
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import intents, links
from timerex_ghl.domain.activities.activity_fields import ActivityKey, ActivityKind

FIRST = {"note": {"text": "Call back"}, "task": {"title": "Call back"}}
LAST = {"note": {"text": "Call tomorrow"}, "task": {"title": "Call tomorrow"}}
THEN = {"note": {"text": "Call today"}, "task": {"title": "Call today"}}


async def dies(acts: ActivityWorld, action: str, moment: str) -> None:
    with killed_at(acts.world, action, moment):
        await acts.process_all()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", ["note", "task"])
async def test_a_create_survives_a_crash(
    acts: ActivityWorld, kind: ActivityKind, moment: str
) -> None:
    key = await acts.write(kind, await acts.person(), **FIRST[kind])
    await dies(acts, f"{kind}.create", moment)

    await acts.process_all()

    there = await acts.there(kind)
    assert len(there) == 1
    assert len(await acts.all_here(kind)) == 1
    link = await acts.ledger.read(links.link_of_local, NAME, kind, key.id)
    assert link is not None
    assert link.remote_id == there[0]["id"]
    assert await acts.ledger.read(intents.open_intents, NAME, [key.ref]) == []


@pytest.mark.parametrize("kind", ["note", "task"])
async def test_a_create_that_was_refused_and_made_all_the_same_doubles_nothing(
    acts: ActivityWorld, kind: ActivityKind
) -> None:
    fault = {"operation": f"create-{kind}", "kind": "status_after_commit", "value": 422}
    await acts.world.ask("POST", "/ghl/faults", fault)
    key = await acts.write(kind, await acts.person(), **FIRST[kind])

    outcomes = [outcome.what for outcome in await acts.process_all()]

    assert "dead" not in outcomes
    assert (len(await acts.there(kind)), await acts.is_linked(kind, key.id)) == (1, True)
    assert await acts.ledger.read(intents.open_intents, NAME, [key.ref]) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", ["note", "task"])
async def test_an_edit_survives_a_crash(
    acts: ActivityWorld, kind: ActivityKind, moment: str
) -> None:
    key = await acts.write(kind, await acts.person(), **FIRST[kind])
    await acts.process_all()
    await acts.edit(key, **THEN[kind])
    await dies(acts, f"{kind}.update", moment)

    await acts.process_all()

    there = await acts.there(kind)
    assert [str(one["bodyText" if kind == "note" else "title"])[:10] for one in there] == [
        "Call today"
    ]
    assert await acts.ledger.read(intents.open_intents, NAME, [key.ref]) == []


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", ["note", "task"])
async def test_an_edit_after_an_update_whose_answer_was_lost_wins(
    acts: ActivityWorld, kind: ActivityKind
) -> None:
    """What we sent is no edit of GHL's, though the connection's rule is that GHL's win."""
    key = await acts.write(kind, await acts.person(), **FIRST[kind])
    await acts.process_all()
    await acts.edit(key, **THEN[kind])
    await dies(acts, f"{kind}.update", "after-write")
    await acts.edit(key, **LAST[kind])

    await acts.process_all()

    (there,) = await acts.there(kind)
    assert str(there["bodyText" if kind == "note" else "title"]).startswith("Call tomorrow")
    assert (await acts.here(key)).values == {**(await acts.here(key)).values, **LAST[kind]}
    assert await acts.ledger.read(reviews.open_of, NAME, "conflict") == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", ["note", "task"])
async def test_a_delete_survives_a_crash(
    acts: ActivityWorld, kind: ActivityKind, moment: str
) -> None:
    key = await acts.write(kind, await acts.person(), **FIRST[kind])
    await acts.process_all()
    await acts.delete(key)
    await dies(acts, f"{kind}.delete", moment)

    await acts.process_all()

    assert await acts.there(kind) == []
    assert await acts.all_here(kind) == []
    assert await acts.ledger.read(intents.open_intents, NAME, [key.ref]) == []


@pytest.mark.parametrize("kind", ["note", "task"])
async def test_what_was_sent_without_an_answer_and_then_deleted_here_is_deleted_there(
    acts: ActivityWorld, kind: ActivityKind
) -> None:
    key = await acts.write(kind, await acts.person(), **FIRST[kind])
    await dies(acts, f"{kind}.create", "after-write")
    await acts.delete(key)

    await acts.process_all()

    assert await acts.there(kind) == []
    assert await acts.all_here(kind) == []


@pytest.mark.parametrize("kind", ["note", "task"])
async def test_what_was_sent_without_an_answer_and_then_edited_in_ghl_is_distinguished(
    acts: ActivityWorld, kind: ActivityKind
) -> None:
    key = await acts.write(kind, await acts.person(), **FIRST[kind])
    await dies(acts, f"{kind}.create", "after-write")
    (one,) = await acts.there(kind)
    field = "body" if kind == "note" else "title"
    edited = {field: str(one[field]).replace("Call back", "Call today")}
    await acts.in_crm("PUT", f"{one['contactId']}/{kind}s/{one['id']}", edited)

    await acts.process_all()

    assert THEN[kind].items() <= (await acts.here(key)).values.items()
    assert len(await acts.all_here(kind)) == 1


@pytest.mark.parametrize("kind", ["note", "task"])
async def test_what_was_sent_without_an_answer_and_then_deleted_in_ghl_stays_deleted(
    acts: ActivityWorld, kind: ActivityKind
) -> None:
    key = await sent_and_deleted_there(acts, kind)

    await acts.process_all()

    assert await acts.there(kind) == []
    assert await acts.all_here(kind) == []
    assert (await acts.here(key)).deleted
    assert await fates_of(acts, key) == ["done"]


@pytest.mark.parametrize("kind", ["note", "task"])
async def test_what_was_sent_and_deleted_without_a_word_is_sent_again(
    acts: ActivityWorld, kind: ActivityKind
) -> None:
    """It looks as if it never arrived: sending it again is better than losing it."""
    key = await sent_and_deleted_there(acts, kind)
    await acts.lose_webhooks()

    await acts.process_all()

    assert len(await acts.there(kind)) == 1
    assert not (await acts.here(key)).deleted
    assert await fates_of(acts, key) == ["failed", "done"]


async def sent_and_deleted_there(acts: ActivityWorld, kind: ActivityKind) -> ActivityKey:
    key = await acts.write(kind, await acts.person(), **FIRST[kind])
    await dies(acts, f"{kind}.create", "after-write")
    (one,) = await acts.there(kind)
    await acts.in_crm("DELETE", f"{one['contactId']}/{kind}s/{one['id']}")
    return key


async def fates_of(acts: ActivityWorld, key: ActivityKey) -> list[str]:
    """Return how each write of a record ended, the oldest first."""

    def read(tx: Connection) -> list[str]:
        found = text("SELECT state FROM intents WHERE record_key = :key ORDER BY created_at, id")
        return list(tx.scalars(found, {"key": str(key)}))

    return await acts.ledger.read(read)
