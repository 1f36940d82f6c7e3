"""A short client of a sandbox."""

from typing import Any

import httpx

from timerex_ghl.sandbox import SandboxInfo


class SandboxCaller:
    """Calls the two services and the control API as a client would."""

    def __init__(self, info: SandboxInfo, http: httpx.AsyncClient) -> None:
        self.info = info
        self.http = http
        self.location_id = info.ghl.location_id

    async def ghl(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        version: str | None = "2021-07-28",
    ) -> httpx.Response:
        """Call the GHL half with the private token, or another."""
        headers = {"authorization": f"Bearer {token or self.info.ghl.private_token}"}
        if version is not None:
            headers["version"] = version
        url = f"{self.info.ghl.base_url}{path}"
        return await self.http.request(method, url, headers=headers, json=body)

    async def raw(self, path: str, content: bytes) -> httpx.Response:
        """Post bytes to the GHL half."""
        token = self.info.ghl.private_token
        headers = {"authorization": f"Bearer {token}", "version": "2021-07-28"}
        url = f"{self.info.ghl.base_url}{path}"
        return await self.http.post(url, headers=headers, content=content)

    async def create(self, **fields: object) -> dict[str, Any]:
        """Create a contact and return it."""
        body = {"locationId": self.location_id, **fields}
        answer = await self.ghl("POST", "/contacts/", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["contact"]

    async def read(self, contact_id: str) -> dict[str, Any]:
        """Read a contact."""
        return (await self.ghl("GET", f"/contacts/{contact_id}")).json()["contact"]

    async def search(self, **body: object) -> dict[str, Any]:
        """Search, 500 a page by default."""
        answer = await self.ghl(
            "POST",
            "/contacts/search",
            {"locationId": self.location_id, "pageLimit": 500, **body},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def control(self, method: str, path: str, **body: object) -> dict[str, Any]:
        """Call the control API."""
        headers = {"authorization": f"Bearer {self.info.control.token}"}
        url = f"{self.info.control.base_url}{path}"
        answer = await self.http.request(method, url, headers=headers, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def form(self, **form: str) -> httpx.Response:
        """Call the token endpoint."""
        keys = {
            "client_id": self.info.ghl.client_id,
            "client_secret": self.info.ghl.client_secret,
        }
        return await self.http.post(self.info.ghl.token_url, data={**keys, **form})

    async def refresh(self, token: str) -> httpx.Response:
        """Exchange a refresh token."""
        return await self.form(grant_type="refresh_token", refresh_token=token)
