"""Dry run plans: stored and shown, not applied. Prefect shows counts, the CLI values."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Index, Table, Text, delete, select, tuple_

from timerex_ghl.adapters.ledger.db.schema import JsonText, RefText, UtcTime, metadata
from timerex_ghl.adapters.ledger.db.upsert import upsert
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef

_previews = Table(
    "dry_run_plans",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("record_key", RefText, primary_key=True),
    Column("plan", JsonText, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Index(None, "made_at"),
)


def save_plan(
    tx: Connection,
    connection: ConnectionName,
    record_key: RecordRef,
    plan: dict[str, Any],
    now: datetime,
) -> None:
    """Store the plan of a record in place of an earlier one."""
    row = {
        "connection": connection,
        "record_key": record_key,
        "plan": plan,
        "made_at": now,
    }
    upsert(tx, _previews, [row], keys=["connection", "record_key"])


def fields_to_ghl(plan: dict[str, Any]) -> list[str]:
    """List what a plan writes to GHL: field names and kinds of tag changes, no values."""
    return [
        f"{action['kind']}: {', '.join(sorted(action['values']))}"
        if action.get("values")
        else action["kind"]
        for action in plan.get("to_ghl", ())
    ]


def fields_to_workspace(plan: dict[str, Any]) -> list[str]:
    """List the fields that a plan, or a new contact, writes to the workspace."""
    change = plan.get("to_workspace", plan)
    fields = sorted(name for name, value in change.get("values", {}).items() if value is not None)
    return [*fields, "tags"] if change.get("tags_added") or change.get("tags_removed") else fields


def read_plans(
    tx: Connection, connection: ConnectionName, since: datetime
) -> dict[RecordRef, dict[str, Any]]:
    """Read the plans made since a time, by record."""
    rows = tx.execute(
        select(_previews.c.record_key, _previews.c.plan)
        .where(_previews.c.connection == connection, _previews.c.made_at >= since)
        .order_by(_previews.c.record_key)
    )
    return {row.record_key: row.plan for row in rows}


def forget_plans(tx: Connection, before: datetime, rows: int) -> int:
    """Delete plans made before a time, oldest first; return their number."""
    key = (_previews.c.connection, _previews.c.record_key)
    old = select(*key).where(_previews.c.made_at < before).order_by(_previews.c.made_at).limit(rows)
    return tx.execute(delete(_previews).where(tuple_(*key).in_(old))).rowcount
