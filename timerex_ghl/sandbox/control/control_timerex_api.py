"""Control of TimeRex's REST API: calendars, tokens, limits, switches, faults, and its call log."""

from typing import Literal

from pydantic import NonNegativeInt, PositiveInt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timerex_ghl.sandbox.control.control_faults import FaultOrder
from timerex_ghl.sandbox.control.control_requests import ControlOrder, known, read, reply
from timerex_ghl.sandbox.timerex.timerex_access import TIMEREX_SCOPES
from timerex_ghl.sandbox.timerex.timerex_bookings import Question, SandboxCalendar
from timerex_ghl.sandbox.timerex.timerex_state import Timerex


class QuestionOrder(ControlOrder):
    """A question of the calendar's own."""

    field_type: Literal["radio", "dropdown", "checkboxes", "paragraph"]
    label: str
    required: bool = False
    options: tuple[str, ...] = ()


class TimerexCalendarOrder(ControlOrder):
    """A new calendar; of the team with the API key, unless another is named."""

    name: str
    duration_min: PositiveInt = 30
    questions: tuple[QuestionOrder, ...] = ()
    team_id: str | None = None


class TimerexLimitsOrder(ControlOrder):
    """New limits. Omitted fields stay."""

    minute: NonNegativeInt | None = None
    hour: NonNegativeInt | None = None
    day: NonNegativeInt | None = None
    minute_ms: PositiveInt | None = None
    enabled: bool | None = None


class SwitchOrder(ControlOrder):
    """What the service does. Omitted fields stay."""

    login_redirect: bool | None = None
    lists_cancelled: bool | None = None


class TimerexTokenOrder(ControlOrder):
    """An OAuth consent. Without scopes it covers all."""

    scopes: frozenset[str] = TIMEREX_SCOPES


class TimerexOauthOrder(ControlOrder):
    """How long an access token lasts."""

    expires_in_s: int


class TimerexApiControl:
    """The calls."""

    def __init__(self, timerex: Timerex) -> None:
        self.timerex = timerex

    async def add_calendar(self, request: Request) -> Response:
        """Make a calendar."""
        order = await read(request, TimerexCalendarOrder)
        team = known(self.timerex.teams, order.team_id or self.timerex.team.id)
        questions = tuple(Question(**one.model_dump()) for one in order.questions)
        calendar = SandboxCalendar(team, order.name, order.duration_min, questions)
        self.timerex.add_calendar(calendar)
        asked = {question.label: question.id for question in questions}
        return reply(201, calendar_id=calendar.id, url=calendar.url, question_ids=asked)

    async def set_limits(self, request: Request) -> Response:
        """Change the limits."""
        order = await read(request, TimerexLimitsOrder)
        for key, value in order.model_dump(exclude_none=True).items():
            setattr(self.timerex.limits, key, value)
        return reply()

    async def set_switches(self, request: Request) -> Response:
        """Change what the service does."""
        order = await read(request, SwitchOrder)
        for key, value in order.model_dump(exclude_none=True).items():
            setattr(self.timerex, key, value)
        return reply()

    async def mint_tokens(self, request: Request) -> Response:
        """Mint an OAuth pair."""
        order = await read(request, TimerexTokenOrder)
        pair = self.timerex.tokens.mint_pair(order.scopes)
        return reply(201, access_token=pair.access, refresh_token=pair.refresh)

    async def mint_code(self, request: Request) -> Response:
        """Mint a code, as after the user's consent."""
        order = await read(request, TimerexTokenOrder)
        tokens = self.timerex.tokens
        return reply(201, code=tokens.mint_code(order.scopes), redirect_uri=tokens.redirect_uri)

    async def set_oauth(self, request: Request) -> Response:
        """Change how long access tokens last."""
        self.timerex.tokens.expires_in_s = (await read(request, TimerexOauthOrder)).expires_in_s
        return reply()

    async def expire_access(self, _request: Request) -> Response:
        """Expire all access tokens."""
        self.timerex.tokens.accesses.clear()
        return reply()

    async def add_fault(self, request: Request) -> Response:
        """Add a fault to a later call."""
        order = await read(request, FaultOrder)
        self.timerex.faults.waiting.append(order.fault(self.timerex.clock))
        return reply(201)

    async def forget_faults(self, _request: Request) -> Response:
        """Remove the pending faults."""
        self.timerex.faults.waiting.clear()
        return reply()


def timerex_api_routes(timerex: Timerex) -> list[Route]:
    """Route the calls."""
    control = TimerexApiControl(timerex)
    return [
        Route("/timerex/calendars", control.add_calendar, methods=["POST"]),
        Route("/timerex/limits", control.set_limits, methods=["POST"]),
        Route("/timerex/settings", control.set_switches, methods=["POST"]),
        Route("/timerex/tokens", control.mint_tokens, methods=["POST"]),
        Route("/timerex/codes", control.mint_code, methods=["POST"]),
        Route("/timerex/oauth", control.set_oauth, methods=["POST"]),
        Route("/timerex/expire_access", control.expire_access, methods=["POST"]),
        Route("/timerex/faults", control.add_fault, methods=["POST"]),
        Route("/timerex/faults", control.forget_faults, methods=["DELETE"]),
    ]
