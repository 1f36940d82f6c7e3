"""`timerex-ghl deletes`: deletes that are pending until a person decides."""

import json
from datetime import timedelta
from typing import Any

import click

from timerex_ghl.cli.running import run
from timerex_ghl.cli.workspace import Where, reaches

WHERE = {"workspace": "in the workspace", "ghl": "in GHL"}


@click.command()
@reaches
def deletes(*, where: Where) -> None:
    """Print notes and tasks deleted in one system and kept in the other until a person decides.

    Many deletes at once are pending: see most_deletes in docs/connect.md. Prints ids and ages
    only, oldest first. Decide with `timerex-ghl reviews`.
    """
    pending = run(_pending(where))
    for one in pending:
        click.echo(json.dumps(one) if where.as_json else _line(one))
    if not pending and not where.as_json:
        click.echo("no pending deletes")


def _line(one: dict[str, Any]) -> str:
    age = timedelta(seconds=one["age_s"])
    return f"{one['kind']}:{one['id']}  deleted {WHERE[one['side']]}, pending for {age}"


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
