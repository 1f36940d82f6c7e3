"""A connection: one TimeRex team and one GHL location, kept in sync."""

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl

from blocks.calendars import read_calendars
from blocks.ghl import GHLCredentials
from blocks.mapping import FieldMapping, with_own_rules
from blocks.timerex import TimeRexCredentials
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.domain.connections.rule_check import check_rules
from timerex_ghl.domain.connections.settings import ActivityRule, AppointmentSettings
from timerex_ghl.domain.contacts.mapping import is_custom
from timerex_ghl.domain.shared.models import FieldRule


class Connection(Block):
    """Draft of a connection: one TimeRex team, one GHL location. Publish it to use it.

    Example:
        Load a stored draft:
        ```python
        from blocks import Connection

        draft = Connection.load("BLOCK_NAME")
        ```
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)
    _block_type_name = "TimeRex GHL Connection"
    _block_type_slug = "timerex-ghl-connection"
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl("https://help.gohighlevel.com/")

    location_id: str = Field(
        description="Id of the GHL location (sub-account): in GHL, what follows /location/ in the "
        "address.",
        examples=["ve9EPM428h8vShlRW1KT"],
    )
    timerex: TimeRexCredentials
    ghl: GHLCredentials
    mapping: FieldMapping | None = Field(
        default=None, description="Field mapping. Without one the standard fields are synced."
    )
    region: str = Field(
        default="",
        description="Two-letter country that reads phone numbers written without a country code. "
        "Empty: the location's country.",
        examples=["JP"],
    )
    booked_tag: str = Field(
        default="timerex booked",
        description="Tag of contacts with an upcoming booking. Empty: none.",
    )
    cancelled_tag: str = Field(
        default="timerex cancelled",
        description="Tag of contacts whose last booking was cancelled. Empty: none.",
    )
    poll_minutes: int = Field(
        default=5, description="How often the schedules look for changes, in minutes (1 to 1440)."
    )
    newest_tolerance_s: int = Field(
        default=120,
        description="Rule newest: edits of both sides no farther apart than this, in seconds, have "
        "no newer one, and a person is asked (0 to 3600). Clocks differ.",
    )
    move_minutes: int = Field(
        default=15,
        description="How long the new time of a moved booking may take to arrive, in minutes (1 to "
        "1440). Then TimeRex's API is asked for it; where there is none, the old appointment is "
        "cancelled and a review opened.",
    )
    mirror_activities: bool = Field(
        default=True, description="Keep notes and tasks of contacts the same on both sides."
    )
    activity_rule: ActivityRule = Field(
        default="ghl",
        description="Whose edit of a note or task wins where both sides changed the same field: "
        "workspace, ghl, or ask a person.",
    )
    most_deletes: int = Field(
        default=50,
        description="Largest number of notes (or tasks) deleted in one system within an hour that "
        "is synced without a person's confirmation (1 to 100000).",
    )
    most_deletes_percent: int = Field(
        default=5,
        description="The same limit as a share of the notes (or tasks) that both sides have, in "
        "percent (1 to 100).",
    )
    note_calls_per_hour: int = Field(
        default=600,
        description="Calls an hour for the sweep of contacts for notes changed in GHL (0 to "
        "36000). 0: only webhooks report them.",
    )
    task_minutes: int = Field(
        default=15,
        description="How often tasks and calendars in GHL are polled, in minutes (1 to 1440).",
    )
    calendars: str = Field(
        default="",
        description="Bookings as appointments: one line each, or ; between them: TimeRex calendar "
        "(its name or id) = id of the GHL calendar. * stands for all others. Without one, bookings "
        "are written as notes.",
        examples=["Onboarding call 30 = k2AbC9dEf0GhIjKlMnOp"],
    )
    notify: bool = Field(
        default=False,
        description="Let GHL's automations (mails, reminders) run for these appointments too. "
        "TimeRex writes to its guests already.",
    )
    ignore_slots: bool = Field(
        default=True,
        description="Create the appointment even where its time is not free in GHL's calendar.",
    )
    cancel_in_timerex: bool = Field(
        default=False,
        description="When an appointment is cancelled or deleted in GHL, cancel its booking in "
        "TimeRex. Needs TimeRex's API key and GHL's webhooks.",
    )
    rate_limit: bool = Field(
        default=True,
        description="Keep below GHL's 100 calls in 10 seconds. Switch it off only for tests "
        "against the sandbox.",
    )

    def rules(self) -> tuple[FieldRule, ...]:
        """Return the field rules: the standard ones, replaced by the mapping's."""
        return with_own_rules(self.mapping.own_rules() if self.mapping else [])

    def appointments(self) -> AppointmentSettings:
        """Return the settings by which bookings become appointments."""
        return AppointmentSettings(
            calendars=read_calendars(self.calendars).rules,
            notifies=self.notify,
            ignores_slots=self.ignore_slots,
            cancels_in_timerex=self.cancel_in_timerex,
        )

    async def faults_of_mapping(self, client: GhlClient) -> list[str]:
        """Check the mapping, calling GHL only when it names custom fields."""
        custom = frozenset[str]()
        if any(is_custom(rule.ghl) for rule in self.rules()):
            custom = frozenset(field.id for field in await client.list_custom_fields())
        return [f"mapping: {fault}" for fault in check_rules(self.rules(), custom)]
