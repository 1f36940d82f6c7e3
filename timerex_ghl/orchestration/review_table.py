"""The table of a connection's open reviews, as a Prefect artifact."""

from prefect.artifacts import acreate_table_artifact
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.reviews.review_decisions import Way, ways_of
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.context import SyncContext

ROWS = 500
"""Reviews a table lists, oldest first."""


async def put_review_table(context: SyncContext) -> None:
    """Publish a table of open reviews to Prefect: ids, kinds, reasons and links, no values."""
    waiting, linked = await context.ledger.read(_waiting, context.connection)
    rows = [_row(context, review, linked) for review in waiting[:ROWS]]
    await acreate_table_artifact(
        key=f"reviews-{context.connection}",
        table=rows or [{"review": "none open"}],
        description=f"{len(waiting)} open reviews of {context.connection}. Resolve one with"
        " the flow resolve-review, or in a terminal:"
        f" `timerex-ghl reviews show {context.connection} ID`"
        " shows the values and the commands that resolve it.",
    )


def _waiting(tx: Connection, connection: ConnectionName) -> tuple[list[Review], dict[str, str]]:
    """Read the open reviews, and the GHL ids of their contacts by workspace id."""
    waiting = reviews.open_reviews(tx, connection)
    people = {own_id for review in waiting[:ROWS] for own_id in _people(review)}
    linked = links.links_of_locals(tx, connection, "contact", people)
    return waiting, {own_id: link.remote_id for own_id, link in linked.items()}


def _row(context: SyncContext, review: Review, linked: dict[str, str]) -> dict[str, str]:
    kind, record_id = review.subject.kind, review.subject.id
    ghl_ids = [
        *([record_id] if kind == "ghl" else []),
        *(linked[own_id] for own_id in _people(review) if own_id in linked),
        *review.detail.get("ghl_ids", []),
    ]
    return {  # the most useful column first, the widest last: the UI does not wrap
        "review": review.id,
        "kind": review.kind,
        "reason": _reason(review),
        "resolve by": _ways(review),
        "since": f"{review.opened_at:%Y-%m-%d %H:%M} UTC",
        "in GHL": " ".join(
            f"[{ghl_id}]({context.settings.ghl.contact_url(ghl_id)})"
            for ghl_id in dict.fromkeys(ghl_ids)
        ),
        "record": str(review.subject),
    }


def _reason(review: Review) -> str:
    """Return the reason without its GHL contact ids: another column links to them."""
    return review.reason.partition(": ")[0] if review.detail.get("ghl_ids") else review.reason


def _ways(review: Review) -> str:
    """List the possible decisions: without a conflict, a value can only be entered."""
    keep = "keep" if review.kind == "conflict" else "a value (terminal only)"
    ways = ways_of(review.kind, review.subject)
    return ", ".join(keep if way is Way.KEEP else way for way in ways)


def _people(review: Review) -> list[str]:
    """List the workspace contacts that a review is about."""
    kind, record_id = review.subject.kind, review.subject.id
    return [*([record_id] if kind == "contact" else []), *review.detail.get("people", [])]
