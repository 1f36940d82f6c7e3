"""The gateway's routes. The gateway writes only to the ledger and has no secrets."""

from collections.abc import Collection

from fastapi import FastAPI
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.gateway.api.build import PREFIX, build_api
from timerex_ghl.gateway.guard import Guard, api_with, endpoints_with
from timerex_ghl.gateway.limits import DEFAULT_LIMITS, GatewayLimits
from timerex_ghl.gateway.refusals import answer_error, ledger_or
from timerex_ghl.gateway.webhooks.endpoints import Endpoints
from timerex_ghl.gateway.webhooks.ghl_endpoint import GhlEndpoint
from timerex_ghl.gateway.webhooks.timerex_endpoint import TimerexEndpoint


def build_gateway(
    ledger: Ledger, *, hosts: Collection[str] = (), limits: GatewayLimits = DEFAULT_LIMITS
) -> FastAPI:
    """Build the application on an open ledger.

    Args:
        ledger: The open ledger.
        hosts: Allowed host names; empty allows all.
        limits: Limits and deadlines of the webhook endpoints and the API.
    """
    areas = (endpoints_with(limits), api_with(limits))
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,  # a redirect would repeat the endpoint's name
        exception_handlers={AnyHTTPException: answer_error, Exception: answer_error},
        middleware=[Middleware(Guard, areas=areas, hosts=hosts)],
    )
    _add_health(app, ledger, limits)
    _add_endpoints(app, ledger, limits)
    app.mount(PREFIX, build_api(ledger, limits))
    return app


def _add_endpoints(app: FastAPI, ledger: Ledger, limits: GatewayLimits) -> None:
    """Add the webhook endpoints as plain routes: FastAPI's features cost time, unused there."""
    endpoints = Endpoints(ledger, limits)
    timerex, ghl = (
        TimerexEndpoint(ledger, endpoints, limits),
        GhlEndpoint(ledger, endpoints, limits),
    )
    app.add_route("/webhooks/timerex/{endpoint}", timerex.take, methods=["POST"])
    app.add_route("/webhooks/ghl", ghl.take, methods=["POST"])


def _add_health(app: FastAPI, ledger: Ledger, limits: GatewayLimits) -> None:
    @app.get("/healthz")
    async def say_alive() -> JSONResponse:
        return JSONResponse({"alive": True})

    @app.get("/readyz")
    async def say_ready() -> JSONResponse:
        async with ledger_or(503, limits.ledger_deadline_s):
            await ledger.read(published.all_published)
        return JSONResponse({"ready": True})
