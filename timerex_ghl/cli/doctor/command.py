"""`timerex-ghl doctor`: check the setup and say what to fix."""

import json
import sys
from typing import Any

import click

from timerex_ghl.cli.running import run


@click.command()
@click.argument("connection", required=False)
@click.option("--gateway-url", help="Public URL of the gateway, to check its webhook endpoint.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON per finding.")
def doctor(connection: str | None, gateway_url: str | None, as_json: bool) -> None:
    """Check the setup, and say what to do.

    Checks this machine, Prefect and the ledger; with CONNECTION also its credentials, and whether
    its blocks are published. Exits with 1 if anything has to be fixed. See docs/connect.md.
    """
    found = run(_check(connection, gateway_url, as_json=as_json))
    sys.exit(1 if False in found else 0)


async def _check(
    connection: str | None, gateway_url: str | None, *, as_json: bool
) -> list[bool | None]:
    from timerex_ghl.cli.orchestration import check_prefect

    await check_prefect()
    from timerex_ghl.cli.doctor.checks import check_up
    from timerex_ghl.orchestration.processes import POOL

    found: list[Any] = []
    async for finding in check_up(POOL, connection, gateway_url):
        click.echo(json.dumps(finding._asdict()) if as_json else finding.in_words())
        found.append(finding.is_well)
    return found
