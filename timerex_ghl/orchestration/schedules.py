"""The schedules on which flows run: of each published connection, and of the watch."""

from datetime import timedelta

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.exceptions import ObjectNotFound

from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.context import utc_now
from timerex_ghl.orchestration.automations import PREFIX

WATCH = "watch"
WATCH_SLUG = PREFIX.rstrip(": ")
WATCH_EVERY = timedelta(minutes=5)

MIRROR = "activity-mirror"
SCHEDULED = ("contact-sync", "booking-to-crm", "timerex-poll", MIRROR)
"""The deployments on which every published connection has a schedule."""


async def put_watch(client: PrefectClient, *, wake: bool = False) -> None:
    """Schedule the watch every few minutes; a paused schedule stays paused unless `wake`.

    Raises:
        SettingsError: It is not deployed.
    """
    deployment = await read_deployment(client, WATCH)
    for old in await client.read_deployment_schedules(deployment.id):
        if old.slug == WATCH_SLUG:
            if wake:
                await client.update_deployment_schedule(deployment.id, old.id, active=True)
            return
    schedule = IntervalSchedule(interval=WATCH_EVERY)
    await client.create_deployment_schedules(deployment.id, [(schedule, True)], slug=WATCH_SLUG)


async def read_deployment(client: PrefectClient, name: str) -> DeploymentResponse:
    """Read a deployment of ours.

    Raises:
        SettingsError: It does not exist.
    """
    try:
        return await client.read_deployment_by_name(f"{name}/{name}")
    except ObjectNotFound:
        raise SettingsError(f"no deployment {name}: run timerex-ghl deploy first") from None


async def put_schedule(
    client: PrefectClient,
    deployment: DeploymentResponse,
    connection: ConnectionName,
    every_minutes: int,
) -> None:
    """Add a connection's schedule to a deployment, or change its interval; its slug is the name."""
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
