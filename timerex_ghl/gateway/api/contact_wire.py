"""A contact as the API writes and reads it."""

from collections.abc import Iterable

from pydantic import AwareDatetime, Field

from timerex_ghl.adapters.ledger.contact_pages import Dated
from timerex_ghl.domain.booking_entry import Line, When
from timerex_ghl.domain.contact_entry import CUSTOM
from timerex_ghl.domain.models import STANDARD_FIELDS, FieldName, Record, Value
from timerex_ghl.gateway.api.pages import PageQuery

Tags = tuple[str, ...]


class ContactFields(Record):
    """A person's fields. Null is empty. A field that is not sent is not touched."""

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
        description="Fields of your own, by the key that the field mapping gives them: a text, or"
        " a list of choices.",
    )

    def values(self) -> dict[FieldName, Value]:
        """Give what was sent, by canonical field name."""
        sent = [name for name in STANDARD_FIELDS if name in self.model_fields_set]
        custom = {FieldName(CUSTOM + key): value for key, value in self.custom.items()}
        return {**{name: getattr(self, name) for name in sent}, **custom}


class ContactDraft(ContactFields):
    """A person to be added: at least a name, a company, an e-mail or a phone."""

    tags: Tags = ()


class ContactChange(ContactFields):
    """What changes of a person. Tags are put on and taken off one by one."""

    tags_added: Tags = ()
    tags_removed: Tags = ()


class ContactView(ContactFields):
    """A person of the workspace.

    Attributes:
        tags: Null where the CRM has not told them yet.
    """

    id: str
    version: int
    tags: list[str] | None
    created_at: AwareDatetime
    updated_at: AwareDatetime | None


class ContactQuery(PageQuery):
    """Which people to list."""

    email: Line | None = Field(None, description="Whoever has this e-mail, however it is spelled.")
    phone: Line | None = Field(None, description="Whoever has this phone, however it is spelled.")
    updated_since: When | None = None


def view_of(found: Dated) -> ContactView:
    """Show a person."""
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
    """A standard field that the CRM keeps as choices is shown as one text."""
    return ", ".join(value) if isinstance(value, tuple) else value
