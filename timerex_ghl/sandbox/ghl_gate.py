"""The gate of the GHL half: which operation, who may call it, how often, and what goes wrong.

Source: refusals recorded in July and August 2026. A 401 is not always an expired token: the version
header, the scope and the kind of token are refused with 401 too.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from timerex_ghl.sandbox.answers import Answer, RefusalError, with_trace
from timerex_ghl.sandbox.faults import Fault
from timerex_ghl.sandbox.ghl_requests import (
    bearer_of,
    keys_of,
    read_body,
    read_form,
    vendor_path,
)
from timerex_ghl.sandbox.operations import Call, Operation
from timerex_ghl.sandbox.state import Ghl
from timerex_ghl.sandbox.tokens import Access
from timerex_ghl.sandbox.wire import iso_ms, now_ms, to_json

VERSIONS = {"2021-07-28", "2021-04-15"}
NOBODY = Access("private", app="", location_id="", scopes=frozenset())


class Gate:
    """One path of the API, as an ASGI application; `operations` by method."""

    def __init__(
        self, ghl: Ghl, operations: Iterable[Operation], drop: Callable[[Scope], None]
    ) -> None:
        self.ghl = ghl
        self.operations = {operation.method: operation for operation in operations}
        self.drop = drop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        request = Request(scope, receive)
        raw = await request.body()
        name = self.name_of(request)
        fault = self.ghl.faults.strike(name)
        if fault is not None and fault.kind == "delay":
            await asyncio.sleep(fault.value / 1000)
        began = time.thread_time()
        access = self.ghl.tokens.find(bearer_of(request))
        answer = with_trace(self.answer(request, raw, access, fault))
        limits = self.ghl.limits.headers(access.app if access else "")
        response = Response(to_json(answer.body), answer.status, limits, "application/json")
        cpu_ms = round((time.thread_time() - began) * 1000, 3)
        self.log(
            request,
            operation=name,
            status=answer.status,
            keys=keys_of(raw),
            fault=fault.kind if fault else None,
            cpu_ms=cpu_ms,
        )
        await self.deliver(response, fault, scope, receive, send)

    def name_of(self, request: Request) -> str:
        """Name the operation of a call."""
        operation = self.operations.get(request.method)
        return operation.id if operation else "unknown"

    def answer(
        self, request: Request, raw: bytes, access: Access | None, fault: Fault | None
    ) -> Answer:
        """Let the call through to its operation, or refuse it."""
        try:
            refuse_by(fault)
            operation = self.operation_of(request)
            admitted = self.admit(request, operation, access)
            body = read_body(raw) if operation.scope else read_form(raw)
            return operation.run(
                Call(self.ghl, admitted, request.path_params, request.query_params, body)
            )
        except RefusalError as refusal:
            return refusal.answer()
        except RecursionError:
            return RefusalError(400, "The body is nested too deeply").answer()

    def operation_of(self, request: Request) -> Operation:
        """Find the operation; another method on a known path is a 404 too."""
        operation = self.operations.get(request.method)
        if operation is None:
            raise RefusalError(404, f"Cannot {request.method} {vendor_path(request)}")
        return operation

    def admit(self, request: Request, operation: Operation, access: Access | None) -> Access:
        """Check token, limit, version and scope. A call with a bad token uses nobody's limit."""
        if operation.scope is None:
            return NOBODY
        if access is None:
            private = bearer_of(request).startswith("pit-")
            kind = "Invalid Private Integration token"
            raise RefusalError(401, kind if private else "Invalid token: access token is invalid")
        self.ghl.limits.take(access.app)
        version = request.headers.get("version")
        if version is None:
            raise RefusalError(401, "version header was not found.")
        if version not in VERSIONS:
            raise RefusalError(401, "version header is invalid")
        if access.kind == "agency":
            raise RefusalError(401, "This authClass type is not allowed to access this scope.")
        if operation.scope not in access.scopes:
            raise RefusalError(401, "The token is not authorized for this scope.")
        return access

    def log(self, request: Request, **told: object) -> None:
        """Note a call for the checkers: the keys of its body, none of its values."""
        at_ms = now_ms()
        place = {"method": request.method, "path": vendor_path(request)}
        self.ghl.calls.append({**place, "time": iso_ms(at_ms), "at_ms": at_ms, **told})

    async def deliver(
        self, response: Response, fault: Fault | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send the answer: whole, cut in half, or not at all."""
        match fault.kind if fault else None:
            case "drop_after_commit":
                self.drop(scope)
                while (await receive())["type"] != "http.disconnect":
                    pass
            case "truncate":
                await send(
                    {
                        "type": "http.response.start",
                        "status": response.status_code,
                        "headers": response.raw_headers,
                    }
                )
                half = bytes(response.body[: len(response.body) // 2])
                await send({"type": "http.response.body", "body": half, "more_body": True})
                self.drop(scope)
            case _:
                await response(scope, receive, send)


def refuse_by(fault: Fault | None) -> None:
    """Answer with the status a fault asks for."""
    if fault is not None and fault.kind == "status":
        raise RefusalError(fault.value, HTTPStatus(fault.value).phrase)
