"""The retry policy of all tasks."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, TypedDict

from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import FlowRunContext, TagsContext, TaskRunContext
from prefect.tasks import Task

from timerex_ghl.domain.shared.errors import RetryableError

TRIES_AFTER_THE_FIRST = 3


class TaskOptions(TypedDict):
    """The options that all tasks share."""

    retries: int
    retry_delay_seconds: list[float]
    retry_jitter_factor: float
    retry_condition_fn: Callable[[Task[..., Any], TaskRun, State[Any]], Awaitable[bool]]
    timeout_seconds: float
    cache_policy: CachePolicy
    persist_result: bool


async def may_help(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Return whether another try may succeed: only after a `RetryableError`."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, RetryableError)


RETRIES = TaskOptions(
    retries=TRIES_AFTER_THE_FIRST,
    retry_delay_seconds=[1, 5, 20],
    retry_jitter_factor=0.3,
    retry_condition_fn=may_help,
    timeout_seconds=1800,
    cache_policy=NO_CACHE,
    persist_result=False,
)
"""For idempotent tasks, which all of ours are: finished work is skipped."""


AT_THE_DESK: TaskOptions = {**RETRIES, "retries": 1, "retry_delay_seconds": [1]}
"""For tasks that a person waits for: an outage is reported soon."""


def is_last_try() -> bool:
    """Return whether Prefect will not run this task again; true outside a task run."""
    context = TaskRunContext.get()
    return context is None or context.task_run.run_count > TRIES_AFTER_THE_FIRST


def current_run_id() -> str | None:
    """Return the id of the current task run, for intents and audit rows."""
    context = TaskRunContext.get()
    return None if context is None else str(context.task_run.id)


def current_flow_run_id() -> str | None:
    """Return the id of the current flow run, for the audit rows of events."""
    context = FlowRunContext.get()
    return None if context is None or context.flow_run is None else str(context.flow_run.id)


@contextmanager
def untagged() -> Generator[None]:
    """Give task runs none of their flow run's tags.

    Prefect asks its server for each tag's concurrency limit before a task run: one more call for
    every event, and an error while the server is down.
    """
    with TagsContext(current_tags=set()):
        yield
