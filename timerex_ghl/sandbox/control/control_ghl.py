"""Control of the GHL half: actions of CRM users and of the sandbox's operator."""

from typing import Literal

from pydantic import NonNegativeInt, PositiveInt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timerex_ghl.sandbox.control.control_faults import FaultOrder
from timerex_ghl.sandbox.control.control_requests import ControlOrder, read, reply
from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.ghl.access.tokens import ALL_SCOPES, Install
from timerex_ghl.sandbox.ghl.ghl_router import OPERATIONS
from timerex_ghl.sandbox.ghl.ghl_state import Ghl

MAY_FAIL = {"*", "unknown", *(operation.id for operation in OPERATIONS)}
MAY_BE_STALE = {
    operation.id
    for operation in OPERATIONS
    if operation.method == "GET"
    and ("{contactId}" in operation.path or "{eventId}" in operation.path)
}


class LimitsOrder(ControlOrder):
    """New limits. Omitted fields stay."""

    max: NonNegativeInt | None = None
    window_ms: PositiveInt | None = None
    daily: NonNegativeInt | None = None
    enabled: bool | None = None


class SettingsOrder(ControlOrder):
    """New settings of the location. Omitted fields stay."""

    allow_duplicates: bool | None = None
    unique_identifiers: list[Literal["email", "phone"]] | None = None
    country: str | None = None
    timezone: str | None = None
    search_lag_ms: NonNegativeInt | None = None
    clock_offset_ms: int | None = None
    clock_step_ms: PositiveInt | None = None


class GhlCalendarOrder(ControlOrder):
    """Which calendar to set up. Without hours it is never open, and reads as `{}`."""

    name: str
    opens: bool = True


class UserOrder(ControlOrder):
    """A user to add to the location."""

    name: str
    email: str


class TokenOrder(ControlOrder):
    """Which token to mint. Without scopes it has all."""

    kind: Literal["private", "oauth", "agency"] = "private"
    scopes: list[str] | None = None
    location_id: str | None = None

    def install(self, ghl: Ghl) -> Install:
        """Return the install of the token."""
        scopes = ALL_SCOPES if self.scopes is None else frozenset(self.scopes)
        return Install(self.location_id or ghl.location.id, scopes)


class OauthOrder(ControlOrder):
    """How long an access token and the repeat of a spent refresh token last."""

    expires_in_s: int | None = None
    repeat_s: float | None = None


class GhlControl:
    """The calls."""

    def __init__(self, ghl: Ghl) -> None:
        self.ghl = ghl

    async def set_limits(self, request: Request) -> Response:
        """Change the rate limits."""
        order = await read(request, LimitsOrder)
        for key, value in order.model_dump(exclude_none=True).items():
            setattr(self.ghl.limits, key, value)
        return reply()

    async def set_settings(self, request: Request) -> Response:
        """Change the location's settings."""
        order = await read(request, SettingsOrder)
        if order.search_lag_ms is not None:
            self.ghl.contacts.index.lag_by(order.search_lag_ms)
        clock = {"clock_offset_ms", "clock_step_ms"}
        for key, value in order.model_dump(exclude_none=True, include=clock).items():
            setattr(self.ghl.contacts, key, value)
        kept = order.model_dump(exclude_none=True, exclude={"search_lag_ms", *clock})
        for key, value in kept.items():
            setattr(self.ghl.location, key, value)
        return reply()

    async def add_calendar(self, request: Request) -> Response:
        """Set up a calendar of all users."""
        order, setup = await read(request, GhlCalendarOrder), self.ghl.setup
        team = setup.users if order.opens else ()
        return reply(201, calendar=setup.add_calendar(order.name, team, opens=order.opens))

    async def add_user(self, request: Request) -> Response:
        """Add a user to the location."""
        order = await read(request, UserOrder)
        return reply(201, user=self.ghl.setup.add_user(order.name, order.email))

    async def mint_token(self, request: Request) -> Response:
        """Mint a token; an OAuth install has a refresh token too."""
        order = await read(request, TokenOrder)
        install = order.install(self.ghl)
        if order.kind == "oauth":
            pair = self.ghl.tokens.mint_pair(install)
            return reply(201, access_token=pair.access, refresh_token=pair.refresh)
        token = self.ghl.tokens.mint_static(install.location_id, install.scopes, order.kind)
        return reply(201, access_token=token)

    async def set_oauth(self, request: Request) -> Response:
        """Change how long tokens and the repeat of a refresh last."""
        order = await read(request, OauthOrder)
        for key, value in order.model_dump(exclude_none=True).items():
            setattr(self.ghl.tokens, key, value)
        return reply()

    async def mint_code(self, request: Request) -> Response:
        """Mint a code, as after a person's consent."""
        order = await read(request, TokenOrder)
        return reply(201, code=self.ghl.tokens.mint_code(order.install(self.ghl)))

    async def expire_access(self, _request: Request) -> Response:
        """Expire all OAuth access tokens."""
        self.ghl.tokens.expire_access()
        return reply()

    async def add_fault(self, request: Request) -> Response:
        """Add a fault to a later call."""
        order = await read(request, FaultOrder)
        if order.operation not in MAY_FAIL:
            raise RefusalError(422, f"unknown operation {order.operation}")
        if order.kind == "stale" and order.operation not in MAY_BE_STALE:
            raise RefusalError(
                422, f"{order.operation} reads no record by its id; see search_lag_ms"
            )
        self.ghl.faults.waiting.append(order.fault(self.ghl.clock))
        return reply(201)

    async def forget_faults(self, _request: Request) -> Response:
        """Remove the pending faults."""
        self.ghl.faults.waiting.clear()
        return reply()


def ghl_routes(ghl: Ghl) -> list[Route]:
    """Route the calls."""
    control = GhlControl(ghl)
    return [
        Route("/ghl/limits", control.set_limits, methods=["POST"]),
        Route("/ghl/settings", control.set_settings, methods=["POST"]),
        Route("/ghl/calendars", control.add_calendar, methods=["POST"]),
        Route("/ghl/users", control.add_user, methods=["POST"]),
        Route("/ghl/tokens", control.mint_token, methods=["POST"]),
        Route("/ghl/oauth", control.set_oauth, methods=["POST"]),
        Route("/ghl/codes", control.mint_code, methods=["POST"]),
        Route("/ghl/expire_access", control.expire_access, methods=["POST"]),
        Route("/ghl/faults", control.add_fault, methods=["POST"]),
        Route("/ghl/faults", control.forget_faults, methods=["DELETE"]),
    ]
