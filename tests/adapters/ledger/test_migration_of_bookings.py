"""Bookings of a ledger that knew no API yet."""

from alembic import command
from sqlalchemy import Connection, column, insert, table

from tests import make
from timerex_ghl.adapters.ledger import bookings
from timerex_ghl.adapters.ledger.bookings import BookingRow
from timerex_ghl.adapters.ledger.core import open_ledger
from timerex_ghl.adapters.ledger.engine import make_engines
from timerex_ghl.adapters.ledger.migrations.upgrade import config
from timerex_ghl.adapters.ledger.schema import EPOCH, JsonText
from timerex_ghl.domain.models import BookingState, ConnectionName, ContactId

AOBA = ConnectionName("aoba")
COLUMNS = (
    "connection", "id", "old_id", "new_id", "state", "contact_id", "starts_at", "verified", "body",
    "updated_at",
)  # fmt: skip


def fill_as_before(tx: Connection) -> None:
    """Make the tables of the version before, with a booking."""
    command.upgrade(config(tx), "0004")
    booking = make.booking("b1")
    starts_ms = round((booking.starts_at - EPOCH).total_seconds() * 1000)
    row = (
        AOBA, "b1", None, None, "confirmed", "c_1", starts_ms, True,
        JsonText().process_bind_param(booking.model_dump(mode="json"), tx.dialect), starts_ms,
    )  # fmt: skip
    before = table("bookings", *map(column, COLUMNS))
    tx.execute(insert(before).values(dict(zip(COLUMNS, row, strict=True))))


async def test_bookings_from_before_came_from_timerex_and_are_at_their_first_version(
    empty_url: str,
) -> None:
    engines = make_engines(empty_url)
    with engines.writer.begin() as tx:
        fill_as_before(tx)
    engines.dispose()
    booking = make.booking("b1")

    async with open_ledger(empty_url) as ledger:
        before = await ledger.read(bookings.get_booking, AOBA, booking.id)
        assert before is not None
        assert before == BookingRow(booking=booking, contact_id=ContactId("c_1"), verified=True)
        assert (before.origin, before.version, before.deleted) == ("timerex", 1, False)

        cancelled = make.booking("b1", state=BookingState.CANCELLED)
        row = before.model_copy(update={"booking": cancelled})
        await ledger.write(bookings.save_booking, AOBA, row, make.NOW)
        after = await ledger.read(bookings.get_booking, AOBA, booking.id)
        assert after == row.model_copy(update={"version": 2})
