"""TimeRex's booking pages: a public form that makes bookings.

Source: TimeRex help, URL parameters: the page's URL prefills the form; every other parameter
is a hidden one and comes back in the event as `url_params`, 25 of them at most.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Scope

from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.timerex.timerex_bookings import Question, SandboxBooking, SandboxCalendar
from timerex_ghl.sandbox.timerex.timerex_gate import TimerexGate
from timerex_ghl.sandbox.timerex.timerex_html import form_page, message_page
from timerex_ghl.sandbox.timerex.timerex_oauth import EXCHANGE
from timerex_ghl.sandbox.timerex.timerex_state import SandboxOneTimeUrl, Timerex

MOST_HIDDEN = 25
MOST_BYTES = 100_000
EMAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+")
"""Half-width only, as in the real form."""

STANDARD = (
    Question("company_name", "会社名", id="guest_company"),
    Question("guest_name", "名前", required=True, id="guest_name"),
    Question("guest_email", "メールアドレス", required=True, id="guest_email"),
    Question("guest_comment", "コメント", id="guest_comment"),
)


class PageTarget(NamedTuple):
    """The target of a URL. `one_time` is None for a calendar's own page."""

    calendar: SandboxCalendar
    one_time: SandboxOneTimeUrl | None = None

    @property
    def questions(self) -> tuple[Question, ...]:
        """Return the form: four default questions, then the calendar's own."""
        return (*STANDARD, *self.calendar.questions)

    def hidden(self, request: Request) -> dict[str, str]:
        """Return the URL parameters that prefill nothing."""
        own = {question.id for question in self.questions} | {"locale"}
        return {key: value for key, value in request.query_params.items() if key not in own}


def form_of(questions: tuple[Question, ...], answers: dict[str, list[str]]) -> list[Json]:
    """Return the answers as in an event."""
    items: list[Json] = []
    for question in questions:
        values = answers.get(question.id, [])
        item: Json = {
            "field_type": question.field_type,
            "required": question.required,
            "label": question.label,
            "description": "",
        }
        if question.options:
            item["options"] = [*question.options]
        many = question.field_type == "checkboxes"
        items.append({**item, "value": values if many else "".join(values[:1])})
    return items


class Pages:
    """The pages of all calendars."""

    def __init__(self, timerex: Timerex) -> None:
        self.timerex = timerex

    async def page(self, request: Request) -> Response:
        """Show a calendar's page, or book through it."""
        team, path = request.path_params["team"], request.path_params["path"]
        for calendar in self.timerex.calendars.values():
            if (calendar.team.path, calendar.path) == (team, path):
                return await self._answer(request, PageTarget(calendar))
        return message_page("This page was not found.", 404)

    async def one_time_page(self, request: Request) -> Response:
        """Show a one-time URL's page, or book through it."""
        for one_time in self.timerex.one_time_urls.values():
            if one_time.path == request.path_params["path"]:
                if one_time.booking is not None:
                    return message_page("This address has been used.", 410)
                return await self._answer(request, PageTarget(one_time.calendar, one_time))
        return message_page("This page was not found.", 404)

    async def login(self, _request: Request) -> Response:
        """Show the login page, which has no form."""
        return message_page("Log in to TimeRex.")

    async def _answer(self, request: Request, place: PageTarget) -> Response:
        if len(place.hidden(request)) > MOST_HIDDEN:
            return message_page(f"The address has more than {MOST_HIDDEN} parameters.", 400)
        if request.method == "GET":
            given = {
                question.id: [*request.query_params.getlist(question.id)]
                for question in place.questions
            }
            return form_page(place.calendar, place.questions, given, slots(place.calendar))
        return await self._book(request, place)

    async def _book(self, request: Request, place: PageTarget) -> Response:
        raw = await request.body()
        answers: dict[str, list[str]] = {}
        for key, value in parse_qsl(raw[:MOST_BYTES].decode("utf-8", "replace")):
            answers.setdefault(key, []).append(value)
        starts_at = _time_of(answers.get("starts_at", []))
        faults = _faults(place.questions, answers, starts_at)
        if faults or starts_at is None:
            return form_page(
                place.calendar, place.questions, answers, slots(place.calendar), faults
            )
        calendar = place.calendar
        form = form_of(place.questions, answers)
        booking = SandboxBooking(
            calendar, form, starts_at, calendar.duration_min, place.hidden(request)
        )
        self.timerex.book(booking, place.one_time)
        return message_page("Your booking is confirmed.", event_id=booking.id)


def slots(calendar: SandboxCalendar) -> list[datetime]:
    """Offer the next five days, three times each."""
    zone = ZoneInfo(calendar.zone)
    today = datetime.now(zone).replace(minute=0, second=0, microsecond=0)
    return [
        (today + timedelta(days=day)).replace(hour=hour)
        for day in range(1, 6)
        for hour in (10, 13, 16)
    ]


def pages_router(timerex: Timerex, drop: Callable[[Scope], None]) -> Router:
    """Route the pages and the token endpoint: all of the site that is not the API."""
    pages = Pages(timerex)
    return Router(
        [
            Route("/s/{team}/{path}", pages.page, methods=["GET", "POST"]),
            Route("/s/{path}", pages.one_time_page, methods=["GET", "POST"]),
            Route("/login", pages.login, methods=["GET"]),
            Route(EXCHANGE.path, TimerexGate(timerex, [EXCHANGE], drop)),
        ],
        redirect_slashes=False,
    )


def _time_of(values: list[str]) -> datetime | None:
    try:
        read = datetime.fromisoformat(values[0]) if values else None
        return read.astimezone(UTC) if read and read.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _faults(
    questions: tuple[Question, ...], answers: dict[str, list[str]], starts_at: datetime | None
) -> list[str]:
    faults = [
        f"{question.label}: please answer"
        for question in questions
        if question.required and not any(value.strip() for value in answers.get(question.id, []))
    ]
    emails = answers.get("guest_email", [])
    if emails and not EMAIL.fullmatch(emails[0]):
        faults.append("メールアドレス: use half-width characters, name@company.example")
    faults += [
        f"{question.label}: choose one of the answers"
        for question in questions
        if question.options and {*answers.get(question.id, [])} - {*question.options, ""}
    ]
    return faults if starts_at else [*faults, "choose a time"]
