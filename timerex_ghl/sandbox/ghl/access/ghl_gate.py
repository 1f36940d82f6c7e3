"""The gate of the GHL half: routing to an operation, access, rate limits, and faults.

Source: refusals recorded in July and August 2026. A 401 is not always an expired token: the version
header, the scope and the kind of token are refused with 401 too.
"""

import time
from collections.abc import Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from timerex_ghl.sandbox.core.answers import ApiAnswer, RefusalError, with_request_id
from timerex_ghl.sandbox.core.call_log import LoggedCall
from timerex_ghl.sandbox.core.fault_effects import deliver, refuse_by, stand_in
from timerex_ghl.sandbox.core.faults import InjectedFault
from timerex_ghl.sandbox.core.json_io import Json, now_ms, to_json
from timerex_ghl.sandbox.ghl.access.tokens import GhlAccess
from timerex_ghl.sandbox.ghl.ghl_requests import bearer_of, read_body, read_form, vendor_path
from timerex_ghl.sandbox.ghl.ghl_running import perform, perform_as_before
from timerex_ghl.sandbox.ghl.ghl_state import Ghl
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

VERSIONS = {"2021-07-28", "2021-04-15"}
NOBODY = GhlAccess("private", app="", location_id="", scopes=frozenset())


class Gate:
    """One path of the API, as an ASGI application; `operations` by method."""

    def __init__(
        self, ghl: Ghl, operations: Iterable[VendorOperation], drop: Callable[[Scope], None]
    ) -> None:
        self.ghl = ghl
        self.operations = {operation.method: operation for operation in operations}
        self.drop = drop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        began = time.perf_counter()
        request = Request(scope, receive)
        raw = await request.body()
        name = self.name_of(request)
        fault = self.ghl.faults.strike(name)
        kind = fault.kind if fault else None
        call = LoggedCall(name, request.method, vendor_path(request), now_ms(), kind)
        response = await stand_in(fault, self.ghl.clock)
        if response is None:
            cpu_began = time.thread_time()
            response, body = self.respond(request, raw, fault)
            cpu_ms = round((time.thread_time() - cpu_began) * 1000, 3)
            call = call._replace(status=response.status_code, keys=sorted(body), cpu_ms=cpu_ms)
        took_ms = round((time.perf_counter() - began) * 1000, 3)
        self.ghl.calls.add(call._replace(took_ms=took_ms))
        await deliver(response, fault, self.drop, self.ghl.clock, scope, receive, send)

    def respond(
        self, request: Request, raw: bytes, fault: InjectedFault | None
    ) -> tuple[Response, Json]:
        """Answer with rate limit headers; also return the request body."""
        access = self.ghl.tokens.find(bearer_of(request))
        answer, body = self.answer(request, raw, access, fault)
        answer = with_request_id(answer)
        limits = self.ghl.limits.headers(access.app if access else "")
        return Response(to_json(answer.body), answer.status, limits, "application/json"), body

    def name_of(self, request: Request) -> str:
        """Name the operation of a call."""
        operation = self.operations.get(request.method)
        return operation.id if operation else "unknown"

    def answer(
        self, request: Request, raw: bytes, access: GhlAccess | None, fault: InjectedFault | None
    ) -> tuple[ApiAnswer, Json]:
        """Let the call through to its operation, or refuse it."""
        body: Json = {}
        try:
            refuse_by(fault)
            operation = self.operation_of(request)
            admitted = self.admit(request, operation, access)
            body = read_form(raw) if operation.form else read_body(raw)
            call = PassedCall(self.ghl, admitted, request.path_params, request.query_params, body)
            if fault is not None and fault.kind == "stale":
                return perform_as_before(operation, call, fault.value), body
            return perform(operation, call), body
        except RefusalError as refusal:
            return refusal.answer(), body
        except RecursionError:
            return RefusalError(400, "The body is nested too deeply").answer(), body

    def operation_of(self, request: Request) -> VendorOperation:
        """Find the operation; an unknown method on a known path is also a 404."""
        operation = self.operations.get(request.method)
        if operation is None:
            raise RefusalError(404, f"Cannot {request.method} {vendor_path(request)}")
        return operation

    def admit(
        self, request: Request, operation: VendorOperation, access: GhlAccess | None
    ) -> GhlAccess:
        """Check token, limit, version and scope. A call with a bad token uses no limit."""
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
        if operation.agency == ("no" if access.kind == "agency" else "only"):
            raise RefusalError(401, "This authClass type is not allowed to access this scope.")
        if operation.scope not in access.scopes:
            raise RefusalError(401, "The token is not authorized for this scope.")
        return access
