"""Deliveries into the inbox, stored before anybody is told so."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl import webhooks as ghl
from timerex_ghl.adapters.ledger import clock, inbox
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.adapters.ledger.inbox import InboxState, Source
from timerex_ghl.adapters.malformed import MalformedError
from timerex_ghl.adapters.timerex import webhooks as timerex
from timerex_ghl.sync.models import ConnectionName, EventId
from timerex_ghl.sync.settings import ConnectionSettings

_MOST_AHEAD = timedelta(minutes=5)
_MOST_LATE = timedelta(days=35)  # as long as an event is kept, and so known when it comes again


class Kept(NamedTuple):
    """What became of a delivery. A repetition has the event of the first."""

    event_id: EventId
    is_malformed: bool = False


async def keep_timerex(ledger: Ledger, connection: ConnectionName, body: bytes) -> Kept:
    """Store a delivery of an authentic sender, durably, whatever it says."""
    try:
        delivery = timerex.read_delivery(body)
    except MalformedError as error:
        return await keep_malformed(ledger, connection, "timerex", body, str(error))
    return Kept(await ledger.write(_store_timerex, connection, delivery, body.decode()))


async def keep_ghl(
    ledger: Ledger, connections: Sequence[ConnectionSettings], delivery: ghl.Delivery, body: bytes
) -> Kept:
    """Store a delivery for each connection of its location; for none of them it is ignored."""
    return Kept(await ledger.write(_store_ghl, connections, delivery, body.decode()))


async def keep_malformed(
    ledger: Ledger, connection: ConnectionName | None, source: Source, body: bytes, fault: str
) -> Kept:
    """Store what we cannot read, in quarantine: should the format change, nothing is lost."""
    event_id = await ledger.write(_store_malformed, connection, source, body, fault)
    return Kept(event_id, is_malformed=True)


def _store_timerex(
    tx: Connection, connection: ConnectionName, delivery: timerex.Delivery, body: str
) -> EventId:
    event_id, _ = inbox.store_event(
        tx,
        connection=connection,
        source="timerex",
        type=delivery.type,
        dedupe_key=delivery.dedupe_key,
        body=body,
        now=clock.now(tx),
        state=InboxState.WAITING if delivery.booking else InboxState.IGNORED,
        record=f"booking:{delivery.event_id}" if delivery.event_id else "",
    )
    return event_id


def _store_ghl(
    tx: Connection, connections: Sequence[ConnectionSettings], delivery: ghl.Delivery, body: str
) -> EventId:
    now = clock.now(tx)
    if not connections:
        return _store_for(tx, None, delivery, body, now, (InboxState.IGNORED, "unknown location"))
    event_ids = [
        _store_for(tx, one.name, delivery, body, now, _fate(delivery, one, now))
        for one in connections
    ]
    return event_ids[0]


def _store_for(
    tx: Connection,
    connection: ConnectionName | None,
    delivery: ghl.Delivery,
    body: str,
    now: datetime,
    fate: tuple[InboxState, str],
) -> EventId:
    state, note = fate
    event_id, is_new = inbox.store_event(
        tx,
        connection=connection,
        source="ghl",
        type=delivery.type,
        dedupe_key=delivery.dedupe_key,
        body=body,
        now=now,
        state=state,
        record="" if state is InboxState.IGNORED else delivery.record,
    )
    if is_new and note:
        inbox.settle_event(tx, event_id, state, now=now, note=note)
    return event_id


def _fate(
    delivery: ghl.Delivery, connection: ConnectionSettings, now: datetime
) -> tuple[InboxState, str]:
    """Say in which state a delivery begins, and why.

    Its age refuses nothing, for a repetition may be days old and is read back anyway. Only one of
    the future, or older than what we remember, is not acted on.
    """
    ours, theirs = connection.ghl.app_id, delivery.app_id
    if ours and theirs and ours != theirs:
        return InboxState.IGNORED, "another app's"
    if not delivery.record:
        return InboxState.IGNORED, ""
    if delivery.sent_at and delivery.sent_at > now + _MOST_AHEAD:
        return InboxState.QUARANTINED, "its time is more than 5 minutes ahead"
    if delivery.sent_at and delivery.sent_at < now - _MOST_LATE:
        return InboxState.QUARANTINED, "it is more than 35 days old"
    return InboxState.WAITING, ""


def _store_malformed(
    tx: Connection, connection: ConnectionName | None, source: Source, body: bytes, fault: str
) -> EventId:
    now = clock.now(tx)
    event_id, is_new = inbox.store_event(
        tx,
        connection=connection,
        source=source,
        type="malformed",
        dedupe_key=f"malformed:{sha256(body).hexdigest()}",
        body=body.decode(errors="backslashreplace").replace("\0", "\\x00"),
        now=now,
        state=InboxState.QUARANTINED,
    )
    if is_new:
        inbox.settle_event(tx, event_id, InboxState.QUARANTINED, now=now, note=fault)
    return event_id
