"""The TimeRex operations we use: path, scope and rate limits of each.

Source: docs/vendors/timerex.md#rest-api-beta.
"""

from typing import NamedTuple

from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits


class Window(NamedTuple):
    """A rate limit of one user, shared by several operations."""

    name: str
    call_limits: CallLimits


MINUTE = Window("minute", CallLimits(limit=60, window_s=60))
HOUR = Window("hour", CallLimits(limit=100, window_s=3600))
DAY = Window("day", CallLimits(limit=1000, window_s=86_400))

TEAMS = "User.Teams.Read"
CALENDARS = "User.Teams.Calendars.Read"
CHANGES = "User.Teams.Calendars.ReadWrite"


class TimerexOperation(NamedTuple):
    """One call.

    Attributes:
        path: URL path, with the kind of each id in braces.
        scope: The scope an OAuth app needs; an API key has all scopes.
        writes: It can change data: without an answer its outcome is unknown, not failed.
        windows: A call needs a free slot in each. Whether operations share a limit is not
            documented; we assume it, so that no limit is exceeded.
    """

    name: str
    method: str
    path: str
    scope: str
    writes: bool = False
    windows: tuple[Window, ...] = (MINUTE,)


GET_USER = TimerexOperation("user.get", "GET", "/user/me", "profile")
PRIMARY_TEAM = TimerexOperation("team.primary", "GET", "/user/me/teams/primary", TEAMS)
LIST_TEAMS = TimerexOperation("team.list", "GET", "/user/me/teams", TEAMS)
LIST_CALENDARS = TimerexOperation("calendar.list", "GET", "/teams/{team}/calendars", TEAMS)
GET_CALENDAR = TimerexOperation("calendar.get", "GET", "/calendars/{calendar}", CALENDARS)
LIST_EVENTS = TimerexOperation("event.list", "GET", "/calendars/{calendar}/events", CALENDARS)
GET_EVENT = TimerexOperation("event.get", "GET", "/events/{event}", CHANGES)
CANCEL_EVENT = TimerexOperation(
    "event.cancel", "POST", "/events/{event}/cancel", CHANGES, writes=True, windows=(HOUR,)
)
CREATE_ONE_TIME_URL = TimerexOperation(
    "one-time-url.create",
    "POST",
    "/calendars/{calendar}/one-time-url",
    CHANGES,
    writes=True,
    windows=(HOUR,),
)
GET_ONE_TIME_URL = TimerexOperation(
    "one-time-url.get", "GET", "/calendars/one-time-url/{one_time_url}", CALENDARS
)
WATCH_ONE_TIME_URL = TimerexOperation(
    "one-time-url.watch",
    "POST",
    "/calendars/one-time-url/{one_time_url}/watch",
    CHANGES,
    writes=True,
    windows=(MINUTE, DAY),
)
