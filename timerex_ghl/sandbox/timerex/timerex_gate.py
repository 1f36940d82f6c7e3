"""The gate of the TimeRex half: routing, access, rate limits and faults."""

import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.call_log import LoggedCall
from timerex_ghl.sandbox.core.fault_effects import deliver, refuse_by, stand_in
from timerex_ghl.sandbox.core.faults import InjectedFault
from timerex_ghl.sandbox.core.json_io import Json, now_ms, to_json
from timerex_ghl.sandbox.ghl.ghl_requests import (
    bearer_of,
    keys_of,
    read_body,
    read_form,
    vendor_path,
)
from timerex_ghl.sandbox.timerex.timerex_access import TimerexAccess, WindowName
from timerex_ghl.sandbox.timerex.timerex_bookings import SandboxBooking, SandboxCalendar
from timerex_ghl.sandbox.timerex.timerex_state import Timerex


class SandboxTimerexCall(NamedTuple):
    """One call that passed the gate."""

    timerex: Timerex
    access: TimerexAccess
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json

    def calendar(self) -> SandboxCalendar:
        """Find the calendar the path names: of a team the caller may see."""
        return self.visible(self.timerex.calendars.get(self.path["calendar_id"]))

    def booking(self) -> SandboxBooking:
        """Find the booking the path names."""
        booking = self.timerex.bookings.get(self.path["event_id"])
        if booking is None:
            raise RefusalError(404, "Not found.")
        self.visible(booking.calendar)
        return booking

    def visible(self, calendar: SandboxCalendar | None) -> SandboxCalendar:
        """Refuse unknown calendars, and those of other teams."""
        if calendar is None:
            raise RefusalError(404, "Not found.")
        if calendar.team.id not in self.access.team_ids:
            raise RefusalError(403, "This action is unauthorized.")
        return calendar


class TimerexAnswer(NamedTuple):
    """Status and body of one answer."""

    body: Any
    status: int = 200


class SandboxTimerexOperation(NamedTuple):
    """One operation. `id`, method, path, scope and limits as in the developer portal.

    Attributes:
        scope: Empty if any token will do. None without authentication: the token endpoint,
            which reads a form.
        with_key: Whether an API key may call it.
    """

    id: str
    method: str
    path: str
    scope: str | None
    run: Callable[[SandboxTimerexCall], TimerexAnswer]
    windows: tuple[WindowName, ...] = ("minute",)
    with_key: bool = True


class TimerexGate:
    """One path of the API, as an ASGI application."""

    def __init__(
        self,
        timerex: Timerex,
        operations: Iterable[SandboxTimerexOperation],
        drop: Callable[[Scope], None],
    ) -> None:
        self.timerex = timerex
        self.operations = {operation.method: operation for operation in operations}
        self.drop = drop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        began = time.perf_counter()
        request = Request(scope, receive)
        raw = await request.body()
        operation = self.operations.get(request.method)
        name = operation.id if operation else "unknown"
        fault = self.timerex.faults.strike(name)
        kind = fault.kind if fault else None
        call = LoggedCall(name, request.method, vendor_path(request), now_ms(), kind)
        response = await stand_in(fault, self.timerex.clock)
        if response is None:
            response = self._respond(request, operation, raw, fault)
            call = call._replace(status=response.status_code, keys=keys_of(raw))
        took_ms = round((time.perf_counter() - began) * 1000, 3)
        self.timerex.calls.add(call._replace(took_ms=took_ms))
        await deliver(response, fault, self.drop, self.timerex.clock, scope, receive, send)

    def _respond(
        self,
        request: Request,
        operation: SandboxTimerexOperation | None,
        raw: bytes,
        fault: InjectedFault | None,
    ) -> Response:
        try:
            refuse_by(fault)
            return _written(self._answer(request, operation, raw))
        except RefusalError as refusal:
            return self._refused(refusal)

    def _answer(
        self, request: Request, operation: SandboxTimerexOperation | None, raw: bytes
    ) -> TimerexAnswer:
        if operation is None:
            raise RefusalError(404, "Not found.")
        access = self._admit(request, operation)
        try:
            body = read_form(raw) if operation.scope is None else read_body(raw)
        except RecursionError:
            raise RefusalError(400, "The body is nested too deeply") from None
        return operation.run(
            SandboxTimerexCall(
                self.timerex, access, request.path_params, request.query_params, body
            )
        )

    def _admit(self, request: Request, operation: SandboxTimerexOperation) -> TimerexAccess:
        """Check credentials, right and limit. A call with bad ones uses no limit."""
        if operation.scope is None:
            return TimerexAccess("", frozenset(), frozenset())
        access = self.timerex.access_of(request.headers.get("x-api-key", ""), bearer_of(request))
        if access is None:
            raise RefusalError(401, "Unauthenticated.")
        self.timerex.limits.take(access.owner, operation.windows)
        if access.scopes is None and not operation.with_key:
            raise RefusalError(400, "This request is not available for an API key.")
        if access.scopes is not None and {operation.scope} - {""} - access.scopes:
            raise RefusalError(403, "Invalid scope(s) provided.")
        return access

    def _refused(self, refusal: RefusalError) -> Response:
        if refusal.status == HTTPStatus.UNAUTHORIZED and self.timerex.login_redirect:
            page = "<!doctype html><title>Redirecting</title><p>Log in to TimeRex."
            return HTMLResponse(page, 302, {"location": f"{self.timerex.site}/login"})
        message = refusal.message
        text = " ".join(message) if isinstance(message, list) else message
        return _written(TimerexAnswer({"message": text}, refusal.status))


def _written(answer: TimerexAnswer) -> Response:
    return Response(to_json(answer.body), answer.status, media_type="application/json")
