"""Error answers of the webhook endpoints: only an id, which is also logged."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from timerex_ghl.domain.shared.errors import TimerexGhlError

RETRY_AFTER_S = 10  # TimeRex repeats twice, at this interval, after any 4xx or 5xx

_log = logging.getLogger(__name__)


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer an error. The path is not logged, because it contains the endpoint's secret name."""
    del request
    error_id = secrets.token_hex(8)
    status, headers = 500, None
    if isinstance(error, HTTPException):
        status, headers = error.status_code, error.headers
    cause = type(error.__cause__ or error).__name__
    _log.warning("refused with %d (%s), error %s", status, cause, error_id)
    return JSONResponse({"error": error_id}, status, headers)


@asynccontextmanager
async def ledger_or(status: int, deadline_s: float) -> AsyncGenerator[None]:
    """Answer `status` when the ledger is too slow or fails: the sender repeats its request."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except (TimerexGhlError, SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
        raise HTTPException(status, headers=headers) from error
