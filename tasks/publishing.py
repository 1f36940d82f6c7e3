"""Tasks that publish a connection: check the draft, store a version, add schedules."""

from prefect import task
from prefect.client.orchestration import get_client

from blocks.calendars import faults_of_calendars
from blocks.draft import (
    CheckedDraft,
    country_of,
    faults_of,
    ghl_settings_of,
    load_draft,
    refuse,
    settings_of,
)
from timerex_ghl.adapters.ledger.tables.operations import audit, published
from timerex_ghl.domain.connections.settings import ConnectionSettings
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.context import CallCount, utc_now
from timerex_ghl.orchestration.contexts import load_ledger_store, open_http
from timerex_ghl.orchestration.run_policy import AT_THE_DESK, current_run_id
from timerex_ghl.orchestration.schedules import (
    MIRROR,
    SCHEDULED,
    put_schedule,
    put_watch,
    read_deployment,
)


@task(**AT_THE_DESK, task_run_name="{connection} check")
async def check_draft(connection: ConnectionName) -> CheckedDraft:
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
            country = await country_of(client, draft.region)
            await client.search_contacts(limit=1)
            refuse(await draft.faults_of_mapping(client))
            refuse(await faults_of_calendars(draft.appointments().calendars, client))
        finally:
            await client.close()
        ghl = ghl.model_copy(update={"scopes": client.auth.scopes()})
        settings = settings_of(connection, draft, ghl, country, running)
        calendars = await draft.timerex.count_calendars(settings.timerex, ledger, http)
    return CheckedDraft(settings, running, calendars)


@task(**AT_THE_DESK, task_run_name="{connection} store")
async def store_version(connection: ConnectionName, settings: ConnectionSettings) -> int:
    """Store the next version and an audit entry; unchanged settings create no new version."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        version = await ledger.write(published.publish, settings, now=utc_now())
        await ledger.write(
            audit.record,
            connection=connection,
            what="connection published",
            subject=RecordRef("connection", connection),
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
            deployment = await read_deployment(client, name)
            minutes = mirror_minutes if name == MIRROR else every_minutes
            await put_schedule(client, deployment, connection, minutes)


@task(**AT_THE_DESK)
async def check_deployments() -> None:
    """Check that the deployments to schedule exist.

    Raises:
        SettingsError: A deployment is missing.
    """
    async with get_client() as client:
        for name in SCHEDULED:
            await read_deployment(client, name)
