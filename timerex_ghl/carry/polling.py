"""What TimeRex has and no webhook told of: from its REST API into the inbox.

A scan goes through all calendars, page by page, and then asks for each booking that should have
been on a page and was not: whether TimeRex lists what was cancelled is not documented. What is new
is stored as the webhook's delivery would have been, and carried by whoever carries those.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime

from timerex_ghl.adapters.ledger import bookings, cursors
from timerex_ghl.adapters.ledger.bookings import BookingRow
from timerex_ghl.adapters.timerex.client import TimerexClient, every_calendar
from timerex_ghl.adapters.timerex.replies import Calendar, CalendarId, EventRow, Page, PageToken
from timerex_ghl.carry.crash import crash_point
from timerex_ghl.carry.polled import Found, doubtful_of, note_unknown, take, unknown_of
from timerex_ghl.carry.sides import Sides, utc_now
from timerex_ghl.sync.errors import NotFoundError, RateLimitedError, SkippableError
from timerex_ghl.sync.models import BookingId, Record

CURSOR = "timerex-events"

BACK = timedelta(hours=24)
"""Bookings that began this long ago are looked at still: as long as an outage may have lasted."""

AHEAD = timedelta(days=183)
"""And those that begin until then."""

STALE = timedelta(hours=6)
"""A scan that began before this is begun anew: the time it looks at is over."""

SPARE = 20
"""Of TimeRex's 60 calls a minute, those that polls leave to bookings which are read back live."""

AT_A_TIME = 10
"""Bookings that are asked for between two savings of the cursor."""


class Place(Record):
    """How far a scan has come; saved after every step, so that the next run goes on from here.

    Attributes:
        began_at: By our clock; the time that is looked at goes by it.
        calendars: Those to be listed still.
        page: The page of the first of them that comes next.
        unseen: Bookings that should be on a page, and were on none so far.
    """

    began_at: AwareDatetime
    calendars: tuple[Calendar, ...]
    page: PageToken | None = None
    unseen: tuple[BookingId, ...] = ()

    @property
    def is_over(self) -> bool:
        """Tell whether everything was looked at."""
        return not self.calendars and not self.unseen

    def after_page(self, page: Page[EventRow]) -> "Place":
        """Move past a page. A page that leads to itself is the last: the rest is asked for."""
        listed = {row.id for row in page.items}
        unseen = tuple(one for one in self.unseen if one not in listed)
        here = self.model_copy(update={"unseen": unseen})
        if page.next_token is None or page.next_token == self.page or not page.items:
            return here.after_calendar()
        return here.model_copy(update={"page": page.next_token})

    def after_calendar(self) -> "Place":
        """Move on to the next calendar."""
        return self.model_copy(update={"calendars": self.calendars[1:], "page": None})


class Polling(NamedTuple):
    """How a run of the poll ended. `stopped`: why before the scan's end; None where it is over."""

    found: Found
    stopped: str | None


async def poll(sides: Sides, timerex: TimerexClient, until: datetime) -> Polling:
    """Go on with the scan, or begin one, until it is over, time is up, or no call is left."""
    found = Found()
    place = await _read_place(sides)
    try:
        while place is None or not place.is_over:
            if utc_now() >= until:
                return Polling(found, "its time was up")
            if place is None:
                place, new = await _begin(sides, timerex), Found()
            elif place.calendars:
                place, new = await _read_page(sides, timerex, place)
            else:
                place, new = await _ask(sides, timerex, place)
            found += new
    except RateLimitedError:
        return Polling(found, "no call to TimeRex was left")
    return Polling(found, None)


async def _read_place(sides: Sides) -> Place | None:
    """Find the scan to go on with."""
    saved = await sides.ledger.read(cursors.get_cursor, sides.connection, CURSOR)
    place = Place.model_validate_json(saved) if saved else None
    is_open = place is not None and not place.is_over and utc_now() - place.began_at < STALE
    return place if is_open else None


async def _begin(sides: Sides, timerex: TimerexClient) -> Place:
    """List the calendars, and what we hold that they should show."""
    calendars = tuple([calendar async for calendar in every_calendar(timerex)])
    now = utc_now()
    unseen = await sides.ledger.read(
        bookings.bookings_to_see, sides.connection, now - BACK, now + AHEAD
    )
    place = Place(began_at=now, calendars=calendars, unseen=tuple(unseen))
    await _save(sides, place)
    return place


async def _read_page(sides: Sides, timerex: TimerexClient, place: Place) -> tuple[Place, Found]:
    """List a page of a calendar, and read what is not known of it."""
    calendar = place.calendars[0]
    begins_at, ends_at = place.began_at - BACK, place.began_at + AHEAD
    try:
        page = await timerex.list_events(calendar.id, begins_at, ends_at, place.page)
    except SkippableError:  # it is gone, or its page is: the next scan begins it anew
        after = place.after_calendar()
        await _save(sides, after)
        return after, Found(unread=1)
    found = Found(listed=len(page.items))
    for booking_id in await sides.ledger.read(unknown_of, sides, page.items):
        found += await _read(sides, timerex, booking_id, calendar)
    after = place.after_page(page)
    crash_point("poll", "before-save")
    await _save(sides, after)
    return after, found


async def _ask(sides: Sides, timerex: TimerexClient, place: Place) -> tuple[Place, Found]:
    """Read bookings that no page showed."""
    found = Found()
    asked = place.unseen[:AT_A_TIME]
    for row in await sides.ledger.read(doubtful_of, sides, asked):
        found += await _read(sides, timerex, row.booking.id, _calendar_of(row))
    after = place.model_copy(update={"unseen": place.unseen[AT_A_TIME:]})
    await _save(sides, after)
    return after, found


async def _read(
    sides: Sides, timerex: TimerexClient, booking_id: BookingId, calendar: Calendar
) -> Found:
    """Read one booking, and take it in."""
    try:
        polled = await timerex.get_delivery(booking_id, calendar)
    except NotFoundError:
        return await sides.ledger.write(note_unknown, sides, booking_id, utc_now())
    return await sides.ledger.write(take, sides, polled, utc_now())


def _calendar_of(row: BookingRow) -> Calendar:
    """Say what a booking told of its calendar."""
    booking = row.booking
    return Calendar(
        id=CalendarId(booking.calendar_id or ""),
        team_id=None,
        name=booking.calendar_name,
        url=None,
        duration_min=None,
    )


async def _save(sides: Sides, place: Place) -> None:
    await sides.ledger.write(cursors.save_cursor, sides.connection, CURSOR, place.model_dump_json())
