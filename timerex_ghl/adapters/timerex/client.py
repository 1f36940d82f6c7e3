"""The TimeRex client: one method, one request. It never retries; whoever calls it does.

Source: TimeRex developer portal, API reference (beta). It has no call that makes, moves or edits a
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
from timerex_ghl.domain.errors import RetryableError
from timerex_ghl.domain.models import Booking, BookingId


class TimerexClient(TimerexTransport):
    """One TimeRex team (by API key) or user (by OAuth), in our words.

    Raises (every method):
        ScopeError: The OAuth app lacks the right.
        CredentialsError: TimeRex does not accept the credentials.
        SettingsError: Not TimeRex's API answers there.
        NotFoundError: There is no such record, or it is another team's.
        SkippableError: TimeRex refuses the request as it is.
        RateLimitedError: Too many calls, and no room soon.
        RetryableError: An outage, before anything happened.
        UnknownOutcomeError: A write was sent and its answer never read.
    """

    async def get_user(self) -> User:
        """Read whom the OAuth app acts for. With an API key TimeRex refuses (400).

        Source: GET /user/me.
        """
        return await self.send(ops.GET_USER, read_user)

    async def get_primary_team(self) -> TimerexTeam:
        """Read My Space; with an API key, the key's own team.

        Source: GET /user/me/teams/primary.
        """
        return await self.send(ops.PRIMARY_TEAM, read_team)

    async def list_teams(self, page: PageToken | None = None) -> TimerexPage[TimerexTeam]:
        """List teams, 20 a page; with an API key, only the key's own.

        Source: GET /user/me/teams.
        """
        read = partial(read_page, read=read_team)
        return await self.send(ops.LIST_TEAMS, read, params=_params(page))

    async def list_calendars(
        self, team_id: TeamId, page: PageToken | None = None
    ) -> TimerexPage[TimerexCalendar]:
        """List a team's calendars, 20 a page.

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
        """List a calendar's events of a time, 10 a page.

        Whether it shows cancelled ones is not documented: one that is missing was not deleted.

        Source: GET /calendars/{calendar_id}/events, times in UTC.
        """
        read = partial(read_page, read=read_event_row)
        params = _params(page, startTime=_utc_text(begins_at), endTime=_utc_text(ends_at))
        return await self.send(ops.LIST_EVENTS, read, params=params, calendar=calendar_id)

    async def get_event(
        self, event_id: BookingId, *, calendar_name: str = "", wait_s: float | None = None
    ) -> Booking:
        """Read a booking, as a webhook would have told it.

        Args:
            event_id: TimeRex's id.
            calendar_name: TimeRex leaves it out here, and the webhook does not.
            wait_s: For room, where not as long as usual; 0: the caller can do without.

        Source: GET /events/{event_id}.
        """
        read = partial(read_event, calendar_name=calendar_name)
        return await self.send(ops.GET_EVENT, read, wait_s=wait_s, event=event_id)

    async def get_delivery(self, event_id: BookingId, calendar: TimerexCalendar | None) -> Polled:
        """Read a booking as the delivery of a webhook that never came.

        Args:
            event_id: TimeRex's id.
            calendar: Its own, where known: TimeRex leaves out most of it here.

        Source: GET /events/{event_id}.
        """
        read = partial(read_polled, calendar=calendar)
        return await self.send(ops.GET_EVENT, read, event=event_id)

    async def cancel_event(self, event_id: BookingId) -> None:
        """Cancel a booking. TimeRex takes no reason, and tells the guest itself.

        Source: POST /events/{event_id}/cancel.
        """
        await self.send(ops.CANCEL_EVENT, _nothing, event=event_id)

    async def create_one_time_url(self, calendar_id: CalendarId) -> OneTimeUrl:
        """Make a booking URL that works once.

        Source: POST /calendars/{calendar_id}/one-time-url.
        """
        return await self.send(ops.CREATE_ONE_TIME_URL, read_one_time_url, calendar=calendar_id)

    async def get_one_time_url(self, one_time_url_id: OneTimeUrlId) -> OneTimeUrl:
        """Read what became of a one-time URL.

        Source: GET /calendars/one-time-url/{one_time_url_id}.
        """
        return await self.send(
            ops.GET_ONE_TIME_URL, read_one_time_url, one_time_url=one_time_url_id
        )

    async def watch_one_time_url(
        self, one_time_url_id: OneTimeUrlId, *, token: str, notification_url: str
    ) -> None:
        """Be told when somebody books through a one-time URL, or cancels that.

        Args:
            one_time_url_id: Which.
            token: Comes back in each notification: by it they are known.
            notification_url: HTTPS, and reachable from the internet.

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
    """Read all pages of a list; what two pages show comes once.

    Raises:
        RetryableError: A page that is not the last one says nothing new: what is missing is not
            known to be gone.
    """
    known_ids: set[str] = set()
    token: PageToken | None = None
    while True:
        page = await read(token)
        new = {item.id: item for item in page.items if item.id not in known_ids}
        if page.next_token is not None and (not new or page.next_token == token):
            raise RetryableError("TimeRex gave the same page again, or an empty one in between")
        known_ids |= new.keys()
        for item in new.values():
            yield item
        if page.next_token is None:
            return
        token = page.next_token


async def every_calendar(client: TimerexClient) -> AsyncGenerator[TimerexCalendar]:
    """Read all calendars of all teams that the credentials see."""
    async for team in every(client.list_teams):
        async for calendar in every(partial(client.list_calendars, team.id)):
            yield calendar


def _params(page: PageToken | None, **params: str) -> dict[str, str]:
    return params if page is None else {**params, "nextPageToken": page}


def _utc_text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _nothing(_answer: object) -> None:
    """Read nothing: what came back says no more than its status."""
