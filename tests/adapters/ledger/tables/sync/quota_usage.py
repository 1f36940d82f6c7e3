"""How much of a location's call budget is used, as the table `quota` says."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.schema import EPOCH, metadata
from timerex_ghl.domain.shared.models import LocationId


class QuotaUsage(NamedTuple):
    """Calls in the window and today, and the end of a pause."""

    in_window: int
    today: int
    paused_until: datetime | None


def read_usage(tx: Connection, location_id: LocationId) -> QuotaUsage:
    table = metadata.tables["quota"]
    row = tx.execute(select(table).where(table.c.location_id == location_id)).one_or_none()
    if row is None:
        return QuotaUsage(0, 0, None)
    now_ms = (clock.now(tx) - EPOCH) // timedelta(milliseconds=1)
    taken = [free_ms for free_ms in row.slots + row.behind if free_ms > now_ms]
    return QuotaUsage(len(taken), row.today, row.paused_until)
