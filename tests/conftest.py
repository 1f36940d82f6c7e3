"""Ledgers on SQLite and PostgreSQL, Hypothesis profiles, and which tests each target runs."""

import asyncio
import gc
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, make_url

from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.schema import metadata

_FOLDER = Path(__file__).parent

settings.register_profile(
    "test",  # the same examples each time: a red run can be repeated
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("proof", settings.get_profile("test"), max_examples=300)
settings.register_profile(
    "explore", settings.get_profile("proof"), derandomize=False, print_blob=True
)
settings.load_profile("test")  # `pytest --hypothesis-profile NAME` chooses another

_VARIABLE = "TIMEREX_GHL_TEST_POSTGRESQL"
_SERVER = make_url(os.environ.get(_VARIABLE) or "postgresql+psycopg://postgres@127.0.0.1:5432/test")


TWINS = ("engine", "gateway/api")
"""Folders whose tests run on PostgreSQL in `make proof`. Marked `both_databases`: in both."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the PostgreSQL half of most tests to `make proof`; their SQL is the ledger's."""
    folders = [_FOLDER / name for name in TWINS]
    for item in items:
        spec: Any = getattr(item, "callspec", None)
        if (
            spec is not None
            and spec.params.get("either_url") == "postgresql"
            and item.get_closest_marker("both_databases") is None
            and any(folder in item.path.parents for folder in folders)
        ):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Exclude what lives as long as the process from garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the tables of this version: migrated once, copied for each test."""
    path = tmp_path_factory.mktemp("ledger") / "template.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated, empty SQLite ledger of this test's own."""
    shutil.copy(sqlite_template, tmp_path / "ledger.db")
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL database with the tables of this version, emptied after each test."""
    if not _server_answers():
        pytest.skip(f"NO POSTGRESQL: none at 127.0.0.1:5432; set {_VARIABLE} to a server's URL")
    with _new_database() as url:
        asyncio.run(_migrate(url))
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated, empty ledger of this test's own, on either database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    url = request.getfixturevalue("postgresql_url")
    yield url
    statements = [
        "SET LOCAL lock_timeout = '60s'",
        "ALTER TABLE audit DISABLE TRIGGER USER",  # a trigger prevents deletes
        *(f'DELETE FROM "{table.name}"' for table in reversed(metadata.sorted_tables)),  # noqa: S608
        "ALTER TABLE audit ENABLE TRIGGER USER",
    ]
    _execute(make_url(url), f"BEGIN; {'; '.join(statements)}; COMMIT")


@pytest.fixture
def ledger_url(either_url: str) -> str:
    """The ledger of most tests. A folder overrides it if it needs one database only."""
    return either_url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any tables, on either database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    request.getfixturevalue("postgresql_url")  # skips where there is no server
    with _new_database() as url:
        yield url


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    """An open, empty ledger of this test's own; the test runs once on each database."""
    async with open_ledger(ledger_url) as opened:
        yield opened


async def _migrate(url: str) -> None:
    async with open_ledger(url):
        pass


def _server_answers() -> bool:
    """Return whether a server answers; one that is configured has to."""
    try:
        _execute(_SERVER, "SELECT 1")
    except psycopg.OperationalError:
        if _VARIABLE in os.environ:
            raise
        return False
    return True


@contextmanager
def _new_database() -> Generator[str]:
    name = f"timerex_ghl_test_{secrets.token_hex(6)}"
    _execute(_SERVER, f'CREATE DATABASE "{name}"')
    try:
        yield _SERVER.set(database=name).render_as_string(hide_password=False)
    finally:
        _execute(_SERVER, f'DROP DATABASE "{name}" WITH (FORCE)')


def _execute(server: URL, *statements: str) -> None:
    url = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True, connect_timeout=30) as connection:
        for statement in statements:
            connection.execute(statement.encode())
