"""TimeRex's webhook deliveries: three tries, ten seconds apart, fifteen seconds for an answer.

Source: the TimeRex developer portal, webhook reference.
"""

import secrets
from dataclasses import dataclass, field

from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.deliveries import Deliveries, SandboxDelivery
from timerex_ghl.sandbox.core.delivery_faults import SenderProof
from timerex_ghl.sandbox.core.json_io import Json, to_json

USER_AGENT = "TimeRex API v1.0"


@dataclass
class TimerexWebhook:
    """Where deliveries go and how, as entered in the team's settings."""

    url: str | None = None
    header: str = "x-timerex-authorization"
    token: str = field(default_factory=lambda: secrets.token_urlsafe(36))
    tries: int = 3
    retry_pause_s: float = 10
    timeout_s: float = 15

    @property
    def proof(self) -> SenderProof:
        """Return the token header; bodies are not signed."""
        return SenderProof(self.header.lower(), _any_token)

    def headers(self, delivery: SandboxDelivery) -> dict[str, str]:
        """Write the headers. Notifications of a one-time URL have no token."""
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "user-agent": USER_AGENT,
        }
        return headers if delivery.url else {**headers, self.header.lower(): self.token}

    def pause_after(self, tries: int, _status: int | None, /) -> float | None:
        """Return the pause before a retry, whatever the status."""
        return self.retry_pause_s if tries < self.tries else None


def _any_token(_body: bytes) -> str:
    return secrets.token_urlsafe(36)


class TimerexDeliveries(Deliveries[TimerexWebhook]):
    """All TimeRex deliveries."""

    def __init__(self, clock: MachineClock) -> None:
        super().__init__(TimerexWebhook(), clock)

    def send(
        self, event_id: str, type_: str, body: Json, url: str | None = None
    ) -> SandboxDelivery:
        """Start a delivery."""
        return self.take(SandboxDelivery(type_, {"event_id": event_id}, to_json(body), url))
