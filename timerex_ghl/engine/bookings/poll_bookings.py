"""Poll TimeRex's REST API for changes that no webhook reported, and store them in the inbox.

A scan goes through all calendars, page by page, and then asks for each booking that should have
been on a page and was not: whether TimeRex lists what was cancelled is not documented. What is new
is stored as the webhook's delivery would have been, and processed in the same way.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.sync import cursors
from timerex_ghl.adapters.timerex.client import TimerexClient, every_calendar
from timerex_ghl.adapters.timerex.replies import (
    EventRow,
    PageToken,
    TimerexCalendar,
    TimerexPage,
)
from timerex_ghl.domain.shared.errors import (
    NotFoundError,
    RateLimitedError,
    RetryableError,
    SkippableError,
)
from timerex_ghl.domain.shared.models import BookingId, Record
from timerex_ghl.engine.bookings.compare_polled import (
    ScanCounts,
    calendar_of,
    doubtful_of,
    note_unknown,
    take,
    unknown_of,
)
from timerex_ghl.engine.context import SyncContext

CURSOR = "timerex-events"

BACK = timedelta(hours=24)
"""How long ago a polled booking may have begun: as long as an outage may have lasted."""

AHEAD = timedelta(days=183)
"""How far ahead a polled booking may begin."""

STALE = timedelta(hours=6)
"""A scan that is older than this is restarted: the time range it looks at is out of date."""

SPARE = 20
"""Of TimeRex's 60 calls a minute, those that polls reserve for bookings that are read back live."""

AT_A_TIME = 10
"""Bookings that are read between two saves of the cursor."""


OUTAGE = 3
"""So many unreadable bookings in a row mean an outage of TimeRex."""


class PollPosition(Record):
    """The position of a scan, saved after every step, so that the next run goes on from it.

    Attributes:
        began_at: By our clock; the polled time range depends on it.
        calendars: Those still to be listed.
        page: The next page of the first of them.
        unseen: Bookings that should be on a page, and were on none so far.
    """

    began_at: AwareDatetime
    calendars: tuple[TimerexCalendar, ...]
    page: PageToken | None = None
    unseen: tuple[BookingId, ...] = ()

    @property
    def is_over(self) -> bool:
        """Return whether the scan is finished."""
        return not self.calendars and not self.unseen

    def after_page(self, page: TimerexPage[EventRow]) -> "PollPosition":
        """Move past a page. A page whose next page is itself counts as the calendar's last."""
        listed = {row.id for row in page.items}
        unseen = tuple(one for one in self.unseen if one not in listed)
        here = self.model_copy(update={"unseen": unseen})
        if page.next_token is None or page.next_token == self.page or not page.items:
            return here.after_calendar()
        return here.model_copy(update={"page": page.next_token})

    def after_calendar(self) -> "PollPosition":
        """Move on to the next calendar."""
        return self.model_copy(update={"calendars": self.calendars[1:], "page": None})


class Polling(NamedTuple):
    """The result of a poll's run. `stopped`: why it ended early; None: the scan is finished."""

    found: ScanCounts
    stopped: str | None


async def poll(context: SyncContext, timerex: TimerexClient, until: datetime) -> Polling:
    """Continue the scan, or begin one, until it is finished, time is up, or no call remains.

    Raises:
        RetryableError: TimeRex does not answer. The next run goes on from the saved position.
    """
    run = _PollRun(context, timerex)
    place = await _read_place(context)
    try:
        while place is None or not place.is_over:
            if context.now() >= until:
                return Polling(run.found, "time is up")
            place = await run.go_on(place)
    except RateLimitedError:
        return Polling(run.found, "TimeRex's rate limit is reached")
    return Polling(run.found, None)


async def _read_place(context: SyncContext) -> PollPosition | None:
    """Read the unfinished scan, if there is one that is not stale."""
    saved = await context.ledger.read(cursors.get_cursor, context.connection, CURSOR)
    place = PollPosition.model_validate_json(saved) if saved else None
    is_open = place is not None and not place.is_over and context.now() - place.began_at < STALE
    return place if is_open else None


@dataclass
class _PollRun:
    """One run of the poll.

    Attributes:
        failures: Bookings in a row that could not be read.
    """

    context: SyncContext
    timerex: TimerexClient
    found: ScanCounts = field(default_factory=ScanCounts)
    failures: int = 0

    async def go_on(self, place: PollPosition | None) -> PollPosition:
        """Do the next step of a scan, and save its position."""
        if place is None:
            after = await self._begin()
        elif place.calendars:
            after = await self._read_page(place)
        else:
            after = await self._ask(place)
        self.context.failpoint("poll", "before-save")
        await self.context.ledger.write(
            cursors.save_cursor, self.context.connection, CURSOR, after.model_dump_json()
        )
        return after

    async def _begin(self) -> PollPosition:
        """List the calendars, and the bookings in the ledger that they should show."""
        calendars = tuple([calendar async for calendar in every_calendar(self.timerex)])
        now = self.context.now()
        unseen = await self.context.ledger.read(
            bookings.bookings_to_see, self.context.connection, now - BACK, now + AHEAD
        )
        return PollPosition(began_at=now, calendars=calendars, unseen=tuple(unseen))

    async def _read_page(self, place: PollPosition) -> PollPosition:
        """List a page of a calendar, and read its bookings that have news."""
        calendar = place.calendars[0]
        begins_at, ends_at = place.began_at - BACK, place.began_at + AHEAD
        try:
            page = await self.timerex.list_events(calendar.id, begins_at, ends_at, place.page)
        except SkippableError:  # the calendar or the page is gone: the next scan restarts it
            self.found += ScanCounts(unread=1)
            return place.after_calendar()
        self.found += ScanCounts(listed=len(page.items))
        for booking_id in await self.context.ledger.read(
            unknown_of, self.context.connection, page.items
        ):
            await self._read(booking_id, calendar)
        return place.after_page(page)

    async def _ask(self, place: PollPosition) -> PollPosition:
        """Read bookings that no page showed."""
        asked = place.unseen[:AT_A_TIME]
        for row in await self.context.ledger.read(doubtful_of, self.context.connection, asked):
            await self._read(row.booking.id, calendar_of(row.booking))
        return place.model_copy(update={"unseen": place.unseen[AT_A_TIME:]})

    async def _read(self, booking_id: BookingId, calendar: TimerexCalendar) -> None:
        """Read one booking and store its news. One that cannot be read does not stop the others."""
        write = self.context.ledger.write
        try:
            polled = await self.timerex.get_delivery(booking_id, calendar)
        except NotFoundError:
            found = await write(
                note_unknown, self.context.connection, booking_id, self.context.now()
            )
        except RateLimitedError:
            raise
        except (SkippableError, RetryableError):
            self.failures += 1
            if self.failures == OUTAGE:
                raise
            self.found += ScanCounts(unread=1)
            return
        else:
            found = await write(take, self.context.connection, polled, self.context.now())
        self.found += found
        self.failures = 0
