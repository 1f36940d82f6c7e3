"""The TimeRex client: one method, one request. It never retries; its callers do.

Source: docs/vendors/timerex.md#rest-api-beta. It has no call to create, move or edit a
booking, and none for guests, contacts, notes or tasks.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, TypeVar

from timerex_ghl.adapters.timerex import operations as ops
from timerex_ghl.adapters.timerex.polled import Polled, read_polled
from timerex_ghl.adapters.timerex.replies import (
    CalendarId,
    EventRow,
    OneTimeUrl,
    OneTimeUrlId,
    PageToken,
    TeamId,
    TimerexCalendar,
    TimerexPage,
    TimerexTeam,
    User,
    read_calendar,
    read_event,
    read_event_row,
    read_one_time_url,
    read_page,
    read_team,
    read_user,
)
from timerex_ghl.adapters.timerex.transport import TimerexTransport
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.domain.shared.models import Booking, BookingId


class TimerexClient(TimerexTransport):
    """The API of one TimeRex team (by API key) or user (by OAuth), in domain types.

    Raises (every method):
        ScopeError: The OAuth app lacks the scope.
        CredentialsError: TimeRex does not accept the credentials.
        SettingsError: The URL is not that of TimeRex's API.
        NotFoundError: There is no such record, or it belongs to another team.
        SkippableError: TimeRex refuses this request.
        RateLimitedError: Too many calls, and no free slot within the wait.
        RetryableError: An outage; nothing was changed.
        UnknownOutcomeError: A write was sent, and no readable answer came.
    """

    async def get_user(self) -> User:
        """Read the user the OAuth app acts for. With an API key TimeRex refuses (400).

        Source: GET /user/me.
        """
        return await self.send(ops.GET_USER, read_user)

    async def get_primary_team(self) -> TimerexTeam:
        """Read the user's primary team, My Space; with an API key, the key's team.

        Source: GET /user/me/teams/primary.
        """
        return await self.send(ops.PRIMARY_TEAM, read_team)

    async def list_teams(self, page: PageToken | None = None) -> TimerexPage[TimerexTeam]:
        """List teams, 20 per page; with an API key, only the key's team.

        Source: GET /user/me/teams.
        """
        read = partial(read_page, read=read_team)
        return await self.send(ops.LIST_TEAMS, read, params=_params(page))

    async def list_calendars(
        self, team_id: TeamId, page: PageToken | None = None
    ) -> TimerexPage[TimerexCalendar]:
        """List a team's calendars, 20 per page.

        Source: GET /teams/{team_id}/calendars.
        """
        read = partial(read_page, read=read_calendar)
        return await self.send(ops.LIST_CALENDARS, read, params=_params(page), team=team_id)

    async def get_calendar(self, calendar_id: CalendarId) -> TimerexCalendar:
        """Read a calendar.

        Source: GET /calendars/{calendar_id}.
        """
        return await self.send(ops.GET_CALENDAR, read_calendar, calendar=calendar_id)

    async def list_events(
        self,
        calendar_id: CalendarId,
        begins_at: datetime,
        ends_at: datetime,
        page: PageToken | None = None,
    ) -> TimerexPage[EventRow]:
        """List a calendar's events in a period, 10 per page.

        Whether cancelled ones are included is not documented: a missing one may still exist.

        Source: GET /calendars/{calendar_id}/events, times in UTC.
        """
        read = partial(read_page, read=read_event_row)
        params = _params(page, startTime=_utc_text(begins_at), endTime=_utc_text(ends_at))
        return await self.send(ops.LIST_EVENTS, read, params=params, calendar=calendar_id)

    async def get_event(
        self, event_id: BookingId, *, calendar_name: str = "", wait_s: float | None = None
    ) -> Booking:
        """Read a booking, as a webhook would have reported it.

        Args:
            event_id: TimeRex's id.
            calendar_name: Name of the calendar, which this call's answer lacks.
            wait_s: How long to wait for a free slot; None: the usual time; 0: do not wait.

        Source: GET /events/{event_id}.
        """
        read = partial(read_event, calendar_name=calendar_name)
        return await self.send(ops.GET_EVENT, read, wait_s=wait_s, event=event_id)

    async def get_delivery(self, event_id: BookingId, calendar: TimerexCalendar | None) -> Polled:
        """Read a booking in the form of a missed webhook delivery.

        Args:
            event_id: TimeRex's id.
            calendar: Its calendar, if known: this call's answer lacks most of its data.

        Source: GET /events/{event_id}.
        """
        read = partial(read_polled, calendar=calendar)
        return await self.send(ops.GET_EVENT, read, event=event_id)

    async def cancel_event(self, event_id: BookingId) -> None:
        """Cancel a booking. TimeRex accepts no reason, and notifies the guest itself.

        Source: POST /events/{event_id}/cancel.
        """
        await self.send(ops.CANCEL_EVENT, _nothing, event=event_id)

    async def create_one_time_url(self, calendar_id: CalendarId) -> OneTimeUrl:
        """Create a booking URL that works once.

        Source: POST /calendars/{calendar_id}/one-time-url.
        """
        return await self.send(ops.CREATE_ONE_TIME_URL, read_one_time_url, calendar=calendar_id)

    async def get_one_time_url(self, one_time_url_id: OneTimeUrlId) -> OneTimeUrl:
        """Read a one-time URL and its booking.

        Source: GET /calendars/one-time-url/{one_time_url_id}.
        """
        return await self.send(
            ops.GET_ONE_TIME_URL, read_one_time_url, one_time_url=one_time_url_id
        )

    async def watch_one_time_url(
        self, one_time_url_id: OneTimeUrlId, *, token: str, notification_url: str
    ) -> None:
        """Subscribe to bookings and cancellations through a one-time URL.

        Args:
            one_time_url_id: The URL's id.
            token: Sent back in each notification, to authenticate it.
            notification_url: An HTTPS URL, reachable from the internet.

        Source: POST /calendars/one-time-url/{one_time_url_id}/watch.
        """
        body = {"token": token, "notification_url": notification_url}
        await self.send(ops.WATCH_ONE_TIME_URL, _nothing, body=body, one_time_url=one_time_url_id)


class _Listed(Protocol):
    @property
    def id(self) -> str: ...


L = TypeVar("L", bound=_Listed)


async def every(
    read: Callable[[PageToken | None], Awaitable[TimerexPage[L]]],
) -> AsyncGenerator[L]:
    """Read all pages of a list; an item on two pages is yielded once.

    Raises:
        RetryableError: A page before the last one has no new items, so the list is incomplete.
    """
    known_ids: set[str] = set()
    token: PageToken | None = None
    while True:
        page = await read(token)
        new = {item.id: item for item in page.items if item.id not in known_ids}
        if page.next_token is not None and (not new or page.next_token == token):
            raise RetryableError(
                "TimeRex returned the same page again, or an empty one before the last"
            )
        known_ids |= new.keys()
        for item in new.values():
            yield item
        if page.next_token is None:
            return
        token = page.next_token


async def every_calendar(client: TimerexClient) -> AsyncGenerator[TimerexCalendar]:
    """Read all calendars of all teams visible to the credentials."""
    async for team in every(client.list_teams):
        async for calendar in every(partial(client.list_calendars, team.id)):
            yield calendar


def _params(page: PageToken | None, **params: str) -> dict[str, str]:
    return params if page is None else {**params, "nextPageToken": page}


def _utc_text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _nothing(_answer: object) -> None:
    """Ignore the body: the status is all that matters."""
