"""Pages of a list, and the cursor that leads from one to the next."""

import base64
import binascii
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field

from timerex_ghl.domain.contact_entry import FieldFault, is_readable
from timerex_ghl.domain.models import Record
from timerex_ghl.gateway.api.problems import invalid

T = TypeVar("T")

Limit = Annotated[int, Field(ge=1, le=200, description="Records a page.")]
Cursor = Annotated[
    str, Field(max_length=400, description="`next_cursor` of the page before; the rest unchanged.")
]


class PageQuery(Record):
    """Which page of a list."""

    limit: Limit = 50
    cursor: Cursor | None = None


class ApiPage(BaseModel, Generic[T]):
    """One page of a list. It is the last one where `next_cursor` is null."""

    items: list[T]
    next_cursor: str | None


def cursor_of(place: str) -> str:
    """Write where a page ended, so that nobody builds on what stands in it."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> str | None:
    """Read where the page before ended.

    Raises:
        ProblemError: It is no cursor of ours.
    """
    if cursor is None:
        return None
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        text = place.decode()
    except (binascii.Error, ValueError):
        raise no_cursor() from None
    if not is_readable(text):
        raise no_cursor()
    return text


def no_cursor() -> Exception:
    """Say that a cursor is none."""
    return invalid([FieldFault("cursor", "is no cursor: take next_cursor of the page before")])
