"""Provoke an error of a database, and check what it is translated into."""

from collections.abc import Callable

from sqlalchemy import Connection, Engine

from timerex_ghl.adapters.ledger.db.failures import failure_of
from timerex_ghl.domain.shared.errors import FatalError, RetryableError

Expected = type[RetryableError | FatalError]
Provoke = Callable[[Engine, Connection], object]


def failing(engine: Engine, provoke: Provoke) -> Exception:
    """Return the error that SQLAlchemy raises."""
    try:
        with engine.connect() as tx:
            provoke(engine, tx)
    except Exception as error:  # noqa: BLE001  which one is the question
        return error
    raise AssertionError("nothing failed")


def run(*statements: str) -> Provoke:
    """Run SQL statements one after another."""

    def provoke(_engine: Engine, tx: Connection) -> None:
        for statement in statements:
            tx.exec_driver_sql(statement)

    return provoke


def check(error: Exception, expected: Expected | None, words: str) -> None:
    failure = failure_of(error)
    if expected is None:
        assert failure is None
        return
    assert isinstance(failure, expected), (error, failure)
    assert words in str(failure)
    assert "\n" not in str(failure)
    assert "three" not in str(failure)
