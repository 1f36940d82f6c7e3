"""Flow that checks a connection's settings and publishes them as the version that runs."""

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.contact_sync import Mode
from tasks.publishing import check_deployments, check_draft, put_schedules, store_version
from timerex_ghl.domain.connections.setting_changes import difference
from timerex_ghl.domain.shared.models import ConnectionName


@flow(name="publish-connection", flow_run_name="{connection} {mode}")
async def publish_connection(connection: ConnectionName, mode: Mode = Mode.APPLY) -> State[None]:
    """Check a connection's blocks, try its credentials, and publish a new version.

    Args:
        connection: Name of the block of type TimeRex GHL Connection.
        mode: dry-run checks, tries the credentials and shows the difference; apply also publishes.
    """
    await check_deployments()
    settings, running, calendars = await check_draft(connection)
    changes = difference(running.settings if running else None, settings)
    if mode is Mode.DRY_RUN:
        said = f"would change {len(changes)} settings"
    else:
        version = await store_version(connection, settings)
        await put_schedules(connection, settings.poll_minutes, settings.activities.task_minutes)
        said = f"version {version} runs now, {len(changes)} settings changed"
    if calendars is not None:
        said = f"{said}; TimeRex shows {calendars} calendars"
    await acreate_markdown_artifact(
        key=f"publish-connection-{connection}",
        markdown="\n".join(
            [f"### {connection}: {said}", "", *(f"- {line}" for line in changes or ["no change"])]
        ),
        description=said,
    )
    return Completed(message=said)
