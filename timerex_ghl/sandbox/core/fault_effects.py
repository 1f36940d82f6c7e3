"""Effects of a fault on an answer: another status, a page, truncated, slow, or none."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.faults import InjectedFault

PAGE = "<!doctype html><title>{0}</title><h1>{0}</h1>"


def refuse_by(fault: InjectedFault | None) -> None:
    """Answer with the status a fault asks for."""
    if fault is not None and fault.kind == "status":
        raise RefusalError(fault.value, HTTPStatus(fault.value).phrase)


async def stand_in(fault: InjectedFault | None, clock: MachineClock) -> Response | None:
    """Return the answer of a proxy in front of the service, which is then not called."""
    match fault.kind if fault else None:
        case "html":
            return HTMLResponse(PAGE.format("Please wait"))
        case "login_redirect":
            return HTMLResponse(PAGE.format("Log in"), 302, {"location": "/login"})
        case "drop_before_commit":
            return Response()
        case "delay" if fault:
            await clock.sleep(fault.value / 1000)
            return None
        case _:
            return None


async def deliver(
    response: Response,
    fault: InjectedFault | None,
    drop: Callable[[Scope], None],
    clock: MachineClock,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Send the answer with the effect of the fault."""
    if fault is None:
        await response(scope, receive, send)
        return
    _change_headers(response, fault)
    match fault.kind:
        case "drop_before_commit" | "drop_after_commit":
            drop(scope)
            while (await receive())["type"] != "http.disconnect":
                pass
        case "truncate":
            await _begin(response, send)
            half = bytes(response.body[: len(response.body) // 2])
            await send({"type": "http.response.body", "body": half, "more_body": True})
            drop(scope)
        case "drip":
            await _begin(response, send)
            await _drip(bytes(response.body), fault.value / 1000, clock, receive, send)
        case "status_after_commit":
            await _false_answer(fault.value)(scope, receive, send)
        case "delay_after_commit":
            await clock.sleep(fault.value / 1000)
            await response(scope, receive, send)
        case _:
            await response(scope, receive, send)


def _false_answer(status: int) -> Response:
    """Answer with an error though it was done: the service's own 4xx, or a proxy's page."""
    phrase = HTTPStatus(status).phrase
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return JSONResponse({"statusCode": status, "message": phrase, "error": phrase}, status)
    return HTMLResponse(PAGE.format(phrase), status)


def _change_headers(response: Response, fault: InjectedFault) -> None:
    for name, value in fault.headers.items():
        if value is None:
            del response.headers[name]
        else:
            response.headers[name] = value


async def _begin(response: Response, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )


async def _drip(
    body: bytes, pause_s: float, clock: MachineClock, receive: Receive, send: Send
) -> None:
    """Send one byte after the other, until the caller gives up."""
    leaving = asyncio.ensure_future(receive())
    try:
        for at in range(len(body)):
            byte, more = body[at : at + 1], at + 1 < len(body)
            await send({"type": "http.response.body", "body": byte, "more_body": more})
            pausing = asyncio.ensure_future(clock.sleep(pause_s))
            await asyncio.wait([leaving, pausing], return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                pausing.cancel()
                return
    finally:
        leaving.cancel()
