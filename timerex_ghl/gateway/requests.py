"""What of a delivery is read and what is answered, whoever sent it."""

import asyncio
from collections.abc import Mapping

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from timerex_ghl.gateway.store import Kept

_MAX_BYTES = 256 * 1024
_CLOSE = {"connection": "close"}  # what is still on its way is not read


def check_media_type(headers: Mapping[str, str]) -> None:
    """Refuse (415) what is not plain JSON. A compressed body could grow without bound."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" or "content-encoding" in headers:
        raise HTTPException(415)


async def read_body(request: Request, deadline_s: float) -> bytes:
    """Read at most 256 KB, counted as they arrive, within a time.

    Whatever `Content-Length` says, what arrives is what counts (413). Too slow is 408.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(deadline_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise HTTPException(413, headers=_CLOSE)
    except TimeoutError:
        raise HTTPException(408, headers=_CLOSE) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)


def answer(kept: Kept) -> Response:
    """Say that a delivery is stored; one that cannot be read is so too, and refused."""
    if kept.is_malformed:
        return JSONResponse({"error": kept.event_id}, 400)
    return JSONResponse({"stored": True, "event": kept.event_id})
