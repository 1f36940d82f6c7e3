from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import intents, locks
from timerex_ghl.adapters.ledger.tables.sync.intents import Closing, LostLockError, NewIntent
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence
from timerex_ghl.domain.shared.actions import Action, AddTags, CreateContact, UpdateContact
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.domain.shared.models import ConnectionName, GhlContactId, GhlField
from timerex_ghl.domain.shared.record_ref import RecordRef

AOBA, HINODE = ConnectionName("aoba"), ConnectionName("hinode")
LOCK = "contact:c_1"
RIKU = RecordRef.parse("contact:c_1")
CREATE = CreateContact(values={GhlField("firstName"): "陸", GhlField("customFields.x"): ("a",)})
UPDATE = UpdateContact(contact_id=GhlContactId("g1"), values={GhlField("city"): "Sendai"})
TAG = AddTags(contact_id=GhlContactId("g1"), tags=frozenset({"vip"}))
LATER = make.NOW + timedelta(seconds=1)


async def take(ledger: Ledger, name: str = LOCK, holder: str = "anna") -> Fence:
    fence = await ledger.write(locks.try_lock, [name], holder, 60)
    assert fence is not None
    return fence


@pytest.fixture
async def fence(ledger: Ledger) -> Fence:
    return await take(ledger)


async def begin(
    ledger: Ledger,
    fence: Fence,
    action: Action = CREATE,
    *,
    record_key: RecordRef = RIKU,
    connection: ConnectionName = AOBA,
    run_id: str | None = "run-1",
    now: datetime = make.NOW,
) -> str:
    new = NewIntent(connection, record_key, action, run_id, fence, now)
    (intent_id,) = await ledger.write(intents.open_all, [new])
    return intent_id


async def end(
    ledger: Ledger,
    intent_id: str,
    *,
    result_id: str | None = "g1",
    error: str | None = None,
    recovered: bool = False,
) -> None:
    closing = Closing(intent_id, result_id, error, recovered)
    await ledger.write(intents.close_intents, [closing])


async def stored(ledger: Ledger, intent_id: str) -> tuple[object, ...]:
    def read(tx: Connection) -> tuple[object, ...]:
        query = "SELECT state, result_id, error, recovered FROM intents WHERE id = :id"
        return tuple(tx.execute(text(query), {"id": intent_id}).one())

    state, result_id, error, recovered = await ledger.read(read)
    return state, result_id, error, bool(recovered)


async def test_an_open_intent_has_its_action(ledger: Ledger, fence: Fence) -> None:
    intent_id = await begin(ledger, fence)

    [intent] = await ledger.read(intents.open_intents, AOBA, [RIKU])

    assert (intent.id, intent.state, intent.kind) == (intent_id, "open", "contact.create")
    assert CreateContact.model_validate_json(intent.payload) == CREATE
    assert (intent.run_id, intent.created_at) == ("run-1", make.NOW)


async def test_open_intents_are_those_of_the_records_asked_for(
    ledger: Ledger, fence: Fence
) -> None:
    second = await begin(ledger, fence, now=LATER)
    first = await begin(ledger, fence, UPDATE)
    other = await begin(
        ledger, fence, record_key=RecordRef.parse("contact:c_2"), now=LATER + timedelta(seconds=1)
    )
    await begin(ledger, fence, record_key=RecordRef.parse("contact:c_3"))
    await begin(ledger, fence, connection=HINODE)

    found = await ledger.read(intents.open_intents, AOBA, [RIKU, RecordRef.parse("contact:c_2")])

    assert [intent.id for intent in found] == [first, second, other]
    assert await ledger.read(intents.open_intents, AOBA, []) == []


async def test_a_closed_intent_is_no_longer_open(ledger: Ledger, fence: Fence) -> None:
    intent_id = await begin(ledger, fence)

    await end(ledger, intent_id, result_id="g7")

    assert await ledger.read(intents.open_intents, AOBA, [RIKU]) == []
    assert await stored(ledger, intent_id) == ("done", "g7", None, False)


async def test_an_outcome_found_out_later_says_so(ledger: Ledger, fence: Fence) -> None:
    intent_id = await begin(ledger, fence)

    await end(ledger, intent_id, recovered=True)

    assert await stored(ledger, intent_id) == ("done", "g1", None, True)


async def test_a_long_error_is_cut(ledger: Ledger, fence: Fence) -> None:
    intent_id = await begin(ledger, fence)

    await end(ledger, intent_id, result_id=None, error="予" * 501)

    assert await stored(ledger, intent_id) == ("failed", None, "予" * 500, False)


async def test_an_intent_has_one_outcome(ledger: Ledger, fence: Fence) -> None:
    intent_id = await begin(ledger, fence)
    await end(ledger, intent_id)

    with pytest.raises(LostLockError):
        await end(ledger, intent_id, result_id=None, error="too late")

    assert await stored(ledger, intent_id) == ("done", "g1", None, False)


async def test_the_outcome_of_no_intent_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LostLockError):
        await end(ledger, "i_none")


async def test_without_the_lock_nothing_is_opened(ledger: Ledger, fence: Fence) -> None:
    await ledger.write(locks.release_locks, [fence])

    with pytest.raises(LostLockError) as lost:
        await begin(ledger, fence)

    assert isinstance(lost.value, RetryableError)
    assert await ledger.read(intents.open_intents, AOBA, [RIKU]) == []


async def test_a_lock_that_was_taken_over_opens_nothing(ledger: Ledger) -> None:
    ran_out = await ledger.write(locks.try_lock, [LOCK], "anna", -1)
    assert ran_out is not None
    remote = await take(ledger, holder="ben")

    with pytest.raises(LostLockError):
        await begin(ledger, ran_out)

    assert await begin(ledger, remote)


async def test_one_lost_lock_of_several_opens_nothing(ledger: Ledger) -> None:
    both = await ledger.write(locks.try_lock, [LOCK, "key:x"], "anna", 60)
    assert both is not None
    await ledger.write(locks.release_locks, [both._replace(names=("key:x",))])

    with pytest.raises(LostLockError):
        await begin(ledger, both)


async def test_a_lost_lock_is_reported_without_a_word_of_the_person(
    ledger: Ledger, fence: Fence
) -> None:
    await ledger.write(locks.release_locks, [fence])

    with pytest.raises(LostLockError) as lost:
        await begin(ledger, fence)

    assert "陸" not in str(lost.value)


async def test_only_writes_that_reached_ghl_are_counted(ledger: Ledger, fence: Fence) -> None:
    for action in (CREATE, TAG, TAG):
        await end(ledger, await begin(ledger, fence, action))
    await end(ledger, await begin(ledger, fence, UPDATE), result_id=None, error="GHL said 422")
    await begin(ledger, fence, UPDATE)
    await end(ledger, await begin(ledger, fence, connection=HINODE, run_id="run-2"))

    done = {"contact.create": 1, "tags.add": 2}
    assert await ledger.read(intents.count_done, AOBA, make.NOW) == done
    assert await ledger.read(intents.count_done, AOBA, LATER) == {}
