"""Commands for the operator's desk: what was only planned."""

import os

import click

from timerex_ghl.cli.running import run


@click.command()
@click.argument("connection")
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
def plans(connection: str, ledger: str | None) -> None:
    """Print what the latest dry runs would write, with the values: one line of JSON a person."""
    from timerex_ghl.desk import list_plans

    for line in run(list_plans(ledger, connection)) or ["no dry run in the last days"]:
        click.echo(line)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
def explain(id_: str, ledger: str | None) -> None:
    """Show what became of an event and in which runs, or what a run carried.

    ID is an event's (e_0123456789abcdef0123), or a flow run's or task run's as Prefect shows it.
    """
    from timerex_ghl import explain as explaining

    ui = os.environ.get("PREFECT_API_URL", "").rstrip("/").removesuffix("/api") or None
    for line in run(explaining.explain(ledger, id_, ui)):
        click.echo(line)
