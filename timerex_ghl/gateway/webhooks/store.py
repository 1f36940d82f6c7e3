"""Storing deliveries in the inbox before they are acknowledged."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.webhooks import deliveries as ghl
from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import Arrival, InboxState, Source
from timerex_ghl.adapters.malformed import MalformedError
from timerex_ghl.adapters.timerex import webhooks as timerex
from timerex_ghl.domain.connections.settings import ConnectionSettings
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.record_ref import RecordRef

_MOST_AHEAD = timedelta(minutes=5)
_MOST_LATE = timedelta(days=35)  # as long as events are stored, so that a repetition is recognised


class Kept(NamedTuple):
    """A stored delivery. A repetition has the event of the first."""

    event_id: EventId
    is_malformed: bool = False


async def keep_timerex(ledger: Ledger, connection: ConnectionName, body: bytes) -> Kept:
    """Store a delivery of an authenticated sender durably, even if malformed."""
    try:
        delivery = timerex.read_delivery(body)
    except MalformedError as error:
        return await keep_malformed(ledger, connection, "timerex", body, str(error))
    arrival = Arrival(
        connection,
        "timerex",
        delivery.type,
        delivery.dedupe_key,
        body.decode(),
        InboxState.WAITING if delivery.booking else InboxState.IGNORED,
        RecordRef.booking(delivery.event_id) if delivery.event_id else None,
    )
    return Kept(await _store(ledger, arrival))


async def keep_ghl(
    ledger: Ledger,
    connections: Sequence[ConnectionSettings],
    delivery: ghl.GhlDelivery,
    body: bytes,
) -> Kept:
    """Store a delivery for each connection of its location; without one it is ignored."""
    text, now = body.decode(), datetime.now(UTC)
    kept = [
        await _store(ledger, _arrival_of(connection, delivery, text, now))
        for connection in connections or [None]
    ]
    return Kept(kept[0])


async def keep_malformed(
    ledger: Ledger, connection: ConnectionName | None, source: Source, body: bytes, fault: str
) -> Kept:
    """Quarantine a delivery that cannot be parsed: if the format changes, nothing is lost."""
    arrival = Arrival(
        connection,
        source,
        "malformed",
        f"malformed:{sha256(body).hexdigest()}",
        body.decode(errors="backslashreplace").replace("\0", "\\x00"),
        InboxState.QUARANTINED,
        note=fault,
    )
    return Kept(await _store(ledger, arrival), is_malformed=True)


async def _store(ledger: Ledger, arrival: Arrival) -> EventId:
    """Store a delivery, batched with those that arrive at the same moment."""
    return await ledger.write_together(_store_all, arrival)


def _store_all(tx: Connection, arrivals: list[Arrival]) -> list[EventId]:
    return [stored.event_id for stored in inbox.store_events(tx, arrivals, clock.now(tx))]


def _arrival_of(
    connection: ConnectionSettings | None, delivery: ghl.GhlDelivery, body: str, now: datetime
) -> Arrival:
    state, note = _fate_of(connection, delivery, now)
    return Arrival(
        connection.name if connection else None,
        "ghl",
        delivery.type,
        delivery.dedupe_key,
        body,
        state,
        None if state is InboxState.IGNORED else delivery.record,
        note,
    )


def _fate_of(
    connection: ConnectionSettings | None, delivery: ghl.GhlDelivery, now: datetime
) -> tuple[InboxState, str]:
    """Return the initial state of a delivery, and the reason.

    An old delivery is accepted: a repetition may be days late, and the record is read back anyway.
    Only one dated in the future, or older than the retention of events, is quarantined.
    """
    if connection is None:
        return InboxState.IGNORED, "of a location that is not connected"
    if delivery.app_id and connection.ghl.app_id not in {None, delivery.app_id}:
        return InboxState.IGNORED, "of another app"
    if delivery.record is None:
        return InboxState.IGNORED, ""
    if delivery.sent_at and delivery.sent_at > now + _MOST_AHEAD:
        return InboxState.QUARANTINED, "its time is more than 5 minutes ahead"
    if delivery.sent_at and delivery.sent_at < now - _MOST_LATE:
        return InboxState.QUARANTINED, "it is more than 35 days old"
    return InboxState.WAITING, ""
