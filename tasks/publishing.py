"""Tasks that publish a connection: check the draft, store a version, add schedules."""

from datetime import timedelta
from typing import NamedTuple

from prefect import task
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.exceptions import ObjectNotFound

from blocks.calendars import faults_of_calendars
from blocks.contexts import load_ledger_store, open_http
from blocks.draft import faults_of, ghl_settings_of, load_draft, refuse, settings_of
from tasks.policy import AT_THE_DESK, current_run_id
from tasks.watching import put_watch
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ledger.tables.operations import audit, published
from timerex_ghl.domain.connections.settings import ConnectionSettings, PublishedConnection
from timerex_ghl.domain.shared.errors import ScopeError, SettingsError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.context import CallCount, utc_now

MIRROR = "activity-mirror"
SCHEDULED = ("contact-sync", "booking-to-crm", "timerex-poll", MIRROR)
"""The deployments on which every published connection has a schedule."""


class Checked(NamedTuple):
    """A draft that passed the checks, with the version that runs now.

    Attributes:
        calendars: Number of calendars in TimeRex's REST API; None without credentials for it.
    """

    settings: ConnectionSettings
    running: PublishedConnection | None
    calendars: int | None


@task(**AT_THE_DESK, task_run_name="{connection} check")
async def check_draft(connection: ConnectionName) -> Checked:
    """Load and validate a connection's blocks, and try the credentials.

    Raises:
        SettingsError: The draft is invalid; one line per fault.
        CredentialsError: GHL or TimeRex does not accept the credentials.
        ScopeError: The credentials lack a scope that reading needs.
    """
    draft = await load_draft(connection)
    refuse(faults_of(connection, draft))
    store = await load_ledger_store()
    async with store.open() as ledger, open_http(CallCount()) as http:
        running = await ledger.read(published.current, connection)
        ghl = ghl_settings_of(draft)
        client = draft.ghl.open_client(ghl, ledger, http)
        try:
            country = await _country_of(client, draft.region)
            await client.search_contacts(limit=1)
            refuse(await draft.faults_of_mapping(client))
            refuse(await faults_of_calendars(draft.appointments().calendars, client))
        finally:
            await client.close()
        ghl = ghl.model_copy(update={"scopes": client.auth.scopes()})
        settings = settings_of(connection, draft, ghl, country, running)
        calendars = await draft.timerex.count_calendars(settings.timerex, ledger, http)
    return Checked(settings, running, calendars)


async def _country_of(client: GhlClient, region: str) -> str | None:
    """Read the location's country; None if the token may not but the draft has a region.

    Raises:
        SettingsError: The token may not read it, and the draft has no region.
    """
    try:
        return (await client.get_location()).country
    except ScopeError:
        if region.strip():
            return None
        raise SettingsError(
            "region: enter your two-letter country code, for example JP: the token lacks the scope"
            " locations.readonly, so the location's country cannot be read"
        ) from None


@task(**AT_THE_DESK, task_run_name="{connection} store")
async def store_version(connection: ConnectionName, settings: ConnectionSettings) -> int:
    """Store the next version and an audit entry; unchanged settings create no new version."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        version = await ledger.write(published.publish, settings, now=utc_now(), by="flow run")
        await ledger.write(
            audit.record,
            connection=connection,
            what="connection published",
            subject=f"connection:{connection}",
            run_id=current_run_id(),
            detail={"version": version.version},
            now=utc_now(),
        )
    return version.version


@task(**AT_THE_DESK, task_run_name="{connection} schedules")
async def put_schedules(
    connection: ConnectionName, every_minutes: int, mirror_minutes: int
) -> None:
    """Add or update this connection's schedule on each deployment; its slug is the name.

    Publishing the first connection also schedules the watch, which deletes old events.
    """
    async with get_client() as client:
        await put_watch(client)
        for name in SCHEDULED:
            deployment = await _read_deployment(client, name)
            minutes = mirror_minutes if name == MIRROR else every_minutes
            await _put_schedule(client, deployment, connection, minutes)


@task(**AT_THE_DESK)
async def check_deployments() -> None:
    """Check that the deployments to schedule exist.

    Raises:
        SettingsError: A deployment is missing.
    """
    async with get_client() as client:
        for name in SCHEDULED:
            await _read_deployment(client, name)


async def _read_deployment(client: PrefectClient, name: str) -> DeploymentResponse:
    try:
        return await client.read_deployment_by_name(f"{name}/{name}")
    except ObjectNotFound:
        raise SettingsError(f"no deployment {name}: run timerex-ghl deploy first") from None


async def _put_schedule(
    client: PrefectClient,
    deployment: DeploymentResponse,
    connection: ConnectionName,
    every_minutes: int,
) -> None:
    schedule = IntervalSchedule(interval=timedelta(minutes=every_minutes), anchor_date=utc_now())
    parameters = {"connection": connection}
    for old in await client.read_deployment_schedules(deployment.id):
        if old.slug == connection:
            if _interval_of(old.schedule) != schedule.interval:
                await client.update_deployment_schedule(
                    deployment.id, old.id, schedule=schedule, parameters=parameters
                )
            return
    await client.create_deployment_schedules(
        deployment.id, [(schedule, True)], parameters=parameters, slug=connection
    )


def _interval_of(schedule: object) -> timedelta | None:
    return schedule.interval if isinstance(schedule, IntervalSchedule) else None
