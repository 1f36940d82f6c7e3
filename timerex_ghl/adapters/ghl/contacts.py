"""Pages of contacts."""

from timerex_ghl.sync.models import GhlContact, Record

SearchAfter = tuple[int | float | str, ...]
"""Where a search goes on: what GHL put on the last contact of the page before."""


class ContactPage(Record):
    """One page of a search.

    Attributes:
        after: Where the next one begins; None on the last page.
        total: How many contacts the search finds in all.
    """

    contacts: tuple[GhlContact, ...]
    after: SearchAfter | None
    total: int


class CustomField(Record):
    """A field of the location's own. `key` is like `contact.company_size`."""

    id: str
    key: str
    name: str
    data_type: str
