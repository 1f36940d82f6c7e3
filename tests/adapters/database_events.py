"""Statements and commits of every engine: counted, or made to fail."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event


@contextmanager
def failing_statements(start: str, error: BaseException, *, nth: int = 1) -> Generator[None]:
    """Raise an error in place of the nth statement with this prefix, and all after it."""
    found = 0

    def fail(_tx: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal found
        found += statement.lstrip().startswith(start)
        if found >= nth and statement.lstrip().startswith(start):
            raise error

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", fail)


@contextmanager
def commits_counted() -> Generator[list[Connection]]:
    """Collect the database connection of each commit."""
    commits: list[Connection] = []

    def note(tx: Connection) -> None:
        commits.append(tx)

    event.listen(Engine, "commit", note)
    try:
        yield commits
    finally:
        event.remove(Engine, "commit", note)
