"""Explain an event by its runs, or a run by its events, from the audit.

Shows ids, states and counts only, no personal values.
"""

import json
import re
from collections.abc import Iterator

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.adapters.ledger.tables.operations.audit import AuditEntry
from timerex_ghl.configuration import default_ledger_url
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import EventId
from timerex_ghl.domain.shared.record_ref import RecordRef

EVENT = re.compile(r"e_[0-9a-f]+")
MOST = 2000
"""Most audit rows shown of a run."""


async def explain(url: str | None, its_id: str, ui: str | None) -> list[str]:
    """Describe the history of an event, or the events of a flow run or task run.

    Args:
        url: SQLAlchemy URL of the ledger; None for the default one.
        its_id: Id of an event, or of a run in Prefect.
        ui: URL of the Prefect UI; None shows ids instead of links.
    """
    async with open_ledger(url or default_ledger_url()) as ledger:
        if EVENT.fullmatch(its_id):
            return await ledger.read(_of_event, EventId(its_id), ui)
        rows = await ledger.read(audit.entries_of_run, its_id, MOST)
    if not rows:
        raise SettingsError(f"no event or run {its_id} in this ledger's audit")
    return [_line(row) for row in rows]


def _of_event(tx: Connection, event_id: EventId, ui: str | None) -> list[str]:
    event = inbox.read_event(tx, event_id)
    if event is None:
        raise SettingsError(f"no event {event_id} in this ledger's inbox")
    about = [
        f"event       {event.id}, {event.source} {event.type}",
        f"connection  {event.connection or 'none'}",
        f"record      {event.record or 'none'}",
        f"received    {event.received_at:%Y-%m-%d %H:%M:%S} UTC",
        f"state       {event.state}, {event.attempts} attempts failed",
        *([f"message     {event.error}"] if event.error else []),
    ]
    rows = audit.entries_about(tx, RecordRef.event(event_id))
    return [*about, *(line for row in rows for line in _runs(row, ui))]


def _runs(row: AuditEntry, ui: str | None) -> Iterator[str]:
    yield _line(row)
    for kind, run_id in (("flow-run", row.flow_run_id), ("task-run", row.run_id)):
        if run_id is not None:
            yield f"  {kind}  {f'{ui}/runs/{kind}/{run_id}' if ui else run_id}"


def _line(row: AuditEntry) -> str:
    detail = json.dumps({key: value for key, value in row.detail.items() if value is not None})
    return f"{row.at:%Y-%m-%d %H:%M:%S}  {row.what}  {row.subject}  {detail}"
