"""Control of the TimeRex half: what a guest does, and where webhooks go."""

from pydantic import AwareDatetime, Field, PositiveInt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timerex_ghl.sandbox.control.control_requests import ControlOrder, known, read, reply
from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.timerex.timerex_bookings import SandboxBooking, SandboxCalendar
from timerex_ghl.sandbox.timerex.timerex_state import Timerex


class WebhookOrder(ControlOrder):
    """Where deliveries go. Omitted fields stay."""

    url: str | None = None
    header: str | None = None
    token: str | None = None
    retry_pause_s: float | None = None
    timeout_s: float | None = None


class AnswerOrder(ControlOrder):
    """An answer to one of the calendar's own questions."""

    field_type: str
    label: str
    value: str | list[str]
    options: list[str] | None = None


class BookOrder(ControlOrder):
    """What a guest enters, and in which calendar; by default the team's first one."""

    calendar_id: str | None = None
    guest_name: str
    guest_email: str
    guest_company: str = ""
    guest_comment: str = ""
    starts_at: AwareDatetime
    duration_min: PositiveInt = 30
    answers: list[AnswerOrder] = Field(default_factory=list[AnswerOrder])
    url_params: dict[str, str] = Field(default_factory=dict[str, str])

    def booking(self, calendar: SandboxCalendar) -> SandboxBooking:
        """Make the booking."""
        return SandboxBooking(
            calendar, self.form(), self.starts_at, self.duration_min, self.url_params
        )

    def form(self) -> list[Json]:
        """Return the form as in an event: four default questions, then the others."""
        standard = [
            ("company_name", False, "会社名", self.guest_company),
            ("guest_name", True, "名前", self.guest_name),
            ("guest_email", True, "メールアドレス", self.guest_email),
            ("guest_comment", False, "コメント", self.guest_comment),
        ]
        return [
            {
                "field_type": kind,
                "required": required,
                "label": label,
                "description": "",
                "value": value,
            }
            for kind, required, label, value in standard
        ] + [
            {"required": False, "description": "", **answer.model_dump(exclude_none=True)}
            for answer in self.answers
        ]


class CancelOrder(ControlOrder):
    """Why a guest cancels; nothing typed is an empty text."""

    reason: str = ""


class RescheduleOrder(ControlOrder):
    """The new time, and which of the two deliveries starts first."""

    starts_at: AwareDatetime
    cancelled_first: bool = True


class TimerexControl:
    """The calls."""

    def __init__(self, timerex: Timerex) -> None:
        self.timerex = timerex

    async def set_webhook(self, request: Request) -> Response:
        """Set the webhook."""
        order = await read(request, WebhookOrder)
        for key, value in order.model_dump(exclude_unset=True).items():
            setattr(self.timerex.deliveries.webhook, key, value)
        return reply()

    async def book(self, request: Request) -> Response:
        """Book."""
        order = await read(request, BookOrder)
        calendar = known(self.timerex.calendars, order.calendar_id or self.timerex.calendar.id)
        booking = order.booking(calendar)
        self.timerex.book(booking)
        return reply(201, event_id=booking.id)

    async def book_once(self, request: Request) -> Response:
        """Book through a one-time URL; a second time is refused."""
        order = await read(request, BookOrder)
        one_time = known(self.timerex.one_time_urls, request.path_params["id"])
        if one_time.booking is not None:
            raise RefusalError(409, "this one-time URL has been used")
        booking = order.booking(one_time.calendar)
        self.timerex.book(booking, one_time)
        return reply(201, event_id=booking.id)

    async def cancel(self, request: Request) -> Response:
        """Cancel."""
        order = await read(request, CancelOrder)
        self.timerex.cancel(self.booking(request), order.reason)
        return reply()

    async def reschedule(self, request: Request) -> Response:
        """Move to another time."""
        order = await read(request, RescheduleOrder)
        new = self.timerex.reschedule(
            self.booking(request), order.starts_at, cancelled_first=order.cancelled_first
        )
        return reply(201, event_id=new.id)

    def booking(self, request: Request) -> SandboxBooking:
        """Find the booking the path names."""
        return known(self.timerex.bookings, request.path_params["id"])


def timerex_routes(timerex: Timerex) -> list[Route]:
    """Route the calls."""
    control = TimerexControl(timerex)
    return [
        Route("/timerex/webhook", control.set_webhook, methods=["POST"]),
        Route("/timerex/bookings", control.book, methods=["POST"]),
        Route("/timerex/bookings/{id}/cancel", control.cancel, methods=["POST"]),
        Route("/timerex/bookings/{id}/reschedule", control.reschedule, methods=["POST"]),
        Route("/timerex/one_time_urls/{id}/book", control.book_once, methods=["POST"]),
    ]
