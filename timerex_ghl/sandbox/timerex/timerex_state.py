"""State of the sandbox's TimeRex: teams, calendars, bookings, and actions of guests."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

from timerex_ghl.sandbox.core.call_log import CallLog
from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.faults import Faults
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.timerex.timerex_access import TimerexAccess, TimerexLimits, TimerexTokens
from timerex_ghl.sandbox.timerex.timerex_bookings import (
    Question,
    SandboxBooking,
    SandboxCalendar,
    SandboxTeam,
    cancelled_fields,
    confirmed_fields,
    envelope,
    hex_id,
)
from timerex_ghl.sandbox.timerex.timerex_delivery import TimerexDeliveries

QUESTIONS = (
    Question("dropdown", "会社の規模", options=("1-10", "11-50", "51+")),
    Question("checkboxes", "興味", options=("導入", "連携", "料金")),
)


@dataclass
class SandboxOneTimeUrl:
    """A booking URL that works once. `watchers` are (token, URL) to notify."""

    calendar: SandboxCalendar
    id: str = field(default_factory=hex_id)
    path: str = field(default_factory=lambda: secrets.token_hex(8))
    booking: SandboxBooking | None = None
    watchers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def url(self) -> str:
        """Return the booking page."""
        return f"{self.calendar.site}/s/{self.path}"

    @property
    def status(self) -> str:
        """Return its status."""
        if self.booking is None:
            return "pending"
        return "confirmed" if self.booking.canceled_at is None else "cancelled"


@dataclass
class Timerex:
    """State of the service. One user, with My Space and a team that has an API key.

    Attributes:
        login_redirect: Redirect a bad key to the login page, as one client reports.
        lists_cancelled: Whether a calendar's list shows cancelled events; not documented.
    """

    clock: MachineClock = field(default_factory=MachineClock)
    team: SandboxTeam = field(default_factory=lambda: SandboxTeam("Aoba Onboarding", "aoba_4d1e"))
    my_space: SandboxTeam = field(
        default_factory=lambda: SandboxTeam("My space", "mori_77ab", is_primary=True)
    )
    teams: dict[str, SandboxTeam] = field(default_factory=dict[str, SandboxTeam])
    calendars: dict[str, SandboxCalendar] = field(default_factory=dict[str, SandboxCalendar])
    bookings: dict[str, SandboxBooking] = field(default_factory=dict[str, SandboxBooking])
    one_time_urls: dict[str, SandboxOneTimeUrl] = field(
        default_factory=dict[str, SandboxOneTimeUrl]
    )
    deliveries: TimerexDeliveries = field(init=False)
    api_key: str = field(default_factory=lambda: secrets.token_hex(32))
    tokens: TimerexTokens = field(init=False)
    limits: TimerexLimits = field(init=False)
    faults: Faults = field(default_factory=Faults)
    calls: CallLog = field(default_factory=CallLog)
    site: str = "https://timerex.net"
    login_redirect: bool = False
    lists_cancelled: bool = True

    def __post_init__(self) -> None:
        """Start with two calendars of the team and one of My Space."""
        self.deliveries = TimerexDeliveries(self.clock)
        self.tokens = TimerexTokens(clock=self.clock)
        self.limits = TimerexLimits(clock=self.clock)
        for team in (self.my_space, self.team):
            self.teams[team.id] = team
        self.calendar = self.add_calendar(SandboxCalendar(self.team, "Onboarding call 30"))
        self.add_calendar(SandboxCalendar(self.team, "Product demo 60", 60, QUESTIONS))
        self.add_calendar(SandboxCalendar(self.my_space, "Coffee 30"))

    def serve_at(self, site: str) -> None:
        """Set the base URL of the booking pages."""
        self.site = site
        for calendar in self.calendars.values():
            calendar.site = site

    def add_calendar(self, calendar: SandboxCalendar) -> SandboxCalendar:
        """Add a calendar."""
        calendar.site = self.site
        self.calendars[calendar.id] = calendar
        return calendar

    def access_of(self, api_key: str, bearer: str) -> TimerexAccess | None:
        """Return what credentials allow; None if they are invalid."""
        if secrets.compare_digest(api_key.encode(), self.api_key.encode()):
            return TimerexAccess(f"key:{self.team.id}", frozenset({self.team.id}), scopes=None)
        scopes = self.tokens.scopes_of(bearer)
        return (
            None if scopes is None else TimerexAccess("user", frozenset(self.teams), scopes, bearer)
        )

    def book(self, booking: SandboxBooking, one_time: SandboxOneTimeUrl | None = None) -> None:
        """Book as a guest, optionally through a one-time URL."""
        self.bookings[booking.id] = booking
        if one_time is not None:
            one_time.booking = booking
        self._send_confirmed(booking)
        self._notify(booking)

    def cancel(self, booking: SandboxBooking, reason: str) -> None:
        """Cancel as a guest."""
        booking.canceled_at, booking.cancellation_reason = datetime.now(UTC), reason
        self._send_cancelled(booking)
        self._notify(booking)

    def reschedule(
        self, old: SandboxBooking, starts_at: datetime, *, cancelled_first: bool
    ) -> SandboxBooking:
        """Reschedule as a guest: the old booking is cancelled, a new one confirmed."""
        new = SandboxBooking(
            old.calendar, old.form, starts_at, old.duration_min, old.url_params, old_id=old.id
        )
        self.bookings[new.id] = new
        old.new_id, old.canceled_at = new.id, datetime.now(UTC)
        if cancelled_first:
            self._send_cancelled(old)
            self._send_confirmed(new)
        else:
            self._send_confirmed(new)
            self._send_cancelled(old)
        return new

    def _send_confirmed(self, booking: SandboxBooking) -> None:
        self._send("event_confirmed", booking, confirmed_fields(booking))

    def _send_cancelled(self, booking: SandboxBooking) -> None:
        self._send("event_cancelled", booking, cancelled_fields(booking))

    def _send(self, webhook_type: str, booking: SandboxBooking, event: Json) -> None:
        body = envelope(webhook_type, booking.calendar, event)
        self.deliveries.send(booking.id, webhook_type, body)

    def _notify(self, booking: SandboxBooking) -> None:
        """Notify the watchers of the booking's one-time URL."""
        for one_time in self.one_time_urls.values():
            if one_time.booking is booking:
                payload = {"id": one_time.id, "url": one_time.url}
                for token, url in one_time.watchers:
                    body = {"token": token, "status": one_time.status, "one_time_url": payload}
                    self.deliveries.send(booking.id, "one_time_url", body, url)
