"""The checks of `timerex-ghl doctor`: each gives one finding and says what to do."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import NamedTuple
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterCreatedBy,
    FlowRunFilterNextScheduledStartTime,
)
from prefect.exceptions import ObjectNotFound

import blocks
from tasks.publishing import check_draft
from timerex_ghl.adapters.ledger.db.sqlite import choose_module, is_fixed
from timerex_ghl.adapters.ledger.tables.inbox import inbox_queue
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.adapters.ledger.tables.sync import outages
from timerex_ghl.cli.doctor.endpoint_check import check_endpoint
from timerex_ghl.cli.doctor.finding import Finding
from timerex_ghl.domain.connections.setting_changes import difference
from timerex_ghl.domain.shared.errors import SettingsError, TimerexGhlError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.context import utc_now
from timerex_ghl.orchestration.alerts import list_alerts
from timerex_ghl.orchestration.contexts import load_ledger_store
from timerex_ghl.orchestration.schedules import SCHEDULED, WATCH, WATCH_SLUG

DEPLOYED = (
    "publish-connection",
    "booking-to-crm",
    "contact-sync",
    "activity-mirror",
    "timerex-poll",
    "resolve-review",
    WATCH,
)

SCHEDULER_S = 75.0
"""How long a schedule may lack an upcoming run: Prefect's scheduler loops once a minute."""


Check = Callable[[], Awaitable[Finding]]


async def check_up(
    pool: str, connection: str | None, gateway_url: str | None
) -> AsyncIterator[Finding]:
    """Check this machine, Prefect, the ledger, and a connection with its webhook endpoint.

    Args:
        pool: Name of our work pool.
        connection: The connection to check; None checks none.
        gateway_url: Public URL of the gateway; None: the webhook endpoint is not checked.
    """
    checks: list[tuple[str, Check]] = [
        ("SQLite", check_sqlite),
        ("work pool", lambda: check_pool(pool)),
        ("deployments", check_deployments),
        ("forms", check_forms),
        ("ledger", check_ledger),
        ("alerts", check_alerts),
    ]
    if connection is not None:
        name = ConnectionName(connection)
        checks += [
            ("services", lambda: check_services(name)),
            ("connection", lambda: check_connection(name)),
            ("schedules", lambda: check_schedules(name)),
            ("TimeRex poll", lambda: check_poll(name)),
        ]
        if gateway_url is not None:
            checks.append(("endpoint", lambda: check_endpoint(name, gateway_url)))
    for step, check in checks:
        try:
            yield await check()
        except TimerexGhlError as error:
            for line in str(error).splitlines():
                yield Finding(step, is_well=False, said=line)


async def check_sqlite() -> Finding:
    """Check whether processes can safely share a file of this Python's SQLite."""
    module = choose_module()
    if is_fixed(module.sqlite_version_info):
        return Finding("SQLite", is_well=True, said=module.sqlite_version)
    return Finding(
        "SQLite",
        is_well=None,
        said=f"{module.sqlite_version} can corrupt a shared file: keep the ledger on PostgreSQL",
    )


async def check_pool(pool: str) -> Finding:
    """Check whether a worker is online to run flows."""
    async with get_client() as client:
        try:
            workers = await client.read_workers_for_work_pool(pool)
        except ObjectNotFound:
            raise SettingsError("no work pool: run timerex-ghl deploy") from None
    if any(str(worker.status) in {"ONLINE", "WorkerStatus.ONLINE"} for worker in workers):
        return Finding("work pool", is_well=True, said=f"{pool}, a worker is online")
    raise SettingsError("no worker is online: run timerex-ghl worker, and keep it running")


async def check_deployments() -> Finding:
    """Check whether every flow is deployed."""
    async with get_client() as client:
        found = {each.name for each in await client.read_deployments()}
    missing = [name for name in DEPLOYED if name not in found]
    if missing:
        raise SettingsError(f"missing {', '.join(missing)}: run timerex-ghl deploy")
    return Finding("deployments", is_well=True, said=f"all {len(DEPLOYED)} exist")


async def check_forms() -> Finding:
    """Check whether the block types are registered."""
    async with get_client() as client:
        for name in blocks.__all__:
            slug = getattr(blocks, name).get_block_type_slug()
            try:
                await client.read_block_type_by_slug(slug)
            except ObjectNotFound:
                raise SettingsError(f"no block type {slug}: run timerex-ghl deploy") from None
    return Finding("forms", is_well=True, said=f"all {len(blocks.__all__)} exist")


async def check_ledger() -> Finding:
    """Check whether the ledger opens, which also migrates its tables to this version."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        versions = await ledger.read(published.all_published)
    return Finding("ledger", is_well=True, said=f"opens, {len(versions)} connections published")


async def check_alerts() -> Finding:
    """Check whether alerts are set up."""
    if await list_alerts():
        return Finding("alerts", is_well=True, said="sent when a run fails")
    return Finding("alerts", is_well=None, said="none are set: run timerex-ghl alerts")


async def check_connection(name: ConnectionName) -> Finding:
    """Try a connection's credentials, and compare the draft with what runs."""
    draft = await check_draft.fn(name)
    if draft.running is None:
        raise SettingsError(
            f"the draft is valid but was never published: run timerex-ghl publish {name}"
        )
    changes = difference(draft.running.settings, draft.settings)
    if changes:
        raise SettingsError(
            f"{len(changes)} settings are not published yet: run timerex-ghl publish {name}"
        )
    scopes = draft.settings.ghl.scopes
    if scopes and "contacts.write" not in scopes:
        return Finding(
            "connection", is_well=None, said="cannot write to GHL: scope contacts.write is missing"
        )
    return Finding("connection", is_well=True, said="GHL accepts it; the draft is published")


async def check_services(name: ConnectionName) -> Finding:
    """Check whether events wait for the end of an outage of GHL or TimeRex."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        lasting = await ledger.read(outages.list_outages, name)
        waiting = (await ledger.read(inbox_queue.what_waits, name)).number
    if not lasting:
        return Finding("services", is_well=True, said="GHL and TimeRex answer")
    said = "; ".join(f"{one.in_words()} ({one.reason})" for one in lasting)
    raise SettingsError(
        f"{said}: {waiting} events wait, and go on by themselves once it answers; if it lasts,"
        " check the network and the API address"
    )


async def check_poll(name: ConnectionName) -> Finding:
    """Check whether bookings are found whose webhook never arrived."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        running = await ledger.read(published.current, name)
    if running is not None and running.settings.timerex.auth != "none":
        return Finding("TimeRex poll", is_well=True, said="finds bookings that no webhook reported")
    return Finding(
        "TimeRex poll",
        is_well=None,
        said="a booking whose webhook never arrives is not found: enter a TimeRex API key",
    )


class _Schedule(NamedTuple):
    """A schedule of a deployment. `is_active`: neither it nor its deployment is paused."""

    flow: str
    id: UUID
    is_active: bool


async def check_schedules(name: ConnectionName) -> Finding:
    """Check whether the schedules of the connection and of the watch create runs."""
    slugs = {**dict.fromkeys(SCHEDULED, name), WATCH: WATCH_SLUG}
    async with get_client() as client:
        schedules = [await _read_schedule(client, flow, name, slug) for flow, slug in slugs.items()]
        idle = await _without_a_run(client, [each for each in schedules if each.is_active])
    if idle:
        raise SettingsError(
            f"{', '.join(idle)}: the schedule is active but no run is scheduled: the scheduler"
            " of the Prefect server does not work; restart the server, install SQLAlchemy below 2.1"
            " where it runs, and look for schedule_deployments in its log"
        )
    if paused := [each.flow for each in schedules if not each.is_active]:
        said = f"{', '.join(paused)} paused: resume it under Deployments in Prefect to go live"
        return Finding("schedules", is_well=None, said=said)
    return Finding("schedules", is_well=True, said=f"{', '.join(slugs)} run by themselves")


async def _read_schedule(
    client: PrefectClient, flow: str, connection: ConnectionName, slug: str
) -> _Schedule:
    try:
        deployment = await client.read_deployment_by_name(f"{flow}/{flow}")
    except ObjectNotFound:
        raise SettingsError(f"no deployment {flow}: run timerex-ghl deploy") from None
    for schedule in await client.read_deployment_schedules(deployment.id):
        if schedule.slug == slug:
            return _Schedule(flow, schedule.id, schedule.active and not deployment.paused)
    raise SettingsError(f"no schedule for {flow}: run timerex-ghl publish {connection}")


async def _without_a_run(client: PrefectClient, schedules: Iterable[_Schedule]) -> list[str]:
    """List the flows whose schedule creates no runs, after waiting for the scheduler."""
    idle = [*schedules]
    give_up_at = time.monotonic() + SCHEDULER_S
    while True:
        idle = [each for each in idle if not await _has_run_to_come(client, each)]
        if not idle or time.monotonic() >= give_up_at:
            return [each.flow for each in idle]
        await asyncio.sleep(1)


async def _has_run_to_come(client: PrefectClient, schedule: _Schedule) -> bool:
    wanted = FlowRunFilter(
        created_by=FlowRunFilterCreatedBy(id_=[schedule.id]),
        next_scheduled_start_time=FlowRunFilterNextScheduledStartTime.model_validate(
            {"after_": utc_now()}
        ),
    )
    return bool(await client.read_flow_runs(flow_run_filter=wanted, limit=1))
