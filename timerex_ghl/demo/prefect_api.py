"""Client of Prefect's HTTP API, used like the browser: enter blocks, start flows."""

import asyncio
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx

POLL_S = 0.3
BUSY_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)
CSRF_TOKEN, CSRF_CLIENT = "Prefect-Csrf-Token", "Prefect-Csrf-Client"


class RunFailedError(Exception):
    """A flow run failed, or a request was refused."""


class PrefectApi:
    """One Prefect server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.AsyncClient(base_url=url, timeout=120)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def is_healthy(self) -> bool:
        """Return whether the server answers."""
        try:
            return (await self.http.get("/health")).is_success
        except httpx.HTTPError:
            return False

    async def send(self, method: str, path: str, body: object = None) -> Any:
        """Send one request; return the JSON answer, None if empty."""
        if method != "GET" and CSRF_TOKEN not in self.http.headers:
            await self._get_csrf_token()
        pauses_s = iter(BUSY_PAUSES_S)
        answer = await self.http.request(method, path, json=body)
        while answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:  # its SQLite is busy
            pause_s = next(pauses_s, None)
            if pause_s is None:
                break
            await asyncio.sleep(pause_s)
            answer = await self.http.request(method, path, json=body)
        if answer.is_error:
            raise RunFailedError(f"Prefect answered {answer.status_code} to {method} {path}")
        return answer.json() if answer.content else None

    async def _get_csrf_token(self) -> None:
        """Get the CSRF token that the server expects with every change."""
        client = str(uuid4())
        granted = await self.send("GET", f"/csrf-token?client={client}")
        self.http.headers.update({CSRF_TOKEN: granted["token"], CSRF_CLIENT: client})

    async def enter_block(self, slug: str, name: str, data: dict[str, Any]) -> dict[str, Any]:
        """Save a block; return the reference by which other blocks name it.

        Raises:
            AssertionError: The form has no such field. Prefect would store and ignore it.
        """
        block_type = await self.send("GET", f"/block_types/slug/{slug}")
        schemas = await self.send(
            "POST",
            "/block_schemas/filter",
            {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}, "limit": 1},
        )
        if unknown := data.keys() - schemas[0]["fields"]["properties"].keys():
            raise AssertionError(f"block {slug} has no field {', '.join(sorted(unknown))}")
        document = await self.send(
            "POST",
            "/block_documents/",
            {
                "name": name,
                "data": data,
                "block_schema_id": schemas[0]["id"],
                "block_type_id": block_type["id"],
            },
        )
        return {"$ref": {"block_document_id": document["id"]}}

    async def start(self, name: str, **parameters: object) -> str:
        """Start a deployment's flow, like the UI's button; return the run's id."""
        deployment = await self.send("GET", f"/deployments/name/{name}/{name}")
        run = await self.send(
            "POST",
            f"/deployments/{deployment['id']}/create_flow_run",
            {"parameters": parameters, "state": {"type": "SCHEDULED"}},
        )
        return run["id"]

    async def wait_for(self, run_id: str, timeout_s: float = 120) -> dict[str, Any]:
        """Wait until a run ends; return it."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while asyncio.get_running_loop().time() < deadline:
            run = await self.send("GET", f"/flow_runs/{run_id}")
            if run["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}:
                return run
            await asyncio.sleep(POLL_S)
        raise RunFailedError(f"run {run_id} did not end in {timeout_s:.0f} s")

    async def run(self, name: str, **parameters: object) -> dict[str, Any]:
        """Start a deployment's flow, and wait until it completes."""
        run = await self.wait_for(await self.start(name, **parameters))
        if run["state_type"] != "COMPLETED":
            raise RunFailedError(f"{run['name']} ended as {run['state_name']}: {message_of(run)}")
        return run


def message_of(run: dict[str, Any]) -> str:
    """Return the message of a run's last state."""
    return str(run["state"]["message"] or "")
