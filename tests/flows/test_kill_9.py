"""kill -9 of a flow's process at every failpoint: the next run makes both sides agree.

The next run waits until the locks of the dead one expire, at most 30 seconds.
"""

import asyncio
import json
import signal
import sys
from typing import Any, NamedTuple

import pytest

from flows.booking_to_crm import booking_to_crm
from flows.contact_sync import contact_sync
from tests.deliveries import cancelled, confirmed
from tests.flows.conftest import Drafts, Engine, add_person
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.sync import intents
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import ConnectionName, EventId, FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.context import utc_now
from timerex_ghl.engine.writes.failpoints import ENVIRONMENT

MOMENTS = ("after-intent", "after-write", "after-outcome")
BOOKING_ACTIONS = ("contact.create", "tags.add", "note.create")
CANCEL_ACTIONS = ("tags.remove", "note.update")

RUN = """
import asyncio, json, sys
from importlib import import_module
module, name, parameters = sys.argv[1:]
asyncio.run(getattr(import_module(module), name)(**json.loads(parameters)))
"""


class Victim(NamedTuple):
    """A guest whose booking is processed by a process that dies."""

    email: str
    action: str
    moment: str

    @property
    def is_cancelled(self) -> bool:
        return self.action in CANCEL_ACTIONS


VICTIMS = [
    Victim(f"{action.replace('.', '-')}-{moment}@kill.example", action, moment)
    for action in (*BOOKING_ACTIONS, *CANCEL_ACTIONS)
    for moment in MOMENTS
]


async def run_and_die(engine: Engine, at: str, flow: str, **parameters: Any) -> None:
    """Run a flow in a process of its own that kills itself at a failpoint."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, f"flows.{flow}", flow, json.dumps(parameters)),
        env={**engine.stage.environment, ENVIRONMENT: at, "PREFECT_LOGGING_LEVEL": "ERROR"},
    )
    assert await process.wait() == -signal.SIGKILL, f"the run was not killed at {at}"


async def receive(engine: Engine, name: ConnectionName, body: dict[str, Any]) -> EventId:
    raw = json.dumps(body)
    event_id, _ = await engine.stage.ledger.write(
        inbox.store_event,
        connection=name,
        source="timerex",
        type=body["webhook_type"],
        dedupe_key=read_delivery(raw.encode()).dedupe_key,
        body=raw,
        now=utc_now(),
    )
    return event_id


async def contact_of(engine: Engine, email: str) -> dict[str, Any]:
    found = [one for one in await engine.stage.sandbox.contacts() if one.get("email") == email]
    assert len(found) == 1, f"{len(found)} contacts for {email}"
    return found[0]


async def check(engine: Engine, name: ConnectionName, victim: Victim) -> None:
    """Check that both sides agree about a victim, and that every write has its intent."""
    contact = await contact_of(engine, victim.email)
    texts = [note["bodyText"] for note in contact["notes"]]
    rows, _ = await engine.stage.ledger.read(
        workspace_contacts.find_contacts, name, Keys(victim.email, None)
    )
    keys = [RecordRef.contact(row.id) for row in rows]
    word = "Cancelled" if victim.is_cancelled else "Booked"
    assert contact["tags"] == [f"timerex {word.lower()}"], victim
    assert len(texts) == 1, victim
    assert word in texts[0], victim
    assert len(keys) == 1, victim
    assert await engine.stage.ledger.read(intents.open_intents, name, keys) == [], victim


@pytest.mark.slow
async def test_bookings_survive_kill_9_at_every_failpoint(
    engine: Engine, ready: ConnectionName
) -> None:
    events: dict[Victim, EventId] = {}
    for number, victim in enumerate(VICTIMS):
        body = confirmed(f"kill{number}", victim.email)
        events[victim] = await receive(engine, ready, body)
    booked = [events[victim] for victim in VICTIMS if victim.is_cancelled]
    assert (await engine.here(booking_to_crm, ready, booked)).is_completed()
    for number, victim in enumerate(VICTIMS):
        if victim.is_cancelled:
            body = cancelled(f"kill{number}", victim.email)
            events[victim] = await receive(engine, ready, body)
    gate = asyncio.Semaphore(2)

    async def kill(victim: Victim) -> None:
        async with gate:
            at = f"{victim.action}:{victim.moment}"
            ids = [events[victim]]
            await run_and_die(engine, at, "booking_to_crm", connection=ready, event_ids=ids)

    await asyncio.gather(*(kill(victim) for victim in VICTIMS))

    state = await engine.here(booking_to_crm, ready, [*events.values()])

    assert state.is_completed(), state.message
    for victim in VICTIMS:
        await check(engine, ready, victim)
    writes = await engine.stage.sandbox.writes()
    await engine.here(booking_to_crm, ready, [*events.values()])
    assert await engine.stage.sandbox.writes() == writes, "a replay writes nothing"


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_contact_sync_survives_kill_9(engine: Engine, drafts: Drafts, moment: str) -> None:
    name = await drafts.publish()
    email = f"sync-{moment}@kill.example"
    await add_person(engine, name, email=email)
    await engine.here(contact_sync, name)
    rows, _ = await engine.stage.ledger.read(
        workspace_contacts.find_contacts, name, Keys(email, None)
    )
    change = WorkspaceChange(values={FieldName("city"): "Kyoto"})
    await engine.stage.ledger.write(
        workspace_contacts.change_contact, name, rows[0].id, change, Keys(email, None), utc_now()
    )
    await run_and_die(engine, f"contact.update:{moment}", "contact_sync", connection=name)

    state = await engine.here(contact_sync, name)  # waits until the dead run's lease is over

    assert state.name == "Completed", state.message
    assert (await contact_of(engine, email))["city"] == "Kyoto"
    keys = [RecordRef.contact(rows[0].id)]
    assert await engine.stage.ledger.read(intents.open_intents, name, keys) == []
    writes = await engine.stage.sandbox.writes()
    await engine.here(contact_sync, name)
    assert await engine.stage.sandbox.writes() == writes
