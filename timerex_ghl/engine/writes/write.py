"""One write to GHL: intent, call, outcome.

After a crash between any two, recovery can tell which was done.
"""

from asyncio import Future
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.sync import intents
from timerex_ghl.adapters.ledger.tables.sync.intents import Closing, NewIntent
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence
from timerex_ghl.domain.shared.actions import (
    Action,
    AddTags,
    ContactAction,
    CreateContact,
    CreateNote,
    NoteWrite,
    UpdateContact,
)
from timerex_ghl.domain.shared.errors import (
    SkippableError,
    SlotRefusedError,
    TimerexGhlError,
    UnknownOutcomeError,
)
from timerex_ghl.domain.shared.models import ContactId, GhlContact, GhlNote
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.locking import Lock
from timerex_ghl.engine.writes.recovery import may_be_made


class _Named(Protocol):
    """A GHL record with an id."""

    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Named)


class IntentOwner(Protocol):
    """The claim that a write belongs to: its record in intents, and its lock."""

    @property
    def record_key(self) -> RecordRef:
        """Return the record in intents."""
        ...

    @property
    def fence(self) -> Fence:
        """Return the lock."""
        ...


@dataclass(kw_only=True)
class Claim(Lock):
    """The contact being processed, and the lock on it.

    Attributes:
        releases_on_commit: The commit of the contact is the last step and releases the lock.
    """

    contact_id: ContactId
    releases_on_commit: bool = False

    @property
    def record_key(self) -> RecordRef:
        """Return the contact, which its booking mirrors' writes use too."""
        return RecordRef.contact(self.contact_id)


class Written(NamedTuple, Generic[T]):
    """A GHL record after a write. The outcome is still to be stored."""

    intent_id: str
    action: Action
    record: T

    def closing(self) -> Closing:
        """Return the outcome, to be stored in the unit of work that commits the record."""
        return Closing(self.intent_id, self.record.id)


class PendingOutcome(NamedTuple):
    """The outcome of a write that is being stored."""

    action: Action
    done: Future[None]


async def write_contact(
    context: SyncContext,
    claim: Claim,
    action: ContactAction,
    ghl: GhlContact | None,
    previous: PendingOutcome | None = None,
) -> Written[GhlContact]:
    """Send one action about a contact; return the contact as GHL has it then.

    Args:
        context: The connection's clients, ledger and settings.
        claim: Whose writes these are.
        action: What to write.
        ghl: The contact as it was; None before it is made.
        previous: The outcome of the write before this one: it is durable before this one is sent.
    """

    async def send() -> GhlContact:
        if isinstance(action, CreateContact):
            return await context.ghl.create_contact(action.values)
        if isinstance(action, UpdateContact):
            return await context.ghl.update_contact(action.contact_id, action.values)
        change = context.ghl.add_tags if isinstance(action, AddTags) else context.ghl.remove_tags
        if ghl is None:
            raise AssertionError("tags are planned for a contact that exists")
        return ghl.model_copy(update={"tags": await change(ghl.id, action.tags)})

    return await send_write(context, claim, action, send, previous)


async def write_note(
    context: SyncContext,
    claim: Claim,
    action: NoteWrite,
    store_result: Callable[[Connection, GhlNote], None],
    find: Callable[[], Awaitable[GhlNote | None]],
) -> GhlNote:
    """Send one action about a booking's note; return the note.

    Args:
        context: The connection's clients, ledger and settings.
        claim: Whose writes these are.
        action: What to write.
        store_result: Runs in the transaction that records the outcome.
        find: Finds the note of a create that was refused.
    """

    async def send() -> GhlNote:
        if isinstance(action, CreateNote):
            return await context.ghl.create_note(action.contact_id, action.text)
        return await context.ghl.update_note(action.contact_id, action.note_id, action.text)

    written = await send_write(context, claim, action, send, find=find)
    await commit_outcome(context, written, store_result)
    return written.record


async def commit_outcome(
    context: SyncContext, written: Written[T], store_result: Callable[[Connection, T], None]
) -> None:
    """Store a write's outcome and its result in one unit of work."""
    await context.ledger.write(_note_success, written, store_result)
    context.failpoint(written.action.kind, "after-outcome")


def post_outcome(
    context: SyncContext, written: Written[T], store_result: Callable[[Connection, T], None]
) -> PendingOutcome:
    """Queue a write's outcome and its result, to be stored with the next commit."""
    return PendingOutcome(written.action, context.ledger.post(_note_success, written, store_result))


async def send_write(
    context: SyncContext,
    writer: IntentOwner,
    action: Action,
    send: Callable[[], Awaitable[T]],
    previous: PendingOutcome | None = None,
    find: Callable[[], Awaitable[T | None]] | None = None,
) -> Written[T]:
    """Store the intent, then send. The outcome of a successful write is still to be stored.

    A create that GHL refused may have been done all the same: it is looked up at once, and where
    that finds nothing, its intent stays open, so that it is looked up again before it is resent.

    Args:
        context: The connection's clients, ledger and settings.
        writer: The claim that the write belongs to.
        action: What to write.
        send: The call.
        previous: The outcome of the write before this one.
        find: Finds what a refused create made.
    """
    new = NewIntent(
        context.connection, writer.record_key, action, context.run_id, writer.fence, context.now()
    )
    intent_id = await context.ledger.write_together(intents.open_all, new)
    if previous is not None:
        await previous.done
        context.failpoint(previous.action.kind, "after-outcome")
    context.failpoint(action.kind, "after-intent")
    try:
        record = await send()
    except UnknownOutcomeError:
        raise  # the intent stays open: the next run looks before sending again
    except TimerexGhlError as error:
        made = await _look_up(context, intent_id, action, error, find)
        if made is None:
            raise
        record = made
    context.failpoint(action.kind, "after-write")
    return Written(intent_id, action, record)


async def _look_up(
    context: SyncContext,
    intent_id: str,
    action: Action,
    error: TimerexGhlError,
    find: Callable[[], Awaitable[T | None]] | None,
) -> T | None:
    """Look up what a refused write made all the same; None where nothing shows it."""
    may_exist = may_be_made(action, error)
    if may_exist:
        await context.ledger.write(intents.note_refusal, intent_id, str(error))
        found = await find() if find and isinstance(error, SkippableError) else None
        if found is not None:
            return found
    if not may_exist or isinstance(error, SlotRefusedError):  # which GHL does not say by mistake
        failed = Closing(intent_id, None, str(error))
        await context.ledger.write(intents.close_intents, [failed])
    return None


def _note_success(
    tx: Connection, written: Written[T], store_result: Callable[[Connection, T], None]
) -> None:
    intents.close_intents(tx, [written.closing()])
    store_result(tx, written.record)
