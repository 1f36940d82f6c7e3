"""Process a batch: an error stays with its record, and finished records stay finished."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from prefect.logging import get_run_logger

from timerex_ghl.domain.shared.errors import RetryableError, ScopeError
from timerex_ghl.domain.shared.outcome import Counts, Outcome, count
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.orchestration.run_policy import current_run_id, is_last_try

Key = TypeVar("Key")

AT_ONCE = 8
"""Records of one batch processed concurrently: no more than the rate limit lets finish in about two
seconds, since a contact stays locked that long."""

AT_ONCE_UNPACED = 32
"""The same without a rate limit (sandbox, benchmarks): more records share each ledger write."""


def at_once(context: SyncContext) -> int:
    """Return how many records of a connection are processed concurrently."""
    return AT_ONCE if context.settings.ghl.calls_per_10_s is not None else AT_ONCE_UNPACED


async def each(
    handle: Callable[[Key], Awaitable[Outcome]], keys: Sequence[Key], number: int
) -> list[Outcome]:
    """Process every record, `number` at a time. `handle` deals with its record's errors.

    Raises:
        ScopeError: A record needs a scope that the token is known to lack. All others were
            processed.
        FatalError: All records would fail: the others are stopped where that is safe.
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
    except ExceptionGroup as errors:  # raise one error: people read its message
        raise errors.exceptions[0] from None
    if refused:
        raise refused[0]
    return [task.result() for task in running]


def resolved(outcomes: list[Outcome]) -> Counts:
    """Add up the counts of a batch over all its tries; raise if another try may finish it.

    Raises:
        RetryableError: Some records are unfinished and this is not the last try. The next try
            skips finished records. After the last try, the ledger schedules the rest.
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
"""Counts of a task run's earlier tries: for display only, no logic depends on them."""


def batches_of(keys: list[Key], size: int) -> list[list[Key]]:
    """Split keys into batches of `size`."""
    return [keys[start : start + size] for start in range(0, len(keys), size)]
