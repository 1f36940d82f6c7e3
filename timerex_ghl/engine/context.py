"""The clients, ledger and settings of a connection, ready to use."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime

import httpx

from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.timerex.client import TimerexClient
from timerex_ghl.domain.connections.settings import ConnectionSettings, PublishedConnection
from timerex_ghl.domain.shared.errors import Service
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.location_rule import LocationRule
from timerex_ghl.engine.runtime import Runtime, current_runtime, utc_now
from timerex_ghl.engine.user_book import UserBook

__all__ = ["CallCount", "SyncContext", "utc_now"]


@dataclass
class CallCount:
    """Counts HTTP requests; its `count` is a request hook of httpx."""

    calls: int = 0

    async def count(self, _request: httpx.Request) -> None:
        """Count one."""
        self.calls += 1


@dataclass
class ServiceCheck:
    """Shares the check whether a service is down among the records that fail at once.

    Attributes:
        answered_at: When each service last answered it.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    answered_at: dict[Service, datetime] = field(default_factory=dict[Service, datetime])


@dataclass(frozen=True)
class SyncContext:
    """What the handlers work with. Opened once a process and connection.

    Attributes:
        calls: Requests sent to GHL since the context was opened.
        timerex: None where the connection has no credentials for TimeRex's REST API.
        run_id: The Prefect task run (or other caller) that is written into intents and audit rows.
        flow_run_id: The Prefect flow run around it; events' audit rows name both.
        users: The location's users.
        location: The location's rule on duplicates.
        service_check: The last checks whether a service is down.
        runtime: The clock and the failpoints.
    """

    published: PublishedConnection
    ledger: Ledger
    ghl: GhlClient
    calls: CallCount = field(default_factory=CallCount)
    run_id: str | None = None
    timerex: TimerexClient | None = None
    flow_run_id: str | None = None
    users: UserBook = field(default_factory=UserBook)
    location: LocationRule = field(default_factory=LocationRule)
    service_check: ServiceCheck = field(default_factory=ServiceCheck)
    runtime: Runtime = field(default_factory=current_runtime)

    @property
    def connection(self) -> ConnectionName:
        """Return the connection's name."""
        return self.published.settings.name

    @property
    def settings(self) -> ConnectionSettings:
        """Return the published settings."""
        return self.published.settings

    def now(self) -> datetime:
        """Read the clock: aware, UTC."""
        return self.runtime.clock()

    def failpoint(self, action: str, moment: str) -> None:
        """Let a test kill the process at this point."""
        self.runtime.failpoint(action, moment)

    def during(self, run_id: str | None, flow_run_id: str | None = None) -> "SyncContext":
        """Use the same adapters on behalf of another run."""
        return replace(self, run_id=run_id, flow_run_id=flow_run_id)
