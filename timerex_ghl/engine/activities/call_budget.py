"""What looking through people's notes may cost, and how late an edit is seen because of it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import cursors, sweeps
from timerex_ghl.domain.models import Record
from timerex_ghl.domain.settings import ActivitySettings
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
    """How late an edit in GHL can be seen.

    Attributes:
        tasks: Behind the run that follows it, at most: one interval.
        notes: One turn through everybody, at the calls an hour that are allowed. None: never.
        people: How many have their notes looked through.
        oldest: When the notes that were not read for the longest were; None: some never were.
    """

    tasks: timedelta
    notes: timedelta | None
    people: int
    oldest: datetime | None


def budget_of(tx: Connection, context: SyncContext, now: datetime) -> int:
    """Tell how many calls this run may make: its share of the hour, and no more than is left."""
    settings = context.settings.activities
    if not settings.mirrors:
        return 0
    spent = sum(one.calls for one in _account(tx, context).spent if one.at > now - HOUR)
    return max(0, min(share_of(settings), settings.note_calls_per_hour - spent))


def share_of(settings: ActivitySettings) -> int:
    """Tell how many calls one run may make, so that those of an hour get equal shares."""
    runs = max(1.0, 60 / settings.task_minutes)
    return -(-settings.note_calls_per_hour // int(runs))


def spend(tx: Connection, context: SyncContext, calls: int, now: datetime) -> None:
    """Note what was spent."""
    kept = [one for one in _account(tx, context).spent if one.at > now - HOUR]
    account = _Account(spent=(*kept, _Spent(at=now, calls=calls)))
    cursors.save_cursor(tx, context.connection, CURSOR, account.model_dump_json())


def lateness(tx: Connection, context: SyncContext) -> Lateness:
    """Tell how late an edit in GHL can be seen, for a connection of this size."""
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


def _account(tx: Connection, context: SyncContext) -> _Account:
    saved = cursors.get_cursor(tx, context.connection, CURSOR)
    return _Account.model_validate_json(saved) if saved else _Account()
