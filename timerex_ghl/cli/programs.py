"""Commands that run the demo, the sandbox and the gateway, and print webhook paths."""

import json
import sys

import click

from timerex_ghl.cli.running import fail, run


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything running.")
def demo(keep: bool) -> None:
    """Show the main job on this machine: no account, no setup, about a minute.

    Starts the sandbox (a GHL and a TimeRex on loopback), a Prefect server, a worker and a ledger
    of its own, syncs bookings and contact edits in both directions, and checks that both sides
    agree. Your own Prefect profile and data are not touched. Ctrl-C ends it at any time.
    """
    from timerex_ghl.demo.run import play

    sys.exit(run(play(keep=keep)))


@click.command()
@click.option("--port", default=0, show_default=True, help="Port to listen on; 0 picks a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print URLs and tokens as one line of JSON.")
def sandbox(port: int, as_json: bool) -> None:
    """Serve a GHL and a TimeRex that behave like the real ones, on loopback, until stopped."""
    from timerex_ghl.sandbox.server import run_sandbox

    run(run_sandbox(port, as_json=as_json))


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8400, show_default=True, help="Port; 0 picks a free one.")
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
@click.option(
    "--allowed-host",
    "hosts",
    multiple=True,
    help="Allowed value of the Host header; may be repeated. Default: any.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the URL as one line of JSON.")
def gateway(
    host: str, port: int, ledger: str | None, hosts: tuple[str, ...], as_json: bool
) -> None:
    """Receive, check and store the webhooks of TimeRex and GHL. Needs no credentials.

    Put a proxy with TLS in front of it; TimeRex delivers only to https on port 443.
    `timerex-ghl endpoints` prints the path to enter in TimeRex; in your GHL app enter
    /webhooks/ghl.
    """
    from timerex_ghl.configuration import default_ledger_url
    from timerex_ghl.gateway.serve import run_gateway

    def say(url: str) -> None:
        click.echo(json.dumps({"base_url": url}) if as_json else f"Listening on {url}")

    url = ledger or default_ledger_url()
    run(run_gateway(url, host=host, port=port, on_ready=say, hosts=hosts))


@click.command()
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
def endpoints(ledger: str | None) -> None:
    """Print the webhook path of every published connection: a secret, for TimeRex only."""
    from timerex_ghl.adapters.ledger.db.core import open_ledger
    from timerex_ghl.adapters.ledger.tables.operations.published import all_published
    from timerex_ghl.configuration import default_ledger_url

    async def show() -> None:
        async with open_ledger(ledger or default_ledger_url()) as opened:
            versions = await opened.read(all_published)
        for version in versions:
            endpoint = version.settings.timerex.endpoint
            click.echo(f"{version.settings.name}  /webhooks/timerex/{endpoint}")
        if not versions:
            fail("no connection is published yet: run timerex-ghl publish NAME")

    run(show())
