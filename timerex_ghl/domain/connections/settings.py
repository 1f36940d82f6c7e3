"""The settings of a published connection: everything a run needs, and no secret."""

from datetime import timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from timerex_ghl.domain.shared.ghl_models import GhlCalendarId
from timerex_ghl.domain.shared.models import ConnectionName, FieldRule, LocationId, Record

ActivityRule = Literal["workspace", "ghl", "ask"]
"""Whose edit of a note or task wins where both sides changed it. Which is newer is unknown."""

GHL_WEBHOOK_KEY = "MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg="
"""GHL's public key for webhook signatures (Ed25519, SPKI, base64), from its webhook guide."""


class GhlSettings(Record):
    """How to reach GHL.

    Attributes:
        app_url: Where people open GHL; deep links begin with it.
        credentials: Name of the credentials block that keeps the secrets.
        scopes: The token's scopes, as published.
        calls_per_10_s: Limit for all processes together; GHL's own limit is 100. None: no rate
            limit, for tests and benchmarks against the sandbox.
        webhook_keys: Public keys (Ed25519, SPKI, base64), any of which may have signed a delivery.
        older_webhook_keys: Those of GHL's retired RSA signature; none: it is not accepted.
        app_id: The app whose deliveries count; None for a private token, which has no app.
    """

    location_id: LocationId
    base_url: str
    token_url: str
    app_url: str
    credentials: str
    auth: Literal["private-token", "oauth"]
    scopes: frozenset[str]
    calls_per_10_s: int | None = 100
    webhook_keys: tuple[str, ...] = (GHL_WEBHOOK_KEY,)
    older_webhook_keys: tuple[str, ...] = ()
    app_id: str | None = None

    def contact_url(self, contact_id: str) -> str:
        """Return the URL of a contact in GHL's app."""
        app, location = self.app_url.rstrip("/"), self.location_id
        return f"{app}/v2/location/{location}/contacts/detail/{contact_id}"


class TimerexSettings(Record):
    """TimeRex's webhook endpoint here, and its REST API.

    Attributes:
        endpoint: The unguessable last part of the webhook URL.
        header: Lower-case name of the header with the token.
        token_digests: SHA-256, hex; more than one during a rotation.
        auth: none: the REST API is not used.
        rate_limited: Keep below TimeRex's limits; off for tests against the sandbox.
    """

    credentials: str
    endpoint: str
    header: str
    token_digests: tuple[str, ...]
    auth: Literal["none", "api-key", "oauth"] = "none"
    base_url: str = "https://timerex.net/api/beta"
    token_url: str = Field(default="https://timerex.net/oauth/token")
    rate_limited: bool = True


class ActivitySettings(Record):
    """How notes and tasks are synced.

    Attributes:
        mirrors: Off: neither notes nor tasks are synced.
        rule: Whose edit wins where both sides changed a field.
        most_deletes: More deletes of one kind on one side within an hour need a review.
        most_deletes_percent: So do more than this share of the linked ones, beyond a first few.
        note_calls_per_hour: Call budget of the sweep for changed notes.
        task_minutes: How often all tasks and calendars are swept: an edit in GHL is found that
            late.
    """

    mirrors: bool = True
    rule: ActivityRule = "ghl"
    most_deletes: int = Field(default=50, ge=1)
    most_deletes_percent: int = Field(default=5, ge=1, le=100)
    note_calls_per_hour: int = Field(default=600, ge=0, le=36_000)
    task_minutes: int = Field(default=15, ge=1, le=24 * 60)


class CalendarRule(Record):
    """Which GHL calendar is for the bookings of a TimeRex calendar.

    Attributes:
        timerex: Its name, however capitalised, or its id; `*` for any.
    """

    timerex: str
    ghl: GhlCalendarId


class AppointmentSettings(Record):
    """How bookings become appointments.

    Attributes:
        calendars: The first that fits counts. A booking that none fits is mirrored by a note.
        notifies: Whether GHL's automations run for our writes: mails, reminders.
        ignores_slots: TimeRex's time is used, whether or not it is free in GHL's calendar.
        cancels_in_timerex: An appointment that is cancelled in GHL cancels its booking.
    """

    calendars: tuple[CalendarRule, ...] = ()
    notifies: bool = False
    ignores_slots: bool = True
    cancels_in_timerex: bool = False


class ConnectionSettings(Record):
    """Everything that can be set for a connection.

    Attributes:
        region: ISO 3166 alpha-2; reads phone numbers written without a country code.
        booked_tag: Tag of a contact with a confirmed booking; None for none.
        cancelled_tag: Tag of a contact whose last booking was cancelled; None for none.
        poll_minutes: How often the scheduled runs look for changes.
        newest_tolerance_s: Two edits of a field no farther apart than this have no newer one: the
            clocks of GHL and of this machine differ, and times may be rounded.
        move_minutes: How long the new time of a moved booking may take to arrive. Then the old
            one is cancelled in GHL, unless TimeRex's API returns the new one.
    """

    name: ConnectionName
    ghl: GhlSettings
    timerex: TimerexSettings
    region: str
    rules: tuple[FieldRule, ...]
    booked_tag: str | None = "timerex booked"
    cancelled_tag: str | None = "timerex cancelled"
    poll_minutes: int = Field(default=5, ge=1, le=24 * 60)
    newest_tolerance_s: int = Field(default=120, ge=0, le=3600)
    move_minutes: int = Field(default=15, ge=1, le=24 * 60)
    activities: ActivitySettings = ActivitySettings()
    appointments: AppointmentSettings = AppointmentSettings()

    @property
    def newest_tolerance(self) -> timedelta:
        """Return the tolerance as a duration."""
        return timedelta(seconds=self.newest_tolerance_s)


class PublishedConnection(Record):
    """The checked, numbered, immutable version of a connection's settings that runs use."""

    version: int
    settings: ConnectionSettings
    published_at: AwareDatetime
