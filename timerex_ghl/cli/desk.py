"""Commands for the operator's desk: what was only planned."""

import click

from timerex_ghl.cli.running import run


@click.command()
@click.argument("connection")
@click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
def plans(connection: str, ledger: str | None) -> None:
    """Print what the latest previews would write, with the values: one line of JSON a person."""
    from timerex_ghl.desk import list_plans

    for line in run(list_plans(ledger, connection)) or ["no preview in the last days"]:
        click.echo(line)
