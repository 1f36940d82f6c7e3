"""Errors as callers see them: an id and nothing else. The same id stands in the log."""

import logging
import secrets

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

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
