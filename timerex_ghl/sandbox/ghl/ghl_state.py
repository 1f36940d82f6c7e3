"""State of the sandbox's GHL, in memory: one location and its records."""

from dataclasses import dataclass, field

from timerex_ghl.sandbox.core.call_log import CallLog
from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.faults import Faults
from timerex_ghl.sandbox.core.json_io import Json, new_id
from timerex_ghl.sandbox.ghl.access.rate_limits import SandboxLimits
from timerex_ghl.sandbox.ghl.access.tokens import SandboxTokens
from timerex_ghl.sandbox.ghl.contacts.contact_store import Contacts
from timerex_ghl.sandbox.ghl.delivery.ghl_delivery import GhlDeliveries
from timerex_ghl.sandbox.ghl.history import Past
from timerex_ghl.sandbox.ghl.location.ghl_setup import Setup


@dataclass
class SandboxLocation:
    """One sub-account. The defaults suit a team in Japan."""

    id: str = field(default_factory=new_id)
    company_id: str = field(default_factory=new_id)
    name: str = "Aoba Onboarding"
    country: str = "JP"
    timezone: str = "Asia/Tokyo"
    allow_duplicates: bool = False
    unique_identifiers: list[str] = field(default_factory=lambda: ["email", "phone"])


@dataclass
class Ghl:
    """State of the service.

    Attributes:
        task_times: When each task was first sent in an event; tasks have no times.
    """

    clock: MachineClock = field(default_factory=MachineClock)
    location: SandboxLocation = field(default_factory=SandboxLocation)
    contacts: Contacts = field(init=False)
    custom_fields: dict[str, Json] = field(default_factory=dict[str, Json])
    appointments: dict[str, Json] = field(default_factory=dict[str, Json])
    setup: Setup = field(default_factory=Setup)
    tokens: SandboxTokens = field(init=False)
    limits: SandboxLimits = field(init=False)
    faults: Faults = field(default_factory=Faults)
    past: Past = field(init=False)
    calls: CallLog = field(default_factory=CallLog)
    task_times: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Set the app of the webhooks: the OAuth client, whose id starts with the app's."""
        self.contacts = Contacts(self.clock)
        self.tokens = SandboxTokens(clock=self.clock)
        self.limits = SandboxLimits(clock=self.clock)
        self.past = Past(self.clock)
        app_id = self.tokens.client_id.partition("-")[0]
        self.deliveries = GhlDeliveries(app_id, self.clock)
