"""`/bookings`: bookings of TimeRex, read-only, and bookings made in the workspace."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response, Security
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.schema import EPOCH
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.bookings import BookingFilter, BookingPosition
from timerex_ghl.domain.bookings.booking_entry import BookingEntry
from timerex_ghl.domain.shared.models import BookingId
from timerex_ghl.gateway.api.authentication import ApiCaller, GuardedRoute, Here, bearer
from timerex_ghl.gateway.api.document import CHANGES, DELETES, LISTS, MAKES, READS
from timerex_ghl.gateway.api.once import IdempotencyKey, Made, make_once
from timerex_ghl.gateway.api.pages import ApiPage, cursor_of, no_cursor, place_of
from timerex_ghl.gateway.api.versions import IfMatch, tag_of, wanted_versions
from timerex_ghl.workspace import booking_edits
from timerex_ghl.workspace.booking_views import (
    BookingDraft,
    BookingQuery,
    BookingView,
    view_of,
    views_of,
)

router = APIRouter(
    prefix="/bookings",
    tags=["bookings"],
    route_class=GuardedRoute,
    dependencies=[Security(bearer)],
)
Id = Annotated[str, Path(pattern=r"^[!-~]{1,128}$")]
_MS = timedelta(milliseconds=1)


@router.get("", summary="List bookings", responses=LISTS)
async def list_bookings(
    caller: Here, query: Annotated[BookingQuery, Query()]
) -> ApiPage[BookingView]:
    """List bookings by start time."""
    wanted = BookingFilter(query.starts_from, query.starts_before, query.contact_id, query.state)
    found = await caller.ledger.read(_list, caller, wanted, _place(query.cursor), query.limit + 1)
    page = found[: query.limit]
    more = _cursor(page[-1]) if len(found) > query.limit else None
    return ApiPage(items=page, next_cursor=more)


@router.post(
    "", summary="Add a booking", status_code=201, responses=MAKES, response_model=BookingView
)
async def add_booking(
    caller: Here, request: Request, draft: BookingDraft, key: IdempotencyKey = None
) -> Response:
    """Add a booking that was not made in TimeRex: by phone, at the counter."""
    sent = draft.model_dump(exclude_unset=True, exclude={"contact_id"})
    entry = BookingEntry.model_validate(sent)

    def make(tx: Connection) -> Made:
        now = clock.now(tx)
        row = booking_edits.add_booking(tx, caller.editor, entry, draft.contact_id, now)
        view = view_of(tx, caller.connection, row)
        return Made(view.id, view.version, view.model_dump_json())

    return await make_once(request, caller, key, make)


@router.get("/{booking_id}", summary="Read a booking", responses=READS)
async def get_booking(caller: Here, booking_id: Id, response: Response) -> BookingView:
    """Read a booking."""
    view = await caller.ledger.read(_read, caller, BookingId(booking_id))
    response.headers["ETag"] = tag_of(view.version)
    return view


@router.patch("/{booking_id}", summary="Change a booking", responses=CHANGES)
async def change_booking(
    caller: Here,
    booking_id: Id,
    change: BookingEntry,
    response: Response,
    if_match: IfMatch = None,
) -> BookingView:
    """Change the sent fields of a workspace booking. One made in TimeRex is a 409."""
    versions = wanted_versions(if_match)

    def edit(tx: Connection) -> BookingView:
        row = booking_edits.change_booking(
            tx, caller.editor, BookingId(booking_id), change, clock.now(tx), versions=versions
        )
        return view_of(tx, caller.connection, row)

    view = await caller.ledger.write(edit)
    response.headers["ETag"] = tag_of(view.version)
    return view


@router.delete("/{booking_id}", summary="Delete a booking", status_code=204, responses=DELETES)
async def delete_booking(caller: Here, booking_id: Id, if_match: IfMatch = None) -> None:
    """Delete a workspace booking; the CRM shows it as cancelled. One of TimeRex is a 409."""
    versions = wanted_versions(if_match)

    def delete(tx: Connection) -> None:
        booking_edits.delete_booking(
            tx, caller.editor, BookingId(booking_id), clock.now(tx), versions=versions
        )

    await caller.ledger.write(delete)


def _list(
    tx: Connection,
    caller: ApiCaller,
    wanted: BookingFilter,
    place: BookingPosition | None,
    limit: int,
) -> list[BookingView]:
    rows = bookings.list_bookings(tx, caller.connection, wanted, place, limit)
    return views_of(tx, caller.connection, rows)


def _read(tx: Connection, caller: ApiCaller, booking_id: BookingId) -> BookingView:
    row = booking_edits.read_booking(tx, caller.editor, booking_id)
    return view_of(tx, caller.connection, row)


def _cursor(view: BookingView) -> str:
    return cursor_of(f"{(view.starts_at - EPOCH) // _MS}:{view.id}")


def _place(cursor: str | None) -> BookingPosition | None:
    place = place_of(cursor)
    if place is None:
        return None
    at, colon, booking_id = place.partition(":")
    try:
        starts_at = EPOCH + int(at) * _MS
    except (ValueError, OverflowError):
        raise no_cursor() from None
    if not colon:
        raise no_cursor()
    return BookingPosition(starts_at, BookingId(booking_id))
