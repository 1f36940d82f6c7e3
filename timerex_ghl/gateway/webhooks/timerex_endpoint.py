"""TimeRex's webhook endpoint: one URL and one token per connection."""

from fastapi import HTTPException, Request
from starlette.responses import Response

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.timerex.webhooks import is_authentic
from timerex_ghl.gateway.limits import GatewayLimits
from timerex_ghl.gateway.refusals import ledger_or
from timerex_ghl.gateway.requests import answer, check_media_type, read_body
from timerex_ghl.gateway.webhooks.endpoints import Endpoints
from timerex_ghl.gateway.webhooks.store import keep_timerex


class TimerexEndpoint:
    """Receives deliveries of TimeRex."""

    def __init__(self, ledger: Ledger, endpoints: Endpoints, limits: GatewayLimits) -> None:
        self._ledger = ledger
        self._endpoints = endpoints
        self._limits = limits

    async def take(self, request: Request) -> Response:
        """Check, store and acknowledge a delivery."""
        async with ledger_or(429, self._limits.ledger_deadline_s):
            settings = await self._endpoints.find(request.path_params["endpoint"])
        if settings is None:
            raise HTTPException(404)
        timerex = settings.timerex
        if not is_authentic(request.headers.raw, timerex.header, timerex.token_digests):
            raise HTTPException(401)
        check_media_type(request.headers)
        body = await read_body(request, self._limits.body_deadline_s)
        async with ledger_or(429, self._limits.ledger_deadline_s):
            return answer(await keep_timerex(self._ledger, settings.name, body))
