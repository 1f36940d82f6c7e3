"""The call budget of the notes sweep, and how late an edit is found because of it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.sync import cursors, sweeps
from timerex_ghl.domain.connections.settings import ActivitySettings
from timerex_ghl.domain.shared.models import ConnectionName, Record
from timerex_ghl.engine.context import SyncContext

CURSOR = "ghl-notes"
HOUR = timedelta(hours=1)


class _Spent(Record):
    """Calls that one run made."""

    at: AwareDatetime
    calls: int


class _Account(Record):
    """The calls of the last hour."""

    spent: tuple[_Spent, ...] = ()


class Lateness(NamedTuple):
    """How late an edit in GHL can be found.

    Attributes:
        tasks: At most one interval between two runs.
        notes: The time to read every contact's notes at the allowed calls an hour. None: never.
        people: How many contacts have their notes read.
        oldest: When the least recently read notes were read; None: some never were.
    """

    tasks: timedelta
    notes: timedelta | None
    people: int
    oldest: datetime | None


def budget_of(tx: Connection, context: SyncContext, now: datetime) -> int:
    """Return how many calls this run may make: its share of the hour, capped by what remains."""
    settings = context.settings.activities
    if not settings.mirrors:
        return 0
    spent = sum(one.calls for one in _account(tx, context.connection).spent if one.at > now - HOUR)
    return max(0, min(share_of(settings), settings.note_calls_per_hour - spent))


def share_of(settings: ActivitySettings) -> int:
    """Return how many calls one run may make, so that all runs of an hour get equal shares."""
    runs = max(1.0, 60 / settings.task_minutes)
    return -(-settings.note_calls_per_hour // int(runs))


def spend(tx: Connection, connection: ConnectionName, calls: int, now: datetime) -> None:
    """Record the calls that a run made."""
    kept = [one for one in _account(tx, connection).spent if one.at > now - HOUR]
    account = _Account(spent=(*kept, _Spent(at=now, calls=calls)))
    cursors.save_cursor(tx, connection, CURSOR, account.model_dump_json())


def lateness(tx: Connection, context: SyncContext) -> Lateness:
    """Estimate how late an edit in GHL can be found, for a connection of this size."""
    settings, now_known = context.settings.activities, sweeps.staleness(tx, context.connection)
    interval = timedelta(minutes=settings.task_minutes)
    a_run = min(share_of(settings), settings.note_calls_per_hour)
    runs = None if a_run == 0 else -(-now_known.people // a_run)
    return Lateness(
        tasks=interval,
        notes=None if runs is None else interval * max(runs, 1),
        people=now_known.people,
        oldest=now_known.oldest,
    )


def _account(tx: Connection, connection: ConnectionName) -> _Account:
    saved = cursors.get_cursor(tx, connection, CURSOR)
    return _Account.model_validate_json(saved) if saved else _Account()
