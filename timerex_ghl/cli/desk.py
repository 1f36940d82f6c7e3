"""Commands for operators: plans of dry runs, and the history of an event or run."""

import os

import click

from timerex_ghl.cli.running import run


@click.command()
@click.argument("connection")
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
def plans(connection: str, ledger: str | None) -> None:
    """Print what the latest dry runs would write, with values: one line of JSON per record."""
    from timerex_ghl.workspace.operator_views import list_plans

    for line in run(list_plans(ledger, connection)) or ["no dry run in the last 7 days"]:
        click.echo(line)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
def explain(id_: str, ledger: str | None) -> None:
    """Show the history of an event and its runs, or the events that a run processed.

    ID is the id of an event (e_0123456789abcdef0123), or of a flow run or task run in Prefect.
    """
    from timerex_ghl.workspace import explain as explaining

    ui = os.environ.get("PREFECT_API_URL", "").rstrip("/").removesuffix("/api") or None
    for line in run(explaining.explain(ledger, id_, ui)):
        click.echo(line)
