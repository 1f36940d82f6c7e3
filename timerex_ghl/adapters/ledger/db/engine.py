"""The two engines of a ledger: one database connection that writes, a few that read.

Both databases behave alike: one writer at a time, snapshots for readers. On SQLite that is
`BEGIN IMMEDIATE` and WAL. On PostgreSQL it is an advisory lock per transaction, because group
commit locks the rows of many units together, and two processes doing that in different orders
would deadlock; readers get `REPEATABLE READ`.
"""

from typing import NamedTuple

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from timerex_ghl.adapters.ledger.db import postgresql, sqlite
from timerex_ghl.adapters.ledger.db.options import DEFAULTS, LedgerOptions
from timerex_ghl.domain.shared.errors import SettingsError

READERS = 4
LISTENERS = 1
"""Each ledger may have one listener for events, on its own database connection."""
_EXPECTED = (
    "invalid ledger URL: enter sqlite:////absolute/path/ledger.db"
    " or postgresql+psycopg://user:password@host/database"
)


class Engines(NamedTuple):
    """The writing and the reading engine of one database."""

    writer: Engine
    reader: Engine

    @property
    def place(self) -> str:
        """Return the database's URL without user and password, to be shown."""
        url = self.writer.url
        return str(URL.create(url.drivername, host=url.host, port=url.port, database=url.database))

    def dispose(self) -> None:
        """Close every connection."""
        self.reader.dispose()
        self.writer.dispose()


def make_engines(url: str, options: LedgerOptions = DEFAULTS) -> Engines:
    """Make the engines of a ledger, without connecting.

    Raises:
        SettingsError: The URL is invalid; the message says what to enter.
    """
    parsed, size = _parse(url), READERS + LISTENERS
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            path = sqlite.prepare_file(parsed)
            return Engines(
                sqlite.make_writer(path, options), sqlite.make_reader(path, size, options)
            )
        case "postgresql" | "postgres" | "postgresql+psycopg":
            server = parsed.set(drivername="postgresql+psycopg")
            return Engines(
                postgresql.make_writer(server, options),
                postgresql.make_reader(server, size, options),
            )
        case _:
            raise SettingsError(_EXPECTED)


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError(_EXPECTED) from None
