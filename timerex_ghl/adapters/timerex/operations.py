"""TimeRex's operations that we use: where they are, what they need, and what limits them.

Source: TimeRex developer portal, API reference (beta): each one's scope and limits.
"""

from typing import NamedTuple

from timerex_ghl.adapters.ledger.quota import CallLimits


class Window(NamedTuple):
    """A limit of one user, which several operations may share."""

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
        path: With the kinds of its ids in braces.
        scope: The right it needs of an OAuth app; an API key has them all.
        writes: It can change something: an answer that never came is no failure, but unknown.
        windows: Whoever calls needs room in all of them. The portal says neither whether
            operations share a limit; so that none is ever passed, ours do.
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
