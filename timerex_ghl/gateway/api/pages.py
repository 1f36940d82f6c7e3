"""Pages of a list, and the cursor to the next page."""

import base64
import binascii
from collections.abc import Collection
from typing import Generic, TypeVar

from pydantic import BaseModel

from timerex_ghl.adapters.ledger.tables.sync.differences import RecordPlace
from timerex_ghl.domain.contacts.contact_entry import FieldFault, is_readable
from timerex_ghl.gateway.api.problems import invalid

T = TypeVar("T")


class ApiPage(BaseModel, Generic[T]):
    """One page of a list. `next_cursor`: null on the last page."""

    items: list[T]
    next_cursor: str | None


def cursor_of(place: str) -> str:
    """Encode the position where a page ended as an opaque cursor."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> str | None:
    """Decode the position where the page before ended.

    Raises:
        ProblemError: The cursor is invalid.
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
    """Return the error for an invalid cursor."""
    return invalid([FieldFault("cursor", "is not a cursor: use next_cursor of the page before")])


def record_place_of(cursor: str | None, kinds: Collection[str]) -> RecordPlace | None:
    """Read a cursor of a list by kind and id.

    Raises:
        ProblemError: The cursor is invalid, or of another list.
    """
    place = place_of(cursor)
    if place is None:
        return None
    kind, _, local_id = place.partition(":")
    if kind not in kinds or not local_id:
        raise no_cursor()
    return RecordPlace(kind, local_id)
