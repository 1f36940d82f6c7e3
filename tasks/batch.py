"""A batch keeps its records apart: what fails stays with its record, what is done stays done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from prefect.logging import get_run_logger

from tasks.policy import current_run_id, is_last_try
from timerex_ghl.domain.errors import RetryableError, ScopeError
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.outcome import Counts, Outcome, count

Key = TypeVar("Key")

AT_ONCE = 8
"""Records of one batch that are carried side by side: no more than GHL's pace lets finish in about
two seconds, since a person stays locked that long."""

AT_ONCE_UNPACED = 32
"""Where nothing paces (sandbox, benchmarks): more of them share each write to the ledger."""


def at_once(context: SyncContext) -> int:
    """Tell how many records of a connection are carried side by side."""
    return AT_ONCE if context.settings.ghl.calls_per_10_s is not None else AT_ONCE_UNPACED


async def each(
    handle: Callable[[Key], Awaitable[Outcome]], keys: Sequence[Key], number: int
) -> list[Outcome]:
    """Carry every record, a number of them side by side. `handle` answers for its record's errors.

    Raises:
        ScopeError: A record needs a right that the token lacks, as we know ourselves. All others
            were carried.
        FatalError: No record would fare better: the others are stopped where that is safe.
    """
    gate = asyncio.Semaphore(number)
    refused: list[ScopeError] = []

    async def one(key: Key) -> Outcome:
        async with gate:
            try:
                return await handle(key)
            except ScopeError as error:
                if error.was_asked:
                    raise
                refused.append(error)
                return Outcome(what="waiting")

    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one(key)) for key in keys]
    except ExceptionGroup as errors:  # said as one: its message is what a person reads
        raise errors.exceptions[0] from None
    if refused:
        raise refused[0]
    return [task.result() for task in running]


def resolved(outcomes: list[Outcome]) -> Counts:
    """Add up a batch over all its tries; raise while another try may finish what waits.

    Raises:
        RetryableError: Some records wait and this is not the last try. The next one skips what is
            done. After the last try what waits is left to the ledger.
    """
    run_id = current_run_id() or ""
    counts = count(outcomes)
    finished = _earlier_tries.pop(run_id, Counts()) + counts.model_copy(update={"waiting": 0})
    if counts.waiting and not is_last_try():
        _earlier_tries[run_id] = finished
        get_run_logger().info("so far: %s", counts.in_words())
        raise RetryableError(f"{counts.waiting} records are not finished yet")
    return finished.model_copy(update={"waiting": counts.waiting})


_earlier_tries: dict[str, Counts] = {}
"""What earlier tries of a task run finished: figures for people, nothing is decided by them."""
