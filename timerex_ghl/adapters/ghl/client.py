"""The GHL client: one method, one request. It never retries; whoever calls it does."""

from timerex_ghl.adapters.ghl.calendars import CalendarCalls
from timerex_ghl.adapters.ghl.lists import ListCalls
from timerex_ghl.adapters.ghl.location import LocationCalls
from timerex_ghl.adapters.ghl.notes import NoteCalls
from timerex_ghl.adapters.ghl.tags import TagCalls
from timerex_ghl.adapters.ghl.tasks import TaskCalls


class GhlClient(LocationCalls, ListCalls, TagCalls, NoteCalls, TaskCalls, CalendarCalls):
    """One GHL location, in our words.

    Raises (every method):
        ScopeError: The token lacks the right. Where it writes, nothing was sent.
        CredentialsError: GHL does not accept the credentials, or they are another location's.
        SettingsError: Not GHL answers there, or one that no longer speaks this version.
        NotFoundError: There is no such record.
        SkippableError: GHL refuses this record as it is.
        RateLimitedError: Too many calls; the location waits.
        RetryableError: An outage, before anything happened.
        UnknownOutcomeError: A write was sent and its answer never read.
    """
