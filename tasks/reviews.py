"""Tasks for reviews: resolve one, and show a table of the open ones."""

from prefect import task

from timerex_ghl.domain.reviews.review_decisions import Decision
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.reviews.resolve_review import resolve
from timerex_ghl.orchestration.contexts import opened
from timerex_ghl.orchestration.review_table import put_review_table
from timerex_ghl.orchestration.run_policy import AT_THE_DESK


@task(**AT_THE_DESK, task_run_name="{connection} {review_id}")
async def resolve_review(connection: ConnectionName, review_id: str, decision: Decision) -> str:
    """Resolve a review and update the table of open reviews; return its state in words.

    Safe to repeat: a resolved review is unchanged.
    """
    async with opened(connection) as context:
        resolved = await resolve(context, review_id, decision)
        await put_review_table(context)
    return resolved.in_words()
