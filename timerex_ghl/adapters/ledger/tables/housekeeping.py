"""What the ledger deletes after a while: history that no rule asks for any more.

Kept for good are links and tombstones (whoever is deleted stays deleted), pending deletes, the
audit, open intents, and reviews that a person dropped (the same one is not opened again). Events
have a time of their own: `inbox/retention.py`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.tables.access import idempotency
from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans, reviews
from timerex_ghl.adapters.ledger.tables.sync import intents

HISTORY = timedelta(days=90)
"""How long finished work can be looked up, unless set otherwise."""

ROWS = 500
"""Rows of each kind in a unit of work, so that no webhook waits for it."""

_FORGET: tuple[Callable[[Connection, datetime, int], int], ...] = (
    intents.forget_closed,
    reviews.forget_answered,
    dry_run_plans.forget_plans,
)


def forget_history(tx: Connection, history: timedelta = HISTORY, rows: int = ROWS) -> int:
    """Delete work that finished long ago, and outdated answers to repeated requests.

    Args:
        tx: Open transaction.
        history: How long finished work is kept.
        rows: The most that are deleted of each kind.

    Returns:
        The number of deleted rows; 0 where nothing old is left.
    """
    now = clock.now(tx)
    forgotten = sum(forget(tx, now - history, rows) for forget in _FORGET)
    return forgotten + idempotency.forget_answers(tx, now, rows)
