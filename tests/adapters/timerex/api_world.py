"""A TimeRex client on a real ledger, against the real sandbox over HTTP."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from timerex_ghl.adapters.ghl.access.oauth import OAuthTokens
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.timerex.auth import ApiKey, OAuthApp, TimerexAuth
from timerex_ghl.adapters.timerex.client import TimerexClient
from timerex_ghl.adapters.timerex.rate_limiter import TimerexRateLimiter
from timerex_ghl.adapters.timerex.replies import CalendarId
from timerex_ghl.domain.shared.models import BookingId, LocationId
from timerex_ghl.sandbox.info import SandboxInfo

START = datetime(2026, 2, 10, 1, tzinfo=UTC)
GUEST = {"guest_name": "Canary Riku", "guest_email": "canary@hinode.example"}


@dataclass
class ApiWorld:
    """The ledger, the sandbox, and an HTTP client."""

    ledger: Ledger
    info: SandboxInfo
    http: httpx.AsyncClient

    def by_key(self, key: str | None = None) -> TimerexClient:
        return self.client(ApiKey(key or self.info.timerex.api_key))

    def by_oauth(self, seed: str | None = None) -> TimerexClient:
        """Return a client as another process has it: from the block and the ledger."""
        timerex = self.info.timerex
        tokens = OAuthTokens(
            self.ledger,
            self.http,
            token_url=timerex.token_url,
            client_id=timerex.client_id,
            client_secret=timerex.client_secret,
            seed=seed or timerex.refresh_token,
            location_id=LocationId("timerex:aoba"),
        )
        return self.client(OAuthApp(tokens, "timerex:aoba"))

    def client(
        self, auth: TimerexAuth, *, base_url: str | None = None, deadline_s: float = 5.0
    ) -> TimerexClient:
        return TimerexClient(
            self.http,
            auth,
            TimerexRateLimiter(self.ledger, auth.owner),
            base_url=base_url or self.info.timerex.base_url,
            deadline_s=deadline_s,
        )

    @property
    def calendar_id(self) -> CalendarId:
        return CalendarId(self.info.timerex.calendar_id)

    async def control(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.info.control.token}"}
        url = f"{self.info.control.base_url}/timerex{path}"
        answer = await self.http.request(method, url, headers=headers, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def book(self, *, hours: int = 0, **changes: Any) -> BookingId:
        starts_at = (START + timedelta(hours=hours)).isoformat()
        made = await self.control(
            "POST", "/bookings", **{**GUEST, "starts_at": starts_at, **changes}
        )
        return BookingId(made["event_id"])

    async def webhook_of(self, event_id: BookingId) -> bytes:
        """Return the one webhook of a booking."""
        deliveries = (await self.control("GET", "/deliveries"))["deliveries"]
        (delivery,) = [one for one in deliveries if one["event_id"] == event_id]
        return (await self.control("GET", f"/deliveries/{delivery['id']}"))["body"].encode()

    async def fault(self, operation: str, kind: str, value: int = 0) -> None:
        await self.control("POST", "/faults", operation=operation, kind=kind, value=value)

    async def calls(self) -> list[str]:
        calls = (await self.control("GET", "/calls"))["calls"]
        return [call["operation"] for call in calls]
