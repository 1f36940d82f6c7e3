"""The pace of calls to one location."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class Pacer(Protocol):
    """Lets calls through, no faster than GHL allows."""

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait for room for one call, and hold it while the call lasts."""
        ...

    async def told(self, headers: Mapping[str, str]) -> None:
        """Take in what GHL's answer says about the room that is left."""
        ...

    async def hold(self, seconds: float) -> None:
        """Let nobody through for a while: GHL answered 429."""
        ...


class NoPacing:
    """For the sandbox: everything at once."""

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Let it through."""
        yield

    async def told(self, headers: Mapping[str, str]) -> None:
        """Nothing to learn."""

    async def hold(self, seconds: float) -> None:
        """Nobody waits."""
