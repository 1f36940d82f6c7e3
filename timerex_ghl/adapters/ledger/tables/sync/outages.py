"""Outages of services that last: while one does, no event of the connection is handed out."""

from datetime import datetime

from sqlalchemy import Column, Connection, Integer, Table, Text, delete, select, update

from timerex_ghl.adapters.ledger.db.schema import UtcTime, metadata
from timerex_ghl.adapters.ledger.db.upsert import upsert
from timerex_ghl.domain.monitoring.outage import Outage, pause_after_tries
from timerex_ghl.domain.shared.errors import Service
from timerex_ghl.domain.shared.models import ConnectionName

_outages = Table(
    "outages",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("since", UtcTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", UtcTime, nullable=False),
)


def open_outage(
    tx: Connection, connection: ConnectionName, service: Service, reason: str, now: datetime
) -> bool:
    """Store that a service does not answer; False where that is known."""
    if get_outage(tx, connection, service) is not None:
        return False
    outage = Outage(
        connection=connection,
        service=service,
        since=now,
        reason=reason,
        tries=0,
        next_try_at=now + pause_after_tries(0),
    )
    upsert(tx, _outages, [dict(outage)], keys=["connection", "service"])
    return True


def get_outage(tx: Connection, connection: ConnectionName, service: Service) -> Outage | None:
    """Read the outage of a service; None where it answers."""
    return next(
        (one for one in list_outages(tx, connection) if one.service == service),
        None,
    )


def list_outages(tx: Connection, connection: ConnectionName | None = None) -> list[Outage]:
    """List the outages of a connection, or of all, oldest first."""
    statement = select(_outages).order_by(_outages.c.since, _outages.c.connection)
    if connection is not None:
        statement = statement.where(_outages.c.connection == connection)
    return [Outage.model_validate(dict(row)) for row in tx.execute(statement).mappings()]


def connections_without(tx: Connection, service: Service) -> set[ConnectionName]:
    """Return the connections for which a service does not answer."""
    found = tx.scalars(select(_outages.c.connection).where(_outages.c.service == service))
    return {ConnectionName(name) for name in found}


def claim_try(tx: Connection, outage: Outage, now: datetime) -> bool:
    """Claim the next try, for one process; False where it is not due, or another one has it."""
    tries = outage.tries + 1
    claimed = tx.execute(
        update(_outages)
        .where(
            _outages.c.connection == outage.connection,
            _outages.c.service == outage.service,
            _outages.c.tries == outage.tries,
            _outages.c.next_try_at <= now,
        )
        .values(tries=tries, next_try_at=now + pause_after_tries(tries))
    )
    return claimed.rowcount > 0


def close_outage(tx: Connection, outage: Outage) -> bool:
    """Drop an outage that has ended; False where another process did."""
    dropped = tx.execute(
        delete(_outages).where(
            _outages.c.connection == outage.connection, _outages.c.service == outage.service
        )
    )
    return dropped.rowcount > 0
