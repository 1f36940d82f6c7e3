"""A webhook endpoint that stores requests and gives the answers a test sets."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Receiver:
    """Answers with the given statuses, then with 200.

    Attributes:
        heads: The request lines and headers, one text each.
    """

    port: int = 0
    statuses: list[int] = field(default_factory=list[int])
    heads: list[str] = field(default_factory=list[str])
    raw: list[bytes] = field(default_factory=list[bytes])
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(raw) for raw in self.raw]

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def headers(self, number: int = -1) -> dict[str, str]:
        """Return the headers of one delivery, by default the last; names in lower case."""
        lines = self.heads[number].splitlines()[1:]
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        return {name.strip().lower(): value.strip() for name, value in pairs}

    async def has(self, count: int) -> None:
        """Wait until `number` deliveries have arrived."""
        async with asyncio.timeout(60):
            while len(self.raw) < count:
                self.arrived.clear()
                await self.arrived.wait()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1])
            for line in head.splitlines()
            if line.lower().startswith("content-length")
        )
        self.raw.append(await reader.readexactly(length))
        self.heads.append(head)
        self.arrived.set()
        status = self.statuses.pop(0) if self.statuses else 200
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def open_receiver() -> AsyncGenerator[Receiver]:
    """Listen on a free port of this machine."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
