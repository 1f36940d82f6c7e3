"""`timerex-ghl deletes`: deletes that are pending until a person decides, and what others cost."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from timerex_ghl.cli.running import run
from timerex_ghl.cli.workspace import Where, reaches

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from timerex_ghl.domain.activities.discarded_edit import DiscardedEdit
    from timerex_ghl.workspace.edits import Editor

WHERE = {"workspace": "in the workspace", "ghl": "in GHL"}


@click.command()
@click.option(
    "--discarded", is_flag=True, help="Print edits that a delete discarded, with their values."
)
@reaches
def deletes(*, discarded: bool, where: Where) -> None:
    """Print notes and tasks deleted in one system and kept in the other until a person decides.

    Many deletes at once are pending: see most_deletes in docs/connect.md. Prints ids and ages
    only, oldest first. Decide with `timerex-ghl reviews`.

    A delete wins over an edit in the other system. What was edited is kept: see --discarded.
    """
    if discarded:
        _print_discarded(where)
        return
    pending = run(_pending(where))
    for one in pending:
        click.echo(json.dumps(one) if where.as_json else _line(one))
    if not pending and not where.as_json:
        click.echo("no pending deletes")


def _line(one: dict[str, Any]) -> str:
    age = timedelta(seconds=one["age_s"])
    return f"{one['kind']}:{one['id']}  deleted {WHERE[one['side']]}, pending for {age}"


def _print_discarded(where: Where) -> None:
    found = where.read(_read_discarded)
    for edit in found:
        click.echo(edit.model_dump_json() if where.as_json else _edit_line(edit))
    if not found and not where.as_json:
        click.echo("no discarded edits")


def _edit_line(edit: "DiscardedEdit") -> str:
    values = json.dumps(edit.values, ensure_ascii=False)
    return (
        f"{edit.kind}:{edit.id}  contact {edit.contact_id}  deleted {WHERE[edit.deleted_in]}"
        f" {edit.discarded_at:%Y-%m-%d %H:%M} UTC, edited: {values}"
    )


def _read_discarded(tx: "Connection", editor: "Editor") -> "list[DiscardedEdit]":
    from timerex_ghl.adapters.ledger.tables.activities.discarded_edits import list_discarded

    return list_discarded(tx, editor.connection)


async def _pending(where: Where) -> list[dict[str, Any]]:
    from timerex_ghl.adapters.ledger.db import clock
    from timerex_ghl.adapters.ledger.tables.activities import pending_deletes

    async with where.opened() as (ledger, editor):
        now = await ledger.read(clock.now)
        found = await ledger.read(pending_deletes.list_deletes, editor.connection, ("pending",))
    return [
        {
            "kind": one.kind,
            "id": one.local_id,
            "side": one.side,
            "found_at": one.found_at.isoformat(),
            "age_s": int((now - one.found_at).total_seconds()),
        }
        for one in found
    ]
