"""Contacts in the API's JSON."""

from collections.abc import Iterable

from pydantic import AwareDatetime, Field

from timerex_ghl.adapters.ledger.tables.contacts.contact_pages import Dated
from timerex_ghl.domain.bookings.booking_entry import Line, When
from timerex_ghl.domain.contacts.contact_entry import CUSTOM
from timerex_ghl.domain.shared.models import STANDARD_FIELDS, FieldName, Record, Value
from timerex_ghl.workspace.page_query import PageQuery

Tags = tuple[str, ...]


class ContactFields(Record):
    """A contact's fields. Null is empty. A field that is not sent is unchanged."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = Field(None, description="As typed.")
    phone: str | None = Field(None, description="As typed; best with its country code.")
    company: str | None = None
    address: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    website: str | None = None
    timezone: str | None = None
    source: str | None = None
    status: str | None = Field(None, description="lead, active, customer or former.")
    custom: dict[str, Value] = Field(
        default_factory=dict[str, Value],
        description="Custom fields, by their key in the field mapping: a text, or a list of"
        " choices.",
    )

    def values(self) -> dict[FieldName, Value]:
        """Return the sent values by canonical field name."""
        sent = [name for name in STANDARD_FIELDS if name in self.model_fields_set]
        custom = {FieldName(CUSTOM + key): value for key, value in self.custom.items()}
        return {**{name: getattr(self, name) for name in sent}, **custom}


class ContactDraft(ContactFields):
    """A contact to add: at least a name, a company, an e-mail or a phone."""

    tags: Tags = ()


class ContactChange(ContactFields):
    """Changes of a contact. Tags are added and removed one by one."""

    tags_added: Tags = ()
    tags_removed: Tags = ()


class ContactView(ContactFields):
    """A contact of the workspace.

    Attributes:
        tags: Null until they are read from the CRM.
    """

    id: str
    version: int
    tags: list[str] | None
    created_at: AwareDatetime
    updated_at: AwareDatetime | None


class ContactQuery(PageQuery):
    """Filters of a list of contacts."""

    email: Line | None = Field(None, description="Contacts with this e-mail, in any spelling.")
    phone: Line | None = Field(None, description="Contacts with this phone, in any spelling.")
    updated_since: When | None = None


def view_of(found: Dated) -> ContactView:
    """Return the API's view of a contact."""
    row = found.row
    values = row.contact.values
    standard = {name: _text_of(values.get(name)) for name in STANDARD_FIELDS}
    tags = row.contact.tags
    return ContactView.model_validate(
        {
            **standard,
            "custom": dict(_custom(values.items())),
            "id": row.id,
            "version": row.version,
            "tags": None if tags is None else sorted(tags),
            "created_at": found.created_at,
            "updated_at": row.contact.updated_at,
        }
    )


def _custom(values: Iterable[tuple[FieldName, Value]]) -> Iterable[tuple[str, Value]]:
    return ((name.removeprefix(CUSTOM), value) for name, value in values if name.startswith(CUSTOM))


def _text_of(value: Value) -> str | None:
    """Return a standard field as one text, even if the CRM has it as choices."""
    return ", ".join(value) if isinstance(value, tuple) else value
