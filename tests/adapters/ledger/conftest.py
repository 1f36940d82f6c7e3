"""Ledgers to test with: one on SQLite always, one on PostgreSQL where a server answers."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from timerex_ghl.adapters.ledger.core import Ledger, open_ledger

_VARIABLE = "TIMEREX_GHL_TEST_POSTGRESQL"
_SERVER = make_url(os.environ.get(_VARIABLE) or "postgresql+psycopg://postgres@127.0.0.1:5432/test")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the tables of this version: migrated once, copied for each test."""
    path = tmp_path_factory.mktemp("ledger") / "template.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_template() -> Iterator[str]:
    """The same on PostgreSQL; gives the name of the database."""
    if not _server_answers():
        pytest.skip(f"NO POSTGRESQL: none at 127.0.0.1:5432; set {_VARIABLE} to a server's URL")
    name = _new_name()
    _administer(f'CREATE DATABASE "{name}"')
    try:
        asyncio.run(_migrate(_url_of(name)))
        yield name
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty ledger of this test's own, on either database."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    template, name = request.getfixturevalue("postgresql_template"), _new_name()
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield _url_of(name)
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any tables, on either database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    request.getfixturevalue("postgresql_template")  # skips where there is no server
    name = _new_name()
    _administer(f'CREATE DATABASE "{name}"')
    try:
        yield _url_of(name)
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    """An open, empty ledger of this test's own; the test runs once on each database."""
    async with open_ledger(ledger_url) as opened:
        yield opened


async def _migrate(url: str) -> None:
    async with open_ledger(url):
        pass


def _server_answers() -> bool:
    """Tell whether there is a server; one that was asked for has to be there."""
    try:
        _administer("SELECT 1")
    except psycopg.OperationalError:
        if _VARIABLE in os.environ:
            raise
        return False
    return True


def _administer(statement: str) -> None:
    url = _SERVER.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
        connection.execute(statement.encode())


def _new_name() -> str:
    return f"timerex_ghl_test_{secrets.token_hex(6)}"


def _url_of(database: str) -> str:
    url = _SERVER.set(database=database)
    return url.render_as_string(hide_password=False)
