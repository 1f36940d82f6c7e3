"""What `watch` reports: connections with late events or silent webhooks, once each."""

from datetime import timedelta
from typing import NamedTuple

from prefect.events import emit_event
from pydantic import AwareDatetime
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox_queue
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.adapters.ledger.tables.sync import cursors, outages
from timerex_ghl.domain.monitoring.outage import Outage
from timerex_ghl.domain.monitoring.silence import Silence
from timerex_ghl.domain.shared.errors import Service
from timerex_ghl.domain.shared.models import ConnectionName, Record
from timerex_ghl.engine.monitoring.silent_webhooks import find_silences

REPORT_AGAIN_AFTER = timedelta(hours=1)
"""A continuing silence is reported again after this, if polls found more changes."""


REPORT_OUTAGE_AFTER = timedelta(minutes=5)
"""A shorter outage is repaired before anybody could act on the report."""


class SilenceReport(Record):
    """What was last reported about a silence, and when."""

    at: AwareDatetime
    newest: AwareDatetime


def emit(event: str, connection: ConnectionName, **payload: str | int) -> None:
    """Emit a Prefect event about a connection; automations turn it into an alert."""
    emit_event(
        event=event,
        resource={"prefect.resource.id": f"timerex-ghl.connection.{connection}"},
        payload={"connection": connection, **payload},
    )


async def is_reported(
    ledger: Ledger,
    connection: ConnectionName,
    service: Service,
    silence: Silence,
    now: AwareDatetime,
) -> bool:
    """Return whether a silence was reported, and polls have found little since."""
    saved = await ledger.read(cursors.get_cursor, connection, _cursor_of(service))
    if saved is None:
        return False
    reported = SilenceReport.model_validate_json(saved)
    return silence.newest <= reported.newest or now - reported.at < REPORT_AGAIN_AFTER


async def note_reported(
    ledger: Ledger,
    connection: ConnectionName,
    service: Service,
    silence: Silence,
    now: AwareDatetime,
) -> None:
    """Record that a silence was reported."""
    reported = SilenceReport(at=now, newest=silence.newest).model_dump_json()
    await ledger.write(cursors.save_cursor, connection, _cursor_of(service), reported)


def _cursor_of(service: Service) -> str:
    return f"silence-{service}"


class OutageNotice(NamedTuple):
    """An outage to report, and how many events wait."""

    outage: Outage
    waiting: int

    @property
    def once(self) -> tuple[str, str]:
        """Return the cursor that records the report: one an outage."""
        return f"outage-{self.outage.service}", self.outage.since.isoformat()


def unreported_outages(tx: Connection) -> list[OutageNotice]:
    """Find outages that have lasted for minutes and were not reported."""
    now = clock.now(tx)
    notices = [
        OutageNotice(one, inbox_queue.what_waits(tx, one.connection).number)
        for one in outages.list_outages(tx)
        if now - one.since >= REPORT_OUTAGE_AFTER
    ]
    return [
        notice
        for notice in notices
        if cursors.get_cursor(tx, notice.outage.connection, notice.once[0]) != notice.once[1]
    ]


def late_connections(
    tx: Connection, older_than: timedelta
) -> dict[ConnectionName, tuple[int, int]]:
    """Find late connections: number of pending events, and age of the oldest in minutes.

    Those that wait for the end of an outage are reported as such.
    """
    down = outages.connections_without(tx, "GHL")
    now = clock.now(tx)
    found: dict[ConnectionName, tuple[int, int]] = {}
    for version in published.all_published(tx):
        name = version.settings.name
        waiting = inbox_queue.what_waits(tx, name)
        if name in down:
            continue
        if waiting.since is not None and now - waiting.since > older_than:
            found[name] = waiting.number, int((now - waiting.since).total_seconds() // 60)
    return found


def silent_connections(tx: Connection) -> dict[tuple[ConnectionName, Service], Silence]:
    """Find silent webhooks by connection and service."""
    now = clock.now(tx)
    return {
        (version.settings.name, service): silence
        for version in published.all_published(tx)
        for service, silence in find_silences(tx, version.settings.name, now).items()
    }
