"""Control of a call log: pages of it, and counts."""

from pydantic import NonNegativeInt, PositiveInt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timerex_ghl.sandbox.control.control_requests import ControlOrder, read_query, reply
from timerex_ghl.sandbox.core.call_log import KEPT, CallLog


class CallsQuery(ControlOrder):
    """Which calls to return."""

    since: NonNegativeInt = 0
    limit: PositiveInt = KEPT
    operation: str | None = None


def call_routes(log: CallLog, prefix: str) -> list[Route]:
    """Route the calls."""

    def list_calls(request: Request) -> Response:
        query = read_query(request, CallsQuery)
        return reply(**log.page(query.since, query.limit, query.operation))

    def count_calls(_request: Request) -> Response:
        return reply(**log.counts())

    def forget_calls(_request: Request) -> Response:
        log.clear()
        return reply()

    return [
        Route(f"{prefix}/calls", list_calls, methods=["GET"]),
        Route(f"{prefix}/calls", forget_calls, methods=["DELETE"]),
        Route(f"{prefix}/calls/counts", count_calls, methods=["GET"]),
    ]
