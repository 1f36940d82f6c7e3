"""The page of a list that is asked for."""

from typing import Annotated

from pydantic import Field

from timerex_ghl.domain.shared.models import Record

Limit = Annotated[int, Field(ge=1, le=200, description="Records per page.")]
Cursor = Annotated[
    str,
    Field(max_length=400, description="`next_cursor` of the page before, with the same filters."),
]


class PageQuery(Record):
    """The requested page of a list."""

    limit: Limit = 50
    cursor: Cursor | None = None
