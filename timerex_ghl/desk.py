"""What lies on the operator's desk: reviews that wait, and plans that were only shown.

Values of people may stand here. It is for a terminal, never for Prefect.
"""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from timerex_ghl.adapters.home import default_ledger_url
from timerex_ghl.adapters.ledger import clock, previews, published, reviews
from timerex_ghl.adapters.ledger.core import Ledger, open_ledger
from timerex_ghl.sync.errors import SettingsError
from timerex_ghl.sync.models import ConnectionName

RECENT = timedelta(days=7)
"""Plans that are older say nothing about today."""


async def list_reviews(url: str | None, connection: str) -> list[str]:
    """List what waits for a person, oldest first: id, kind, record, reason."""
    async with _opened(url, connection) as (ledger, name):
        waiting = await ledger.read(reviews.open_reviews, name)
    return [
        f"{review.id}  {review.opened_at:%Y-%m-%d %H:%M}  {review.kind}  {review.subject}"
        f"  {review.reason}"
        for review in waiting
    ]


async def list_plans(url: str | None, connection: str) -> list[str]:
    """List what the latest previews would write, a line of JSON a person."""
    async with _opened(url, connection) as (ledger, name):
        since = await ledger.read(clock.now) - RECENT
        plans = await ledger.read(previews.read_previews, name, since)
    return [*_lines(plans)]


def _lines(plans: dict[str, dict[str, Any]]) -> Iterator[str]:
    for record, plan in plans.items():
        shown = {key: value for key, value in plan.items() if key != "base" and value}
        yield json.dumps({"record": record, **shown}, ensure_ascii=False)


@asynccontextmanager
async def _opened(
    url: str | None, connection: str
) -> AsyncGenerator[tuple[Ledger, ConnectionName]]:
    name = ConnectionName(connection)
    async with open_ledger(url or default_ledger_url()) as ledger:
        if await ledger.read(published.current, name) is None:
            raise SettingsError(f"connection {name} is not published: run timerex-ghl publish")
        yield ledger, name
