"""`/differences`: records whose two sides differ, and stay so."""

from typing import Annotated

from fastapi import APIRouter, Query, Security

from timerex_ghl.adapters.ledger.tables.sync import differences
from timerex_ghl.adapters.ledger.tables.sync.differences import KINDS
from timerex_ghl.gateway.api.authentication import GuardedRoute, Here, bearer
from timerex_ghl.gateway.api.document import LISTS
from timerex_ghl.gateway.api.pages import ApiPage, cursor_of, record_place_of
from timerex_ghl.workspace.difference_views import (
    DifferenceQuery,
    DifferenceView,
    view_of_difference,
)

router = APIRouter(
    prefix="/differences",
    tags=["differences"],
    route_class=GuardedRoute,
    dependencies=[Security(bearer)],
)


@router.get("", summary="List standing differences", responses=LISTS)
async def list_differences(
    caller: Here, query: Annotated[DifferenceQuery, Query()]
) -> ApiPage[DifferenceView]:
    """List the records in which both sides differ and no rule brings them in sync, with reasons."""
    found = await caller.ledger.read(
        differences.page_of_differences,
        caller.connection,
        KINDS if query.kind is None else (query.kind,),
        record_place_of(query.cursor, KINDS),
        query.limit + 1,
    )
    page = found[: query.limit]
    last = page[-1] if len(found) > query.limit else None
    more = None if last is None else cursor_of(f"{last.kind}:{last.local_id}")
    return ApiPage(items=[*map(view_of_difference, page)], next_cursor=more)
