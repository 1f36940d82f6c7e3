"""The command `timerex-ghl`: it starts things, and decides nothing.

Everything heavy is imported where it is used, so that `--help` answers at once.
"""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

import click

T = TypeVar("T")


HELP = """Keep TimeRex bookings and GoHighLevel (GHL) contacts in step, on Prefect.

New here? `timerex-ghl demo` shows the main job against the built-in sandbox.

\b
To run it for real:
  timerex-ghl server        a Prefect server (or use yours: PREFECT_API_URL)
  timerex-ghl deploy        the blocks' forms and the flows, into that server
  timerex-ghl worker        carries the flows out
  (fill in the blocks in the Prefect UI)
  timerex-ghl publish NAME  checks them and makes the version that runs
  timerex-ghl gateway       the door at which TimeRex knocks
  timerex-ghl doors         the address to enter in TimeRex
"""


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="timerex-ghl")
def main() -> None:
    """Start one of the programs."""


@main.command()
@click.option("--keep", is_flag=True, help="Leave everything running, to look around.")
def demo(keep: bool) -> None:
    """Do the main job on this machine: no account, no setup, about a minute.

    Starts the sandbox (a GHL and a TimeRex on loopback), a Prefect server, a worker and a ledger
    of its own, carries bookings and contact edits both ways, and checks that both sides agree.
    Your own Prefect profile and data are not touched. Ctrl-C ends it at any moment.
    """
    from timerex_ghl.demo.play import play

    sys.exit(_run(play(keep=keep)))


@main.command()
@click.option("--port", default=0, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print addresses and tokens as one line.")
def sandbox(port: int, as_json: bool) -> None:
    """Serve a GHL and a TimeRex that behave like the real ones, on loopback, until stopped."""
    from timerex_ghl.sandbox.server import run_sandbox

    _run(run_sandbox(port, as_json=as_json))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8400, show_default=True, help="Port; 0 takes a free one.")
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as one line of JSON.")
def gateway(host: str, port: int, ledger: str | None, as_json: bool) -> None:
    """Receive TimeRex's webhooks: check, store, answer. Needs the ledger, and no secret.

    Put a proxy with TLS before it; TimeRex delivers to https on port 443 only. `timerex-ghl doors`
    prints the path to enter in TimeRex.
    """
    from timerex_ghl.adapters.home import default_ledger_url
    from timerex_ghl.gateway.serve import run_gateway

    def say(url: str) -> None:
        click.echo(json.dumps({"base_url": url}) if as_json else f"Listening on {url}")

    _run(run_gateway(ledger or default_ledger_url(), host=host, port=port, on_ready=say))


@main.command()
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
def doors(ledger: str | None) -> None:
    """Print the webhook path of every published connection: a secret, show it to TimeRex only."""
    from timerex_ghl.adapters.home import default_ledger_url
    from timerex_ghl.adapters.ledger.core import open_ledger
    from timerex_ghl.adapters.ledger.published import all_published

    async def show() -> None:
        async with open_ledger(ledger or default_ledger_url()) as opened:
            versions = await opened.read(all_published)
        for version in versions:
            door = version.settings.timerex.door
            click.echo(f"{version.settings.name}  /webhooks/timerex/{door}")
        if not versions:
            _fail("no connection is published yet: run timerex-ghl publish NAME")

    _run(show())


@main.command()
@click.argument("connection")
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
def reviews(connection: str, ledger: str | None) -> None:
    """Print what waits for a person: a run that ended as NeedsReview has put it there."""
    from timerex_ghl.desk import list_reviews

    for line in _run(list_reviews(ledger, connection)) or ["nothing waits"]:
        click.echo(line)


@main.command()
@click.argument("connection")
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
def plans(connection: str, ledger: str | None) -> None:
    """Print what the latest previews would write, with the values: one line of JSON a person."""
    from timerex_ghl.desk import list_plans

    for line in _run(list_plans(ledger, connection)) or ["no preview in the last days"]:
        click.echo(line)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=4200, show_default=True, help="Port to listen on.")
def server(host: str, port: int) -> None:
    """Run a Prefect server with the settings this project ships. Yours, where set, come first."""
    from timerex_ghl import launch

    _become(launch.start_server(host, port), launch.server_settings(host, port))


@main.command()
def worker() -> None:
    """Run a Prefect worker that carries our flows out. Needs PREFECT_API_URL, as Prefect does."""
    from timerex_ghl import launch

    _become(launch.start_worker(), launch.worker_settings())


@main.command()
def deploy() -> None:
    """Register the blocks' forms, make the work pool, and deploy every flow of prefect.yaml.

    Safe to repeat: what is there is brought up to date.
    """
    _run(_deploy())


@main.command()
@click.argument("connection")
@click.option("--preview", is_flag=True, help="Check, try and show the difference; store nothing.")
def publish(connection: str, preview: bool) -> None:
    """Check CONNECTION's blocks, try its credentials, and make the version everything runs on."""
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # the outcome is said below
    message = _run(_publish(connection, preview=preview))
    click.echo(f"{connection}: {message}")


async def _check_prefect() -> None:
    """Make sure that a Prefect server answers, before anything asks it for more."""
    from httpx import HTTPError
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    from timerex_ghl.sync.errors import SettingsError

    if not PREFECT_API_URL.value():
        raise SettingsError(
            "PREFECT_API_URL is not set: enter your Prefect server's address, for example "
            "http://127.0.0.1:4200/api"
        )
    try:
        async with get_client() as client:
            await client.api_version()
    except (HTTPError, ValueError):
        raise SettingsError(
            "no Prefect server answers us at PREFECT_API_URL: start one with timerex-ghl server, "
            "or check the address, and PREFECT_API_AUTH_STRING where the server asks for one"
        ) from None


async def _publish(connection: str, *, preview: bool) -> str:
    await _check_prefect()
    from flows.publish_connection import Mode, publish_connection
    from timerex_ghl.sync.models import ConnectionName

    mode = Mode.PREVIEW if preview else Mode.APPLY
    flow: Any = publish_connection  # Prefect's types know no awaited state
    state = await flow(ConnectionName(connection), mode, return_state=True)
    if not state.is_completed():
        await state.aresult()
    return state.message or ""


async def _deploy() -> None:
    await _check_prefect()
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.workers.process import ProcessWorker

    import blocks
    from timerex_ghl import launch

    template = ProcessWorker.get_default_base_job_template()
    pool = WorkPoolCreate(name=launch.POOL, type="process", base_job_template=template)
    async with get_client() as client:
        with suppress(ObjectAlreadyExists):
            await client.create_work_pool(pool)
    deploying = await asyncio.create_subprocess_exec(*launch.deploy(), env=launch.worker_settings())
    for block in (getattr(blocks, name) for name in blocks.__all__):
        await block.aregister_type_and_schema()
    if await deploying.wait() != 0:
        _fail("prefect deploy failed: see above")


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; say in one line what a person can mend."""
    from timerex_ghl.sync.errors import TimerexGhlError

    try:
        return asyncio.run(work)
    except TimerexGhlError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("stopped", code=130)


def _fail(message: str, code: int = 1) -> NoReturn:
    click.echo(f"timerex-ghl: {message}", err=True)
    sys.exit(code)


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Turn into another program: its signals and its exit code are then ours."""
    os.execvpe(command[0], command, environment)  # noqa: S606  no shell, our own command
