from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import cursors
from timerex_ghl.domain.shared.models import ConnectionName

TOKYO, OSAKA = ConnectionName("tokyo"), ConnectionName("osaka")


async def test_a_cursor_is_absent_until_it_is_saved(ledger: Ledger) -> None:
    assert await ledger.read(cursors.get_cursor, TOKYO, "poll") is None


async def test_a_cursor_moves(ledger: Ledger) -> None:
    await ledger.write(cursors.save_cursor, TOKYO, "poll", "page 1")
    await ledger.write(cursors.save_cursor, TOKYO, "poll", "page 2")

    assert await ledger.read(cursors.get_cursor, TOKYO, "poll") == "page 2"


async def test_connections_and_names_have_cursors_of_their_own(ledger: Ledger) -> None:
    await ledger.write(cursors.save_cursor, TOKYO, "poll", "here")

    assert await ledger.read(cursors.get_cursor, OSAKA, "poll") is None
    assert await ledger.read(cursors.get_cursor, TOKYO, "sweep") is None
