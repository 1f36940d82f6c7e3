"""Recover the writes of an earlier run that were sent and whose outcome is unknown.

Each kind of record looks for its own; every intent ends with one outcome, and a write that happened
with the base that follows from it: else our own value would count as an edit in GHL.
"""

from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.sync import intents
from timerex_ghl.adapters.ledger.tables.sync.intents import Closing, Intent
from timerex_ghl.domain.shared.actions import Action
from timerex_ghl.domain.shared.errors import (
    DuplicateContactError,
    FatalError,
    NotFoundError,
    RetryableError,
    ScopeError,
    SkippableError,
    TimerexGhlError,
)
from timerex_ghl.engine.context import SyncContext

LOOK_AGAIN = timedelta(seconds=15)
"""GHL's look-up shows a new contact seconds after it was made: until then it may be missing."""

ACTION: TypeAdapter[Action] = TypeAdapter(Action)


def may_be_made(action: Action, error: TimerexGhlError) -> bool:
    """Return whether GHL may have created a record though it refused to.

    That was reported for a contact and a 422 (docs/vendors/ghl.md#contacts). Not so where GHL names
    the record that is in the way, has not the one it belongs to, or counts the call as one too
    many, and where nothing was sent.
    """
    if not action.kind.endswith(".create"):
        return False
    if isinstance(error, ScopeError):
        return error.was_asked
    is_certain = isinstance(error, NotFoundError | DuplicateContactError)
    return isinstance(error, SkippableError | FatalError) and not is_certain


def wait_if_young(context: SyncContext, intent: Intent, what: str) -> None:
    """Refuse to conclude that a recent write failed from not finding its record.

    Raises:
        RetryableError: The write is too recent.
    """
    if context.now() - intent.created_at < LOOK_AGAIN:
        raise RetryableError(
            f"{what} was sent and is not found yet", after_s=LOOK_AGAIN.total_seconds()
        )


def close(tx: Connection, intent: Intent, result_id: str | None) -> None:
    """Close an intent whose answer was never read; `result_id` is the record it wrote, if any."""
    unknown = intent.error or "sent, and nothing shows that it arrived"
    error = unknown if result_id is None else None
    intents.close_intents(tx, [Closing(intent.id, result_id, error, recovered=True)])
