"""Outages of GHL or TimeRex: noticed by a failing event, tried again, and ended by an answer.

An outage is not the fault of the events it hits. While it lasts, they wait in the ledger
without counting attempts, and nothing else of the connection is tried.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.adapters.ledger.tables.operations.audit import NewAuditEntry
from timerex_ghl.adapters.ledger.tables.sync import outages
from timerex_ghl.domain.monitoring.outage import Outage
from timerex_ghl.domain.shared.errors import OutageError, Service, TimerexGhlError
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.context import SyncContext

ANSWER_COUNTS = timedelta(seconds=2)
"""How long an answer shows that a service is up: many events can fail at once."""

_log = logging.getLogger(__name__)


async def is_outage(context: SyncContext, error: OutageError) -> bool:
    """Return whether a service is down, not only for the record that met the error.

    A cheap call decides. Where that fails, too, the outage is stored, for all processes.
    """
    connection, service, check = context.connection, error.service, context.service_check
    async with check.lock:
        if await context.ledger.read(outages.get_outage, connection, service) is not None:
            return True
        answered_at = check.answered_at.get(service)
        if answered_at is not None and context.now() - answered_at < ANSWER_COUNTS:
            return False
        if await _answers(context, service):
            check.answered_at[service] = context.now()
            return False
        if await context.ledger.write(_begin, context, service, str(error), context.now()):
            _log.warning("%s: %s does not answer: %s", connection, service, error)
        return True


async def try_again(context: SyncContext, service: Service) -> Outage | None:
    """Try a service that is down, if that is due; return the outage while it lasts."""
    outage = await context.ledger.read(outages.get_outage, context.connection, service)
    if outage is None:
        return None
    if not await context.ledger.write(outages.claim_try, outage, context.now()):
        return outage
    if not await _answers(context, service):
        return outage
    if await context.ledger.write(_end, context, outage, context.now()):
        lasted = context.now() - outage.since
        _log.warning("%s: %s answers again, after %s", context.connection, service, lasted)
    return None


async def _answers(context: SyncContext, service: Service) -> bool:
    """Return whether a service answers a cheap call, were it with a refusal."""
    try:
        if service == "GHL":
            await context.ghl.get_location()
        elif context.timerex is not None:
            await context.timerex.get_primary_team()
    except OutageError:
        return False
    except TimerexGhlError:
        return True
    return True


def _begin(
    tx: Connection, context: SyncContext, service: Service, reason: str, now: datetime
) -> bool:
    is_new = outages.open_outage(tx, context.connection, service, reason, now)
    if is_new:
        _record(tx, context, f"{service} does not answer", reason, now)
    return is_new


def _end(tx: Connection, context: SyncContext, outage: Outage, now: datetime) -> bool:
    has_ended = outages.close_outage(tx, outage)
    if has_ended:
        since = outage.since.isoformat()
        _record(tx, context, f"{outage.service} answers again", f"since {since}", now)
    return has_ended


def _record(tx: Connection, context: SyncContext, what: str, detail: str, now: datetime) -> None:
    subject = RecordRef("connection", context.connection)
    entry = NewAuditEntry(
        now, context.connection, what, subject, context.run_id, {"detail": detail}
    )
    audit.record_all(tx, [entry])
