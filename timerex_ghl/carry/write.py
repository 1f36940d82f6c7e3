"""One write to GHL: intent, call, outcome. A crash between any two can be told afterwards."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import intents
from timerex_ghl.adapters.ledger.locks import Fence
from timerex_ghl.carry.crash import crash_point
from timerex_ghl.carry.sides import Sides, utc_now
from timerex_ghl.sync.actions import (
    Action,
    AddTags,
    ContactAction,
    CreateContact,
    CreateNote,
    NoteAction,
    UpdateContact,
)
from timerex_ghl.sync.errors import TimerexGhlError, UnknownOutcomeError
from timerex_ghl.sync.models import ContactId, GhlContact, GhlNote

T = TypeVar("T", GhlContact, GhlNote)


class Hold(NamedTuple):
    """The person being carried, and the lock that makes us the only one who does."""

    contact_id: ContactId
    fence: Fence

    @property
    def record_key(self) -> str:
        """Name the person in intents: their notes' writes stand under them too."""
        return f"contact:{self.contact_id}"


async def write_contact(
    sides: Sides,
    hold: Hold,
    action: ContactAction,
    ghl: GhlContact | None,
    remember: Callable[[Connection, GhlContact], None],
) -> GhlContact:
    """Send one action about a contact; hand back the contact as GHL has it then.

    Args:
        sides: Both sides.
        hold: Whose writes these are.
        action: What to write.
        ghl: The contact as it was; None before it is made.
        remember: Runs in the transaction that records the outcome.
    """

    async def send() -> GhlContact:
        if isinstance(action, CreateContact):
            return await sides.ghl.create_contact(action.values)
        if isinstance(action, UpdateContact):
            return await sides.ghl.update_contact(action.contact_id, action.values)
        change = sides.ghl.add_tags if isinstance(action, AddTags) else sides.ghl.remove_tags
        if ghl is None:
            raise AssertionError("tags are planned for a contact that exists")
        return ghl.model_copy(update={"tags": await change(ghl.id, action.tags)})

    return await _carry_out(sides, hold, action, send, remember)


async def write_note(
    sides: Sides,
    hold: Hold,
    action: NoteAction,
    remember: Callable[[Connection, GhlNote], None],
) -> GhlNote:
    """Send one action about a booking's note; hand back the note."""

    async def send() -> GhlNote:
        if isinstance(action, CreateNote):
            return await sides.ghl.create_note(action.contact_id, action.text)
        return await sides.ghl.update_note(action.contact_id, action.note_id, action.text)

    return await _carry_out(sides, hold, action, send, remember)


async def _carry_out(
    sides: Sides,
    hold: Hold,
    action: Action,
    send: Callable[[], Awaitable[T]],
    remember: Callable[[Connection, T], None],
) -> T:
    intent_id = await sides.ledger.write(
        intents.open_intent,
        connection=sides.connection,
        record_key=hold.record_key,
        action=action,
        run_id=sides.run_id,
        fence=hold.fence,
        now=utc_now(),
    )
    crash_point(action.kind, "after-intent")
    try:
        written = await send()
    except UnknownOutcomeError:
        raise  # the intent stays open: whoever comes next looks before sending again
    except TimerexGhlError as error:
        await sides.ledger.write(_note_failure, intent_id, error)
        raise
    crash_point(action.kind, "after-write")
    await sides.ledger.write(_note_success, intent_id, written, remember)
    crash_point(action.kind, "after-outcome")
    return written


def _note_success(
    tx: Connection, intent_id: str, written: T, remember: Callable[[Connection, T], None]
) -> None:
    intents.close_intent(
        tx,
        intent_id,
        state="done",
        result_id=written.id,
        error=None,
        recovered=False,
        now=utc_now(),
    )
    remember(tx, written)


def _note_failure(tx: Connection, intent_id: str, error: TimerexGhlError) -> None:
    intents.close_intent(
        tx, intent_id, state="failed", result_id=None, error=str(error), recovered=False,
        now=utc_now(),
    )  # fmt: skip
