"""Tasks of the flow `watch`: report late events and silent webhooks, delete old events."""

from datetime import timedelta

from prefect import task
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.events import emit_event
from prefect.exceptions import ObjectNotFound
from pydantic import AwareDatetime
from sqlalchemy import Connection

from blocks.contexts import load_ledger_store
from tasks.automations import PREFIX, WAITING_TOO_LONG, WEBHOOKS_SILENT
from tasks.policy import AT_THE_DESK
from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox_queue, retention
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.adapters.ledger.tables.sync import cursors, locks
from timerex_ghl.domain.monitoring.silence import Silence
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName, Record
from timerex_ghl.engine.monitoring.silent_webhooks import Service, find_silences

WATCH = "watch"
WATCH_SLUG = PREFIX.rstrip(": ")
WATCH_EVERY = timedelta(minutes=5)

REPORT_AGAIN_AFTER = timedelta(hours=1)
"""A continuing silence is reported again after this, if polls found more changes."""


@task(**AT_THE_DESK)
async def report_late_events(older_than: timedelta) -> list[ConnectionName]:
    """Emit an event for every connection whose oldest pending event is older; return them."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        late = await ledger.read(_late, older_than)
    for connection, (number, minutes) in late.items():
        _emit(WAITING_TOO_LONG, connection, waiting=number, minutes=minutes)
    return [*late]


@task(**AT_THE_DESK)
async def report_silent_webhooks() -> list[ConnectionName]:
    """Emit an event per connection whose webhooks are silent; return those connections.

    A silence is reported again only when polls find more changes.
    """
    store = await load_ledger_store()
    async with store.open() as ledger:
        now = await ledger.read(clock.now)
        silent = await ledger.read(_silent)
        for (connection, service), silence in silent.items():
            minutes = int((now - silence.since).total_seconds() // 60)
            if await _is_reported(ledger, connection, service, silence, now):
                continue
            _emit(
                WEBHOOKS_SILENT,
                connection,
                service=service,
                changes=silence.changes,
                minutes=minutes,
            )
            reported = SilenceReport(at=now, newest=silence.newest).model_dump_json()
            await ledger.write(cursors.save_cursor, connection, _cursor_of(service), reported)
    return list(dict.fromkeys(connection for connection, _ in silent))


@task(**AT_THE_DESK)
async def forget_what_is_old() -> int:
    """Delete events that finished long ago, and unused locks; return the number of events."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        while await ledger.write(locks.forget_idle, retention.HEAD) == retention.HEAD:
            pass
        forgotten = 0
        for connection in await ledger.read(retention.connections_of_inbox):
            for state in retention.FINAL:
                while gone := await ledger.write(retention.forget_events, connection, state):
                    forgotten += gone
    return forgotten


async def put_watch(client: PrefectClient, *, wake: bool = False) -> None:
    """Schedule the watch every few minutes; a paused schedule stays paused unless `wake`.

    Raises:
        SettingsError: It is not deployed.
    """
    try:
        deployment = await client.read_deployment_by_name(f"{WATCH}/{WATCH}")
    except ObjectNotFound:
        raise SettingsError(f"no deployment {WATCH}: run timerex-ghl deploy first") from None
    for old in await client.read_deployment_schedules(deployment.id):
        if old.slug == WATCH_SLUG:
            if wake:
                await client.update_deployment_schedule(deployment.id, old.id, active=True)
            return
    schedule = IntervalSchedule(interval=WATCH_EVERY)
    await client.create_deployment_schedules(deployment.id, [(schedule, True)], slug=WATCH_SLUG)


class SilenceReport(Record):
    """What was last reported about a silence, and when."""

    at: AwareDatetime
    newest: AwareDatetime


def _emit(event: str, connection: ConnectionName, **payload: str | int) -> None:
    emit_event(
        event=event,
        resource={"prefect.resource.id": f"timerex-ghl.connection.{connection}"},
        payload={"connection": connection, **payload},
    )


async def _is_reported(
    ledger: Ledger,
    connection: ConnectionName,
    service: Service,
    silence: Silence,
    now: AwareDatetime,
) -> bool:
    saved = await ledger.read(cursors.get_cursor, connection, _cursor_of(service))
    if saved is None:
        return False
    reported = SilenceReport.model_validate_json(saved)
    return silence.newest <= reported.newest or now - reported.at < REPORT_AGAIN_AFTER


def _cursor_of(service: Service) -> str:
    return f"silence-{service}"


def _late(tx: Connection, older_than: timedelta) -> dict[ConnectionName, tuple[int, int]]:
    """Find late connections: number of pending events, and age of the oldest in minutes."""
    now = clock.now(tx)
    found: dict[ConnectionName, tuple[int, int]] = {}
    for version in published.all_published(tx):
        name = version.settings.name
        waiting = inbox_queue.what_waits(tx, name)
        if waiting.since is not None and now - waiting.since > older_than:
            found[name] = waiting.number, int((now - waiting.since).total_seconds() // 60)
    return found


def _silent(tx: Connection) -> dict[tuple[ConnectionName, Service], Silence]:
    now = clock.now(tx)
    return {
        (version.settings.name, service): silence
        for version in published.all_published(tx)
        for service, silence in find_silences(tx, version.settings.name, now).items()
    }
