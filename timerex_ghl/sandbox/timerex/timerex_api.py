"""TimeRex's REST API (beta).

Source: TimeRex developer portal, API reference (beta), copy of December 2025.
"""

import base64
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.routing import Route, Router
from starlette.types import Scope

from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.timerex.timerex_bookings import (
    HOST,
    SandboxBooking,
    SandboxCalendar,
    SandboxTeam,
    api_event,
    older_event,
    utc_text,
)
from timerex_ghl.sandbox.timerex.timerex_gate import (
    SandboxTimerexCall,
    SandboxTimerexOperation,
    TimerexAnswer,
    TimerexGate,
)
from timerex_ghl.sandbox.timerex.timerex_oauth import REVOKE
from timerex_ghl.sandbox.timerex.timerex_state import SandboxOneTimeUrl, Timerex

TEAMS = "User.Teams.Read"
CALENDARS = "User.Teams.Calendars.Read"
CHANGES = "User.Teams.Calendars.ReadWrite"


def get_user(_call: SandboxTimerexCall) -> TimerexAnswer:
    """Return the one user."""
    return TimerexAnswer({**HOST, "display_name": HOST["name"]})


def get_primary_team(call: SandboxTimerexCall) -> TimerexAnswer:
    """Return My Space; to an API key, its own team."""
    timerex = call.timerex
    return TimerexAnswer(_team(timerex.team if call.access.scopes is None else timerex.my_space))


def list_teams(call: SandboxTimerexCall) -> TimerexAnswer:
    """List the teams that the caller may see."""
    visible = [team for team in call.timerex.teams.values() if team.id in call.access.team_ids]
    return _page(call, [_team(team) for team in visible], 20)


def get_team(call: SandboxTimerexCall) -> TimerexAnswer:
    """Return a team."""
    return TimerexAnswer(_team(_find_team(call)))


def list_calendars(call: SandboxTimerexCall) -> TimerexAnswer:
    """List a team's calendars."""
    team = _find_team(call)
    found = [one for one in call.timerex.calendars.values() if one.team == team]
    return _page(call, [_calendar(calendar) for calendar in found], 20)


def get_calendar(call: SandboxTimerexCall) -> TimerexAnswer:
    """Return a calendar; its members are one object, as in the portal's sample."""
    calendar = _calendar(call.calendar())
    return TimerexAnswer({**calendar, "members": {**calendar["members"][0], "group_number": None}})


def list_events(call: SandboxTimerexCall) -> TimerexAnswer:
    """List a calendar's events that start in a time range."""
    calendar = call.calendar()
    begins_at, ends_at = _time(call, "startTime"), _time(call, "endTime")
    found = [
        booking
        for booking in call.timerex.bookings.values()
        if booking.calendar is calendar
        and (booking.canceled_at is None or call.timerex.lists_cancelled)
        and (begins_at is None or booking.starts_at >= begins_at)
        and (ends_at is None or booking.starts_at <= ends_at)
    ]
    found.sort(key=lambda booking: (booking.starts_at, booking.id))
    return _page(call, [_row(booking) for booking in found], 10)


def get_event(call: SandboxTimerexCall) -> TimerexAnswer:
    """Return a booking."""
    return TimerexAnswer(api_event(call.booking()))


def cancel_event(call: SandboxTimerexCall) -> TimerexAnswer:
    """Cancel a booking as its host; a second time is refused."""
    booking = call.booking()
    if booking.canceled_at is not None:
        raise RefusalError(400, "The event is already cancelled.")
    call.timerex.cancel(booking, "")
    return TimerexAnswer([])


def create_one_time_url(call: SandboxTimerexCall) -> TimerexAnswer:
    """Make a one-time URL."""
    made = SandboxOneTimeUrl(call.calendar())
    call.timerex.one_time_urls[made.id] = made
    return TimerexAnswer(_one_time(made), 201)


def get_one_time_url(call: SandboxTimerexCall) -> TimerexAnswer:
    """Return a one-time URL."""
    return TimerexAnswer(_one_time(_find_one_time(call)))


def watch_one_time_url(call: SandboxTimerexCall) -> TimerexAnswer:
    """Register a watcher. The sandbox also accepts loopback URLs and HTTP."""
    one_time = _find_one_time(call)
    token, url = call.body.get("token"), call.body.get("notification_url")
    if not (isinstance(token, str) and token):
        raise RefusalError(400, "The token field is required.")
    if not (isinstance(url, str) and url.startswith(("https://", "http://127.0.0.1:"))):
        raise RefusalError(400, "The notification url must be a valid https URL.")
    one_time.watchers.append((token, url))
    return TimerexAnswer([], 201)


OPERATIONS = (
    SandboxTimerexOperation(
        "get-user-information", "GET", "/user/me", "profile", get_user, with_key=False
    ),
    SandboxTimerexOperation(
        "get-user-primary-team", "GET", "/user/me/teams/primary", TEAMS, get_primary_team
    ),
    SandboxTimerexOperation("get-user-teams", "GET", "/user/me/teams", TEAMS, list_teams),
    SandboxTimerexOperation("get-team", "GET", "/teams/{team_id}", TEAMS, get_team),
    SandboxTimerexOperation(
        "get-team-calendars", "GET", "/teams/{team_id}/calendars", TEAMS, list_calendars
    ),
    SandboxTimerexOperation(
        "get-one-time-url",
        "GET",
        "/calendars/one-time-url/{one_time_url_id}",
        CALENDARS,
        get_one_time_url,
    ),
    SandboxTimerexOperation(
        "watch-one-time-url",
        "POST",
        "/calendars/one-time-url/{one_time_url_id}/watch",
        CHANGES,
        watch_one_time_url,
        ("minute", "day"),
    ),
    SandboxTimerexOperation(
        "get-calendar", "GET", "/calendars/{calendar_id}", CALENDARS, get_calendar
    ),
    SandboxTimerexOperation(
        "get-calendar-events", "GET", "/calendars/{calendar_id}/events", CALENDARS, list_events
    ),
    SandboxTimerexOperation(
        "create-one-time-url",
        "POST",
        "/calendars/{calendar_id}/one-time-url",
        CHANGES,
        create_one_time_url,
        ("hour",),
    ),
    SandboxTimerexOperation("get-event", "GET", "/events/{event_id}", CHANGES, get_event),
    SandboxTimerexOperation(
        "cancel-event", "POST", "/events/{event_id}/cancel", CHANGES, cancel_event, ("hour",)
    ),
    REVOKE,
)


def timerex_router(timerex: Timerex, drop: Callable[[Scope], None]) -> Router:
    """Route every path of the API; an unknown path is a 404 in JSON."""
    routes = [
        Route(operation.path, TimerexGate(timerex, [operation], drop)) for operation in OPERATIONS
    ]
    return Router(routes, redirect_slashes=False, default=TimerexGate(timerex, (), drop))


def _find_team(call: SandboxTimerexCall) -> SandboxTeam:
    team_id = call.path["team_id"]
    if team_id == "primary":
        return call.timerex.team if call.access.scopes is None else call.timerex.my_space
    team = call.timerex.teams.get(team_id)
    if team is None:
        raise RefusalError(404, "Not found.")
    if team.id not in call.access.team_ids:
        raise RefusalError(403, "This action is unauthorized.")
    return team


def _find_one_time(call: SandboxTimerexCall) -> SandboxOneTimeUrl:
    found = call.timerex.one_time_urls.get(call.path["one_time_url_id"])
    if found is None:
        raise RefusalError(404, "Not found.")
    call.visible(found.calendar)
    return found


def _page(call: SandboxTimerexCall, items: Sequence[Json], size: int) -> TimerexAnswer:
    """Return one page. Its token is opaque and different each time."""
    begin = _offset(call.query.get("nextPageToken"))
    page: dict[str, Any] = {"items": items[begin : begin + size]}
    if begin + size < len(items):
        token = f"{secrets.token_hex(8)}:{begin + size}"
        page["nextPageToken"] = base64.urlsafe_b64encode(token.encode()).decode()
    return TimerexAnswer(page)


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        offset = int(base64.urlsafe_b64decode(token.encode()).decode().partition(":")[2])
    except ValueError:
        offset = -1
    if offset < 0:
        raise RefusalError(400, "The next page token is invalid.")
    return offset


def _time(call: SandboxTimerexCall, name: str) -> datetime | None:
    value = call.query.get(name)
    try:
        read = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if value else None
    except ValueError:
        read = None
    if value is not None and read is None:
        raise RefusalError(400, f"The {name} does not match the format Y-m-d H:i:s.")
    return read


def _team(team: SandboxTeam) -> Json:
    return {
        "id": team.id,
        "name": team.name,
        "url_path": team.path,
        "is_primary": team.is_primary,
        "role": team.role,
    }


def _calendar(calendar: SandboxCalendar) -> Json:
    return {
        "id": calendar.id,
        "team_id": calendar.team.id,
        "name": calendar.name,
        "url": calendar.url,
        "duration": calendar.duration_min,
        "pre_travel_time": 0,
        "post_travel_time": 15,
        "online_meeting_provider": "zoom",
        "type": "and",
        "members": [{"id": HOST["id"], "name": HOST["name"], "is_self": True}],
    }


def _row(booking: SandboxBooking) -> Json:
    return {
        "id": booking.id,
        "status": "confirmed" if booking.canceled_at is None else "cancelled",
        "start_datetime": utc_text(booking.starts_at),
        "end_datetime": utc_text(booking.ends_at),
    }


def _one_time(one_time: SandboxOneTimeUrl) -> Json:
    booking = one_time.booking
    return {
        "id": one_time.id,
        "url": one_time.url,
        "status": one_time.status,
        "event": None if booking is None else older_event(booking),
    }
