"""Commands that run Prefect, deploy flows and blocks, and publish connections."""

import asyncio
import os
from contextlib import suppress
from typing import Any

import click

from timerex_ghl.cli.running import become, fail, run


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=4200, show_default=True, help="Port to listen on.")
def server(host: str, port: int) -> None:
    """Run a Prefect server with the settings this project ships; your own settings win."""
    from timerex_ghl.orchestration import processes

    become(processes.start_server(host, port), processes.server_settings(host, port))


@click.command()
def worker() -> None:
    """Run a Prefect worker for our flows. Needs PREFECT_API_URL, as Prefect does."""
    from timerex_ghl.orchestration import processes

    become(processes.start_worker(), processes.worker_settings())


@click.command()
def deploy() -> None:
    """Register the block types, create the work pool, and deploy every flow of prefect.yaml.

    Safe to repeat: existing ones are updated.
    """
    run(_deploy())


@click.command()
@click.argument("connection")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check, try the credentials and show the difference; store nothing.",
)
def publish(connection: str, dry_run: bool) -> None:
    """Check CONNECTION's blocks, try its credentials, and publish a new version."""
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # the result is printed below
    message = run(_publish(connection, dry_run=dry_run))
    click.echo(f"{connection}: {message}")


async def check_prefect() -> None:
    """Check that a Prefect server answers, before anything else calls it."""
    from httpx import HTTPError
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    from timerex_ghl.domain.shared.errors import SettingsError

    if not PREFECT_API_URL.value():
        raise SettingsError(
            "PREFECT_API_URL is not set: set it to your Prefect server's URL, for example "
            "http://127.0.0.1:4200/api"
        )
    try:
        async with get_client() as client:
            await client.api_version()
    except (HTTPError, ValueError):
        raise SettingsError(
            "no Prefect server answers at PREFECT_API_URL: start one with timerex-ghl server, "
            "or check the URL, and PREFECT_API_AUTH_STRING if the server requires one"
        ) from None


async def _publish(connection: str, *, dry_run: bool) -> str:
    await check_prefect()
    from flows.publish_connection import Mode, publish_connection
    from timerex_ghl.domain.shared.models import ConnectionName

    mode = Mode.DRY_RUN if dry_run else Mode.APPLY
    flow: Any = publish_connection  # Prefect's types know no awaited state
    state = await flow(ConnectionName(connection), mode, return_state=True)
    if not state.is_completed():
        await state.aresult()
    return state.message or ""


async def _deploy() -> None:
    await check_prefect()
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.workers.process import ProcessWorker

    import blocks
    from timerex_ghl.orchestration import processes

    template = ProcessWorker.get_default_base_job_template()
    pool = WorkPoolCreate(name=processes.POOL, type="process", base_job_template=template)
    async with get_client() as client:
        with suppress(ObjectAlreadyExists):
            await client.create_work_pool(pool)
    deploying = await asyncio.create_subprocess_exec(
        *processes.deploy(), env=processes.worker_settings()
    )
    for block in (getattr(blocks, name) for name in blocks.__all__):
        await block.aregister_type_and_schema()
    if await deploying.wait() != 0:
        fail("prefect deploy failed: see above")
