"""A lower bound for the live path: a bare ASGI handler that makes the same calls.

It does what a few lines of code would: no signature check, inbox, read-back or retry.
"""

import asyncio
import os
import socket
import sys

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

GHL, LOCATION, TOKEN = (os.environ[name] for name in ("FLOOR_GHL", "FLOOR_LOCATION", "FLOOR_TOKEN"))
VERSION = "2021-07-28"


class Floor:
    """One HTTP client, and the calls of one booking."""

    def __init__(self) -> None:
        self.http = httpx.AsyncClient(
            base_url=GHL, headers={"Authorization": f"Bearer {TOKEN}", "Version": VERSION}
        )

    async def ask(self, method: str, path: str, **more: object) -> dict[str, dict[str, str]]:
        """Send one call and read its answer."""
        answer = await self.http.request(method, path, **more)  # type: ignore[arg-type]
        answer.raise_for_status()
        return answer.json()

    async def take(self, request: Request) -> Response:
        """Find or create the contact, tag it, write the note."""
        event = (await request.json())["event"]
        name, email = (one["value"] for one in event["form"][:2])
        query = {"locationId": LOCATION, "email": email}
        found = (await self.ask("GET", "/contacts/search/duplicate", params=query)).get("contact")
        if found:
            contact_id = found["id"]
            await self.ask("GET", f"/contacts/{contact_id}")
        else:
            body = {"locationId": LOCATION, "firstName": name, "email": email}
            contact_id = (await self.ask("POST", "/contacts/", json=body))["contact"]["id"]
        await self.ask("POST", f"/contacts/{contact_id}/tags", json={"tags": ["timerex booked"]})
        note = {"body": f"Booked: {event['start_datetime']}"}
        await self.ask("POST", f"/contacts/{contact_id}/notes", json=note)
        return Response()


async def main() -> None:
    """Serve on a free port until stopped; print the port."""
    app = Starlette(routes=[Route("/", Floor().take, methods=["POST"])])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    asyncio.run(main())
