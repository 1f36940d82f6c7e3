"""Standing differences, as the API and the command line show them: names and reasons, no values."""

from timerex_ghl.adapters.ledger.tables.sync.differences import DifferingKind
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.shared.actions import DifferenceReason
from timerex_ghl.domain.shared.models import FieldName, Record
from timerex_ghl.workspace.page_query import PageQuery


class DifferenceView(Record):
    """A record whose two sides differ, and stay so.

    Attributes:
        kind: contact, note or task.
        id: Its id in the workspace.
        ghl_id: Its id in the CRM.
        fields: Why each field stays different. emptied: one side's value was emptied, and an empty
            value does not travel. create only: the CRM takes the field on creation only. one-way:
            the field's target was edited. unknown assignee: the CRM's users do not include them,
            or the workspace cannot name the CRM's user. refused: the CRM may not get the value.
            taken: another contact of the CRM has it, and the location allows it once.
    """

    kind: DifferingKind
    id: str
    ghl_id: str
    fields: dict[FieldName, DifferenceReason]


class DifferenceQuery(PageQuery):
    """Filters of a list of differences."""

    kind: DifferingKind | None = None


def view_of_difference(link: Link) -> DifferenceView:
    """Return the view of a link whose records differ."""
    return DifferenceView.model_validate(
        {
            "kind": link.kind,
            "id": link.local_id,
            "ghl_id": link.remote_id,
            "fields": link.differences,
        }
    )
