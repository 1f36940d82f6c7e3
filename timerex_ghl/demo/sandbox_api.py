"""Client of the sandbox's control API: acts as guests and as CRM users."""

from typing import Any

import httpx

from timerex_ghl.demo.prefect_api import RunFailedError

SERVICES = ("timerex", "ghl")


class SandboxApi:
    """What the demo does in TimeRex and GHL, and reads to check the outcome."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.ghl = info["ghl"]
        self.timerex = info["timerex"]
        control = info["control"]
        self.http = httpx.AsyncClient(
            base_url=control["base_url"],
            headers={"Authorization": f"Bearer {control['token']}"},
            timeout=30,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def send(self, method: str, path: str, body: object = None) -> Any:
        """Send one request; return the JSON answer, None if empty."""
        answer = await self.http.request(method, path, json=body)
        if answer.is_error:
            raise RunFailedError(f"the sandbox answered {answer.status_code} to {method} {path}")
        return answer.json() if answer.content else None

    async def contacts(self) -> list[dict[str, Any]]:
        """Read every CRM contact with its tags and notes."""
        return (await self.send("GET", "/ghl/contacts"))["contacts"]

    async def calls(self) -> list[dict[str, Any]]:
        """Read the log of API calls."""
        return (await self.send("GET", "/ghl/calls"))["calls"]

    async def writes(self) -> int:
        """Count the API calls that can change something."""
        reads = {"GET"}
        return sum(
            call["method"] not in reads and not call["path"].endswith(("/search", "/oauth/token"))
            for call in await self.calls()
        )

    async def has_deliveries(self) -> bool:
        """Return whether a webhook of either service is still undelivered."""
        counts = [await self.send("GET", f"/{side}/deliveries/counts") for side in SERVICES]
        return any(one["states"].get("waiting") for one in counts)

    async def book(self, **booking: object) -> str:
        """Book as a guest; return TimeRex's id of the booking."""
        return (await self.send("POST", "/timerex/bookings", booking))["event_id"]

    async def cancel(self, booking_id: str, reason: str) -> None:
        """Cancel as a guest."""
        await self.send("POST", f"/timerex/bookings/{booking_id}/cancel", {"reason": reason})

    async def move(self, booking_id: str, starts_at: str) -> str:
        """Reschedule as a guest; return the id of the new booking."""
        path = f"/timerex/bookings/{booking_id}/reschedule"
        return (await self.send("POST", path, {"starts_at": starts_at}))["event_id"]
