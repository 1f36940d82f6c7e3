"""GHL's webhook deliveries: signed, and by default retried only after a 429.

Source: the vendor's webhook guide; its help page on retries (six more tries, ten minutes apart) and
its developer page of August 2026 (any failure, up to twelve more) disagree, so both can be set.
The vendor's circuit breaker acts after three days and is left out. Not known, and chosen here: how
long it waits for an answer; that a retry has the same body, with the same timestamp.
"""

import base64
import random
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.deliveries import Deliveries, SandboxDelivery
from timerex_ghl.sandbox.core.delivery_faults import SenderProof
from timerex_ghl.sandbox.core.json_io import Json, iso_ms, now_ms, to_json

SIGNATURE, OLDER_SIGNATURE = "x-ghl-signature", "x-wh-signature"
JITTER = 0.1
Retry = Literal["429", "every"]


@dataclass
class GhlWebhook:
    """Where and how the app's deliveries are sent.

    Attributes:
        tries: In all; None is 7 after a 429 alone, 13 after every failure.
        pause_s: Between tries, or before the first with increasing pauses; None is
            600 and 30.
        older_signature: Whether the RSA signature of before July 2026 is sent too.
        task_create_without_contact: Some live deliveries lack contact and body (docs issue
            332).
    """

    url: str | None = None
    retry: Retry = "429"
    tries: int | None = None
    pause_s: float | None = None
    timeout_s: float = 10
    older_signature: bool = False
    task_create_without_contact: bool = False
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> str:
        """Return the public key as PEM, like in the vendor's guide."""
        key = self.key.public_key()
        return _text(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @cached_property
    def older_key(self) -> RSAPrivateKey:
        """Make the RSA key on first use, as that is slow. The vendor's has 4096 bits."""
        return generate_private_key(65537, 2048)

    @property
    def proof(self) -> SenderProof:
        """Return the signature header."""
        return SenderProof(SIGNATURE, _signed_by_another)

    def headers(self, delivery: SandboxDelivery) -> dict[str, str]:
        """Write the headers; `deliveryId` stays the same in retries."""
        headers = {
            "content-type": "application/json",
            "deliveryid": delivery.id,
            SIGNATURE: _text(self.key.sign(delivery.body)),
        }
        if self.older_signature:
            signed = self.older_key.sign(delivery.body, PKCS1v15(), SHA256())
            headers[OLDER_SIGNATURE] = _text(signed)
        return headers

    def pause_after(self, tries: int, status: int | None, /) -> float | None:
        """Return a fixed pause after a 429, or increasing ones after every failure."""
        jitter = 1 + random.random() * JITTER
        if self.retry == "every":
            again = tries < (self.tries or 13)
            pause_s = (30 if self.pause_s is None else self.pause_s) * 2 ** (tries - 1)
        else:
            again = status == HTTPStatus.TOO_MANY_REQUESTS and tries < (self.tries or 7)
            pause_s = 600 if self.pause_s is None else self.pause_s
        return pause_s * jitter if again else None


class GhlDeliveries(Deliveries[GhlWebhook]):
    """All GHL deliveries to the OAuth app `app_id`."""

    def __init__(self, app_id: str, clock: MachineClock) -> None:
        super().__init__(GhlWebhook(), clock)
        self.app_id = app_id

    def send(self, type_: str, fields: Json) -> None:
        """Deliver an event, if the app has a webhook."""
        if self.webhook.url is None:
            return
        webhook_id = str(uuid.uuid4())
        body: Json = {
            "type": type_,
            **fields,
            "timestamp": iso_ms(now_ms()),
            "webhookId": webhook_id,
            "appId": self.app_id,
            "versionId": self.app_id,
        }
        self.take(SandboxDelivery(type_, {"webhook_id": webhook_id}, to_json(body)))


def _signed_by_another(body: bytes) -> str:
    return _text(Ed25519PrivateKey.generate().sign(body))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
