"""GHL's webhook endpoint, one for all locations: signed by GHL, with the location in the body."""

from fastapi import HTTPException, Request
from starlette.responses import Response

from timerex_ghl.adapters.ghl.webhooks.deliveries import GhlDelivery, read_delivery
from timerex_ghl.adapters.ghl.webhooks.signatures import DeliverySignature, read_proof, signer_of
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.malformed import MalformedError
from timerex_ghl.domain.connections.settings import ConnectionSettings
from timerex_ghl.gateway.limits import GatewayLimits
from timerex_ghl.gateway.refusals import ledger_or
from timerex_ghl.gateway.requests import answer, check_media_type, read_body
from timerex_ghl.gateway.webhooks.endpoints import Endpoints
from timerex_ghl.gateway.webhooks.store import keep_ghl, keep_malformed


class GhlEndpoint:
    """Receives deliveries of GHL."""

    def __init__(self, ledger: Ledger, endpoints: Endpoints, limits: GatewayLimits) -> None:
        self._ledger = ledger
        self._endpoints = endpoints
        self._limits = limits

    async def take(self, request: Request) -> Response:
        """Check, store and acknowledge a delivery."""
        proof = read_proof(request.headers.raw)
        if proof is None:
            raise HTTPException(401)
        check_media_type(request.headers)
        body = await read_body(request, self._limits.body_deadline_s)
        signer = await self._signer_of(proof, body)
        try:
            delivery = read_delivery(body)
        except MalformedError as error:
            async with ledger_or(429, self._limits.ledger_deadline_s):
                return answer(await keep_malformed(self._ledger, None, "ghl", body, str(error)))
        connections = await self._find_those(delivery, proof, signer)
        async with ledger_or(429, self._limits.ledger_deadline_s):
            return answer(await keep_ghl(self._ledger, connections, delivery, body))

    async def _signer_of(self, proof: DeliverySignature, body: bytes) -> str:
        """Return the key that signed; refuse (401) where no connection has it."""
        async with ledger_or(429, self._limits.ledger_deadline_s):
            known = await self._endpoints.known()
        signer = signer_of(proof, body, known.keys(older=proof.is_older))
        if signer is None:
            raise HTTPException(401)
        return signer

    async def _find_those(
        self, delivery: GhlDelivery, proof: DeliverySignature, signer: str
    ) -> list[ConnectionSettings]:
        """Find the connections of a delivery.

        A key is valid only for connections that have it: a sandbox's for no live location (401).
        """
        async with ledger_or(429, self._limits.ledger_deadline_s):
            found = await self._endpoints.find_location(delivery.location_id)
        trusting = [one for one in found if signer in _keys_of(one, proof)]
        if found and not trusting:
            raise HTTPException(401)
        return trusting


def _keys_of(connection: ConnectionSettings, proof: DeliverySignature) -> tuple[str, ...]:
    return connection.ghl.older_webhook_keys if proof.is_older else connection.ghl.webhook_keys
