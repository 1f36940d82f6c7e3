"""Calendar rules are checked in GHL before a connection is published."""

import httpx

from blocks.calendars import faults_of_calendars, read_calendars
from tests.adapters.ghl.line import EVERY_SCOPE, line
from tests.blocks.drafts import draft
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.domain.connections.settings import AppointmentSettings, CalendarRule

ENTERED = "Onboarding call = 30 = cal1\n* = cal2"
RULES = read_calendars(ENTERED).rules


def known(*calendars: dict[str, object]) -> httpx.Response:
    return httpx.Response(200, json={"calendars": [*calendars]})


def test_what_is_entered_is_published() -> None:
    block = draft(calendars=ENTERED, notify=True, ignore_slots=False, cancel_in_timerex=True)

    assert block.appointments() == AppointmentSettings.model_validate(
        {
            "calendars": [
                CalendarRule.model_validate({"timerex": "Onboarding call = 30", "ghl": "cal1"}),
                CalendarRule.model_validate({"timerex": "*", "ghl": "cal2"}),
            ],
            "notifies": True,
            "ignores_slots": False,
            "cancels_in_timerex": True,
        }
    )
    assert draft().appointments() == AppointmentSettings()


async def test_calendars_that_are_there_and_open_have_no_faults() -> None:
    async with line(known({"id": "cal1"}, {"id": "cal2", "isActive": True})) as ghl:
        assert await faults_of_calendars(RULES, ghl.client) == []


async def test_a_calendar_that_is_missing_or_switched_off_is_a_fault() -> None:
    async with line(known({"id": "cal2", "isActive": False})) as ghl:
        assert await faults_of_calendars(RULES, ghl.client) == [
            "calendars: GHL has no calendar cal1 in this location",
            "calendars: cal2 is switched off in GHL",
        ]


async def test_rights_that_the_token_lacks_are_named_and_nobody_is_asked() -> None:
    auth = PrivateToken("pit-x", EVERY_SCOPE - {"calendars.readonly", "calendars/events.write"})

    async with line(auth=auth) as ghl:
        assert await faults_of_calendars(RULES, ghl.client) == [
            "calendars: the token lacks calendars.readonly, grant it in GHL",
            "calendars: the token lacks calendars/events.write, grant it in GHL",
        ]


async def test_without_calendars_nobody_is_asked() -> None:
    async with line() as ghl:
        assert await faults_of_calendars((), ghl.client) == []
