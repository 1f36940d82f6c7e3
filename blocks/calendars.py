"""Which GHL calendar takes the bookings of which TimeRex calendar: a connection's `calendars`."""

import re
from typing import NamedTuple

from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.operations import CREATE_APPOINTMENT, GET_APPOINTMENT, LIST_CALENDARS
from timerex_ghl.domain.bookings.appointment_plan import ANY
from timerex_ghl.domain.connections.settings import CalendarRule
from timerex_ghl.domain.shared.ghl_models import GhlCalendarId

NEEDED = (LIST_CALENDARS, GET_APPOINTMENT, CREATE_APPOINTMENT)


class Calendars(NamedTuple):
    """The parsed calendar rules, and one message for each invalid line."""

    rules: tuple[CalendarRule, ...]
    faults: tuple[str, ...]


def read_calendars(entered: str) -> Calendars:
    """Read lines like `Onboarding call 30 = k2AbC9…`; `;` ends a line, too."""
    rules: list[CalendarRule] = []
    faults: list[str] = []
    lines = filter(None, (part.strip() for part in re.split(r"[\n;]", entered)))
    for number, line in enumerate(lines, start=1):
        name, _, ghl_id = (part.strip() for part in line.rpartition("="))
        if not name or not re.fullmatch(r"\w{4,64}", ghl_id, re.ASCII):
            faults.append(
                f"calendars, line {number}: write TimeRex calendar = id of the GHL calendar"
            )
        elif any(rule.timerex in {name, ANY} for rule in rules):
            faults.append(f"calendars, line {number}: an earlier line has this calendar already")
        else:
            rules.append(CalendarRule(timerex=name, ghl=GhlCalendarId(ghl_id)))
    return Calendars(tuple(rules), tuple(faults))


async def faults_of_calendars(rules: tuple[CalendarRule, ...], client: GhlClient) -> list[str]:
    """Check that the calendars exist and are active in GHL; without rules no call is made."""
    if not rules:
        return []
    missing = [operation for operation in NEEDED if client.refusal_of(operation.name)]
    if missing:
        return [f"calendars: the token lacks {one.scope}, grant it in GHL" for one in missing]
    known = {calendar.id: calendar for calendar in await client.list_calendars()}
    faults = [
        f"calendars: GHL has no calendar {rule.ghl} in this location"
        for rule in rules
        if rule.ghl not in known
    ]
    return faults + [
        f"calendars: {rule.ghl} is switched off in GHL"
        for rule in rules
        if rule.ghl in known and not known[rule.ghl].is_active
    ]
