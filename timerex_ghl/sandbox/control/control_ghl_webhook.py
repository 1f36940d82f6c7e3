"""Control of GHL's webhooks: URL, signing keys, and events made by hand."""

from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import Field, PositiveFloat, PositiveInt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timerex_ghl.sandbox.control.control_requests import ControlOrder, read, reply
from timerex_ghl.sandbox.core.deliveries import SandboxDelivery
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.ghl_state import Ghl


class GhlWebhookOrder(ControlOrder):
    """Where deliveries go and how. Omitted fields stay."""

    url: str | None = None
    retry: Literal["429", "every"] = "429"
    tries: PositiveInt | None = None
    pause_s: float | None = Field(default=None, ge=0)
    timeout_s: PositiveFloat = 10
    older_signature: bool = False
    task_create_without_contact: bool = False


class EventOrder(ControlOrder):
    """An event made by hand: fields to be completed, or the exact text of the body."""

    type: str
    fields: Json = Field(default_factory=dict[str, Any])
    text: str | None = None


class GhlWebhookControl:
    """The calls."""

    def __init__(self, ghl: Ghl) -> None:
        self.ghl = ghl

    async def set_webhook(self, request: Request) -> Response:
        """Set the webhook; return the public keys."""
        order, webhook = await read(request, GhlWebhookOrder), self.ghl.deliveries.webhook
        for key, value in order.model_dump(exclude_unset=True).items():
            setattr(webhook, key, value)
        return self._keys()

    async def change_key(self, _request: Request) -> Response:
        """Sign with a new key from now on, also retries."""
        self.ghl.deliveries.webhook.key = Ed25519PrivateKey.generate()
        return self._keys()

    async def send_event(self, request: Request) -> Response:
        """Sign and deliver an event made by hand."""
        order, deliveries = await read(request, EventOrder), self.ghl.deliveries
        if order.text is None:
            deliveries.send(order.type, {"locationId": self.ghl.location.id, **order.fields})
        else:
            text = order.text.encode("utf-8", "surrogatepass")
            deliveries.take(SandboxDelivery(order.type, {"webhook_id": None}, text))
        return reply(201)

    async def install(self, _request: Request) -> Response:
        """Send the app an install event."""
        ghl = self.ghl
        ghl.deliveries.send(
            "INSTALL",
            {
                "locationId": ghl.location.id,
                "companyId": ghl.location.company_id,
                "userId": ghl.setup.user_id,
                "planId": "plan-of-the-sandbox",
                "trial": {},
                "isWhitelabelCompany": False,
                "whitelabelDetails": {},
                "companyName": ghl.location.name,
            },
        )
        return reply()

    async def uninstall(self, _request: Request) -> Response:
        """Uninstall the app: end its tokens and send it an event."""
        ghl = self.ghl
        for install in {refresh.install for refresh in ghl.tokens.refreshes.values()}:
            ghl.tokens.end(install)
        payload = {"locationId": ghl.location.id, "companyId": ghl.location.company_id}
        ghl.deliveries.send("UNINSTALL", payload)
        return reply()

    def _keys(self) -> Response:
        webhook = self.ghl.deliveries.webhook
        if not webhook.older_signature:
            return reply(public_key=webhook.public_key)
        older = webhook.older_key.public_key()
        pem = older.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return reply(public_key=webhook.public_key, older_public_key=pem.decode())


def ghl_webhook_routes(ghl: Ghl) -> list[Route]:
    """Route the calls."""
    control = GhlWebhookControl(ghl)
    return [
        Route("/ghl/webhook", control.set_webhook, methods=["POST"]),
        Route("/ghl/webhook/key", control.change_key, methods=["POST"]),
        Route("/ghl/deliveries", control.send_event, methods=["POST"]),
        Route("/ghl/install", control.install, methods=["POST"]),
        Route("/ghl/uninstall", control.uninstall, methods=["POST"]),
    ]
