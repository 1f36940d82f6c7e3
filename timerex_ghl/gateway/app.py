"""The gateway's routes. It writes to the ledger and to nothing else, and holds no secret."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.responses import JSONResponse

from timerex_ghl.adapters.ledger import published
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.gateway.api.build import PREFIX, build_api
from timerex_ghl.gateway.door import check_media_type, check_sender, read_body
from timerex_ghl.gateway.doors import Doors
from timerex_ghl.gateway.refusals import answer_error
from timerex_ghl.gateway.store import keep_delivery
from timerex_ghl.sync.errors import TimerexGhlError

_LEDGER_DEADLINE_S = 5.0  # TimeRex waits 15 s in all, and up to 8 of them pass reading the body
_RETRY_AFTER_S = 10  # TimeRex sends twice more, this far apart, after any 4xx or 5xx


def build_gateway(ledger: Ledger) -> FastAPI:
    """Make the application around an open ledger."""
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,  # a redirect would repeat the door's name
        exception_handlers={AnyHTTPException: answer_error, Exception: answer_error},
    )
    _add_health(app, ledger)
    _add_timerex(app, ledger)
    app.mount(PREFIX, build_api(ledger))
    return app


def _add_timerex(app: FastAPI, ledger: Ledger) -> None:
    doors = Doors(ledger)

    @app.post("/webhooks/timerex/{door}")
    async def take_delivery(door: str, request: Request) -> JSONResponse:
        async with _ledger_or(429, retry_after_s=_RETRY_AFTER_S):
            settings = await doors.find(door)
        if settings is None:
            raise HTTPException(404)
        check_sender(request, settings.timerex)
        check_media_type(request.headers)
        body = await read_body(request)
        async with _ledger_or(429, retry_after_s=_RETRY_AFTER_S):
            kept = await keep_delivery(ledger, settings.name, body)
        if kept.is_malformed:
            return JSONResponse({"error": kept.event_id}, 400)
        return JSONResponse({"stored": True, "event": kept.event_id})


def _add_health(app: FastAPI, ledger: Ledger) -> None:
    @app.get("/healthz")
    async def say_alive() -> JSONResponse:
        return JSONResponse({"alive": True})

    @app.get("/readyz")
    async def say_ready() -> JSONResponse:
        async with _ledger_or(503):
            await ledger.read(published.all_published)
        return JSONResponse({"ready": True})


@asynccontextmanager
async def _ledger_or(status: int, *, retry_after_s: int | None = None) -> AsyncGenerator[None]:
    """Answer with a status when the ledger does not: nothing was promised, the sender repeats."""
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s else None
    try:
        async with asyncio.timeout(_LEDGER_DEADLINE_S):
            yield
    except (TimerexGhlError, SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
        raise HTTPException(status, headers=headers) from error
