"""`timerex-ghl differences`: records whose two sides differ, and stay so."""

from typing import TYPE_CHECKING

import click

from timerex_ghl.cli.workspace import Where, reaches

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from timerex_ghl.workspace.difference_views import DifferenceView
    from timerex_ghl.workspace.edits import Editor


@click.command()
@reaches
def differences(*, where: Where) -> None:
    """Print contacts, notes and tasks that differ in both systems for good, and why.

    Prints ids, names of fields and reasons only. A field that was emptied on one side is emptied
    on the other once the field mapping says so (`empty_wipes`); the next run applies what is
    published.
    """
    found = where.read(_read)
    for one in found:
        click.echo(one.model_dump_json() if where.as_json else _line(one))
    if not found and not where.as_json:
        click.echo("no standing differences")


def _line(one: "DifferenceView") -> str:
    fields = ", ".join(f"{field} ({reason})" for field, reason in sorted(one.fields.items()))
    return f"{one.kind}:{one.id}  GHL {one.ghl_id}  {fields}"


def _read(tx: "Connection", editor: "Editor") -> "list[DifferenceView]":
    from timerex_ghl.adapters.ledger.tables.sync.differences import page_of_differences
    from timerex_ghl.workspace.difference_views import view_of_difference

    return [*map(view_of_difference, page_of_differences(tx, editor.connection))]
