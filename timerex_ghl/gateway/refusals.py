"""Errors as callers see them: an id and nothing else. The same id stands in the log."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from timerex_ghl.sync.errors import TimerexGhlError

RETRY_AFTER_S = 10  # TimeRex sends twice more, this far apart, after any 4xx or 5xx
_LEDGER_DEADLINE_S = 5.0  # TimeRex waits 15 s in all, and up to 8 of them pass reading the body

_log = logging.getLogger(__name__)


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer a refusal or a failure. The path is not logged, for it names the door."""
    del request
    error_id = secrets.token_hex(8)
    status, headers = 500, None
    if isinstance(error, HTTPException):
        status, headers = error.status_code, error.headers
    cause = type(error.__cause__ or error).__name__
    _log.warning("refused with %d (%s), error %s", status, cause, error_id)
    return JSONResponse({"error": error_id}, status, headers)


@asynccontextmanager
async def ledger_or(status: int) -> AsyncGenerator[None]:
    """Answer with a status when the ledger does not: nothing was promised, the sender repeats."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    try:
        async with asyncio.timeout(_LEDGER_DEADLINE_S):
            yield
    except (TimerexGhlError, SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
        raise HTTPException(status, headers=headers) from error
