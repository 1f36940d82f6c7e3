"""Reading and acknowledging deliveries of any sender."""

import asyncio
from collections.abc import Mapping

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from timerex_ghl.gateway.webhooks.store import Kept

_MAX_BYTES = 256 * 1024
_CLOSE = {"connection": "close"}  # the rest of the body is not read


def check_media_type(headers: Mapping[str, str]) -> None:
    """Refuse (415) all but uncompressed JSON. A compressed body could expand without limit."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" or "content-encoding" in headers:
        raise HTTPException(415)


async def read_body(request: Request, deadline_s: float) -> bytes:
    """Read at most 256 KB within `deadline_s`.

    The received bytes count, not `Content-Length` (413). Too slow is a 408.
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
    """Acknowledge a stored delivery; a malformed one is stored too, and refused (400)."""
    if kept.is_malformed:
        return JSONResponse({"error": kept.event_id}, 400)
    return JSONResponse({"stored": True, "event": kept.event_id})
