"""`/discarded-edits`: edits that a delete in the other system discarded."""

from typing import Annotated

from fastapi import APIRouter, Query, Security

from timerex_ghl.adapters.ledger.tables.activities import discarded_edits
from timerex_ghl.domain.activities.activity_fields import KINDS, ActivityKind
from timerex_ghl.domain.activities.discarded_edit import DiscardedEdit
from timerex_ghl.gateway.api.authentication import GuardedRoute, Here, bearer
from timerex_ghl.gateway.api.document import LISTS
from timerex_ghl.gateway.api.pages import ApiPage, cursor_of, record_place_of
from timerex_ghl.workspace.page_query import PageQuery

router = APIRouter(
    prefix="/discarded-edits",
    tags=["discarded edits"],
    route_class=GuardedRoute,
    dependencies=[Security(bearer)],
)


class DiscardedQuery(PageQuery):
    """Filters of a list of discarded edits."""

    kind: ActivityKind | None = None


@router.get("", summary="List discarded edits", responses=LISTS)
async def list_discarded_edits(
    caller: Here, query: Annotated[DiscardedQuery, Query()]
) -> ApiPage[DiscardedEdit]:
    """List edits of notes and tasks that a delete in the other system discarded, with their values.

    A delete wins over an edit in the other system. What was edited is kept here.
    """
    found = await caller.ledger.read(
        discarded_edits.list_discarded,
        caller.connection,
        query.kind,
        record_place_of(query.cursor, KINDS),
        query.limit + 1,
    )
    page = found[: query.limit]
    last = page[-1] if len(found) > query.limit else None
    more = None if last is None else cursor_of(f"{last.kind}:{last.id}")
    return ApiPage(items=page, next_cursor=more)
