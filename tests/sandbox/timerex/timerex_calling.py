"""A short client of the sandbox's TimeRex."""

from typing import Any

import httpx

from tests.sandbox.calling import SandboxCaller

START = "2026-02-10T01:00:00+00:00"
RIKU = {"guest_name": "Sato Riku", "guest_email": "riku@hinode.example", "starts_at": START}


class TimerexCaller:
    """Calls the REST API with the key or a token, and the control API."""

    def __init__(self, sandbox: SandboxCaller) -> None:
        self.sandbox = sandbox
        self.info = sandbox.info.timerex
        self.site = self.info.base_url.removesuffix("/api/beta")

    async def api(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        token: str | None = None,
        **options: Any,
    ) -> httpx.Response:
        headers = {"x-api-key": key or self.info.api_key}
        if token is not None:
            headers = {"authorization": f"Bearer {token}"}
        url = f"{self.info.base_url}{path}"
        return await self.sandbox.http.request(method, url, headers=headers, **options)

    async def get(self, path: str, **params: str) -> dict[str, Any]:
        answer = await self.api("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def control(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        return await self.sandbox.control(method, f"/timerex{path}", **body)

    async def book(self, **changes: Any) -> str:
        return (await self.control("POST", "/bookings", **{**RIKU, **changes}))["event_id"]

    async def form(self, **form: str) -> httpx.Response:
        known = {"client_id": self.info.client_id, "client_secret": self.info.client_secret}
        return await self.sandbox.http.post(self.info.token_url, data={**known, **form})
