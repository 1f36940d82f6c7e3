"""One delivery into the inbox, stored before anybody is told so."""

import hashlib
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import clock, inbox
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.adapters.ledger.inbox import InboxState
from timerex_ghl.adapters.timerex.webhooks import Delivery, MalformedError, read_delivery
from timerex_ghl.sync.models import ConnectionName, EventId


class Kept(NamedTuple):
    """What became of a delivery. A repetition has the event of the first."""

    event_id: EventId
    is_malformed: bool


async def keep_delivery(ledger: Ledger, connection: ConnectionName, body: bytes) -> Kept:
    """Store a delivery of an authentic sender, durably, whatever it says.

    One we cannot read is kept too, in quarantine: should TimeRex change its format, no booking is
    lost.
    """
    try:
        delivery = read_delivery(body)
    except MalformedError as error:
        event_id = await ledger.write(_quarantine, connection, body, str(error))
        return Kept(event_id, is_malformed=True)
    event_id = await ledger.write(_store, connection, delivery, body.decode())
    return Kept(event_id, is_malformed=False)


def _store(tx: Connection, connection: ConnectionName, delivery: Delivery, body: str) -> EventId:
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


def _quarantine(tx: Connection, connection: ConnectionName, body: bytes, fault: str) -> EventId:
    now = clock.now(tx)
    event_id, is_new = inbox.store_event(
        tx,
        connection=connection,
        source="timerex",
        type="malformed",
        dedupe_key=f"malformed:{hashlib.sha256(body).hexdigest()}",
        body=body.decode(errors="backslashreplace").replace("\0", "\\x00"),
        now=now,
        state=InboxState.QUARANTINED,
    )
    if is_new:
        inbox.settle_event(tx, event_id, InboxState.QUARANTINED, now=now, note=fault)
    return event_id
