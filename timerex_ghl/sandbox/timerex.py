"""The sandbox's TimeRex: its bookings, what guests do with them, and its REST API.

Source: the TimeRex developer portal, REST API (beta).
"""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from timerex_ghl.sandbox.timerex_bookings import (
    Booking,
    Calendar,
    cancelled_fields,
    confirmed_fields,
    envelope,
)
from timerex_ghl.sandbox.timerex_delivery import Deliveries
from timerex_ghl.sandbox.wire import Json


@dataclass
class Timerex:
    """The service's memory."""

    calendar: Calendar = field(default_factory=Calendar)
    bookings: dict[str, Booking] = field(default_factory=dict[str, Booking])
    deliveries: Deliveries = field(default_factory=Deliveries)
    api_key: str = field(default_factory=lambda: secrets.token_hex(32))

    def book(self, booking: Booking) -> None:
        """Let a guest book."""
        self.bookings[booking.id] = booking
        self._send_confirmed(booking)

    def cancel(self, booking: Booking, reason: str) -> None:
        """Let a guest cancel."""
        booking.canceled_at, booking.cancellation_reason = datetime.now(UTC), reason
        self._send_cancelled(booking)

    def reschedule(self, old: Booking, starts_at: datetime, *, cancelled_first: bool) -> Booking:
        """Let a guest move a booking: the old one is cancelled, a new one confirmed."""
        new = Booking(old.form, starts_at, old.duration_min, old.url_params, old_id=old.id)
        self.bookings[new.id] = new
        old.new_id, old.canceled_at = new.id, datetime.now(UTC)
        if cancelled_first:
            self._send_cancelled(old)
            self._send_confirmed(new)
        else:
            self._send_confirmed(new)
            self._send_cancelled(old)
        return new

    def _send_confirmed(self, booking: Booking) -> None:
        event = confirmed_fields(booking, self.calendar)
        self._send("event_confirmed", booking, event)

    def _send_cancelled(self, booking: Booking) -> None:
        event = cancelled_fields(booking, self.calendar)
        self._send("event_cancelled", booking, event)

    def _send(self, webhook_type: str, booking: Booking, event: Json) -> None:
        body = envelope(webhook_type, self.calendar, event)
        self.deliveries.send(booking.id, webhook_type, body)


def timerex_router(timerex: Timerex) -> Router:
    """Route the REST API: one event by its id, so far."""

    async def get_event(request: Request) -> Response:
        if not secrets.compare_digest(
            request.headers.get("x-api-key", "").encode(), timerex.api_key.encode()
        ):
            return JSONResponse({"message": "Unauthenticated."}, 401)
        booking = timerex.bookings.get(request.path_params["event_id"])
        if booking is None:
            return JSONResponse({"message": "Not found."}, 404)
        if booking.canceled_at is None:
            event = {**confirmed_fields(booking, timerex.calendar), "status": "confirmed"}
        else:
            event = {**cancelled_fields(booking, timerex.calendar), "status": "cancelled"}
        return JSONResponse(event)

    return Router([Route("/events/{event_id}", get_event)], redirect_slashes=False)
