from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef

TOKYO, OSAKA = ConnectionName("tokyo"), ConnectionName("osaka")
RIKU = RecordRef.parse("contact:c_1")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def note(tx: Connection, what: str, connection: ConnectionName = TOKYO) -> None:
    audit.record(
        tx,
        connection=connection,
        what=what,
        subject=RIKU,
        run_id="run 7",
        detail={"fields": 2, "new": True, "note": None, "名": "値"},
        now=NOW,
    )


async def test_entries_are_read_back_newest_first(ledger: Ledger) -> None:
    await ledger.write(note, "contact created")
    await ledger.write(note, "contact changed")
    await ledger.write(note, "elsewhere", OSAKA)

    newest, oldest = await ledger.read(audit.entries, TOKYO, 10)

    assert (newest.what, oldest.what) == ("contact changed", "contact created")
    assert newest.id > oldest.id
    assert (newest.at, newest.subject, newest.run_id) == (NOW, RIKU, "run 7")
    assert newest.detail == {"fields": 2, "new": True, "note": None, "名": "値"}
    assert len(await ledger.read(audit.entries, TOKYO, 1)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET what = 'nothing'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
    ],
)
async def test_an_entry_cannot_be_changed_or_removed(ledger: Ledger, statement: str) -> None:
    await ledger.write(note, "contact created")

    def tamper(tx: Connection) -> None:
        tx.execute(text(statement))

    with pytest.raises(DBAPIError, match="the audit is append-only"):
        await ledger.write(tamper)

    assert [entry.what for entry in await ledger.read(audit.entries, TOKYO, 10)] == [
        "contact created"
    ]


async def test_an_entry_cannot_be_replaced(ledger: Ledger) -> None:
    await ledger.write(note, "contact created")

    def tamper(tx: Connection) -> None:
        if tx.dialect.name == "postgresql":
            tx.execute(text("TRUNCATE audit"))
        else:
            tx.execute(
                text(
                    "INSERT OR REPLACE INTO audit (id, at, connection, what, subject, detail)"
                    " VALUES (1, 0, 'tokyo', 'nothing', 'c_1', '{}')"
                )
            )

    with pytest.raises(DBAPIError, match="the audit is append-only"):
        await ledger.write(tamper)


async def test_an_entry_of_work_that_failed_is_not_kept(ledger: Ledger) -> None:
    def fail(tx: Connection) -> None:
        note(tx, "contact created")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await ledger.write(fail)

    assert await ledger.read(audit.entries, TOKYO, 10) == []
