"""The GHL client: one method, one request. It never retries; its callers do."""

from timerex_ghl.adapters.ghl.calendars import CalendarCalls
from timerex_ghl.adapters.ghl.lists import ListCalls
from timerex_ghl.adapters.ghl.location import LocationCalls
from timerex_ghl.adapters.ghl.notes import NoteCalls
from timerex_ghl.adapters.ghl.tags import TagCalls
from timerex_ghl.adapters.ghl.tasks import TaskCalls


class GhlClient(LocationCalls, ListCalls, TagCalls, NoteCalls, TaskCalls, CalendarCalls):
    """The API of one GHL location, in domain types.

    Raises (every method):
        ScopeError: The token lacks the scope. For a write, nothing was sent.
        CredentialsError: GHL refuses the credentials, or they belong to another location.
        SettingsError: The URL is not GHL's, or GHL no longer supports this API version.
        NotFoundError: There is no such record.
        SkippableError: GHL refuses the values of this record.
        RateLimitedError: Too many calls; calls to the location are paused.
        RetryableError: An outage; nothing was changed.
        UnknownOutcomeError: A write was sent, and no readable answer came.
    """
