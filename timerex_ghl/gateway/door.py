"""One door: who may pass, and what of a request is read."""

import asyncio
from collections.abc import Mapping

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from timerex_ghl.adapters.timerex.webhooks import is_authentic
from timerex_ghl.sync.settings import TimerexSettings

_MAX_BYTES = 256 * 1024
_BODY_DEADLINE_S = 8.0


def check_sender(request: Request, settings: TimerexSettings) -> None:
    """Refuse (401) whoever does not carry the one token in the one header."""
    if not is_authentic(request.headers.raw, settings.header, settings.token_digests):
        raise HTTPException(401)


def check_media_type(headers: Mapping[str, str]) -> None:
    """Refuse (415) what is not plain JSON. A compressed body could grow without bound."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" or "content-encoding" in headers:
        raise HTTPException(415)


async def read_body(request: Request) -> bytes:
    """Read at most 256 KB, counted as they arrive, within 8 seconds.

    Whatever `Content-Length` says, what arrives is what counts (413). Too slow is 408.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_DEADLINE_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)
