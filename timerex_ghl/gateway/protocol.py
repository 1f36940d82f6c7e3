"""Uvicorn's HTTP/1.1 protocol, with a deadline for headers and a limit on connections."""

import asyncio
import logging
from typing import ClassVar, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from timerex_ghl.gateway.limits import DEFAULT_LIMITS, GatewayLimits

_BUSY = (
    b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 10\r\n"
    b"content-length: 16\r\nconnection: close\r\n\r\n"
    b'{"error":"busy"}'
)

_log = logging.getLogger(__name__)


class GatewayProtocol(H11Protocol):
    """One connection.

    Uvicorn waits for ever for the rest of a request's headers, and for the rest of a body after
    the answer. This class ends both after `head_deadline_s`; a body before its answer has
    `body_deadline_s`.
    """

    limits: ClassVar[GatewayLimits] = DEFAULT_LIMITS
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Accept the connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.write(_BUSY)
            transport.close()
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        """Process the data; while no request is being answered, the deadline runs."""
        super().data_received(data)
        if self._is_answering():
            self._unset_deadline()
        elif self._deadline is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._unset_deadline()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None until the first request
        return cycle is not None and not cycle.response_complete

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(self.limits.head_deadline_s, self._give_up)

    def _unset_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        _log.warning("a connection was closed: no complete request arrived in time")
        self.transport.close()


def protocol_with(chosen: GatewayLimits) -> type[GatewayProtocol]:
    """Return the protocol class with other limits: uvicorn needs a class, not an instance."""

    class LimitedProtocol(GatewayProtocol):
        limits = chosen

    return LimitedProtocol
