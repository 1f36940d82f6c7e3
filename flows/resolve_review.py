"""Flow with which a person resolves a review."""

from collections.abc import Iterable
from enum import StrEnum

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import BaseModel, Field

from tasks.reviews import resolve_review as resolve_one
from timerex_ghl.domain.reviews.review_decisions import Decision, Way
from timerex_ghl.domain.shared.errors import ReviewNeededError, SettingsError
from timerex_ghl.domain.shared.merge_field import Side
from timerex_ghl.domain.shared.models import ConnectionName, FieldName


class Choice(StrEnum):
    """The ways to resolve a review, as the form shows them."""

    KEEP_WORKSPACE = "keep the value of the workspace"
    KEEP_GHL = "keep the value of GHL"
    FIELD_BY_FIELD = "decide field by field"
    LINK = "link to the contact id below"
    APART = "these are different people: keep apart"
    DROP = "leave it as it is"
    RETRY = "try again"


class FieldChoice(BaseModel):
    """Which system's value of one field to keep."""

    field: str = Field(description="For example city; the review's record names the field.")
    keep: Side


WAYS = {
    Choice.KEEP_WORKSPACE: Way.KEEP,
    Choice.KEEP_GHL: Way.KEEP,
    Choice.FIELD_BY_FIELD: Way.KEEP,
    Choice.LINK: Way.LINK,
    Choice.APART: Way.APART,
    Choice.DROP: Way.DROP,
    Choice.RETRY: Way.RETRY,
}
KEPT: dict[Choice, Side] = {Choice.KEEP_WORKSPACE: "workspace", Choice.KEEP_GHL: "ghl"}


@flow(name="resolve-review", flow_run_name="{connection} {review_id}")
async def resolve_review(
    connection: ConnectionName,
    review_id: str,
    choice: Choice,
    by: str,
    fields: tuple[FieldChoice, ...] = (),
    contact_id: str = "",
) -> State[None]:
    """Resolve one review. A review that is already resolved stays, and the run says who did it.

    This form does not take values, because Prefect stores parameters. Use
    `timerex-ghl reviews resolve` to enter a value.

    Args:
        connection: Name of a published connection.
        review_id: The id in the table of reviews, for example r_0123456789abcdef.
        choice: Your decision.
        by: Your name, for the audit.
        fields: Only to decide field by field: which value of each field to keep.
        contact_id: Only to link: the contact's id in GHL. If the review is about a GHL contact,
            the id of the workspace contact.
    """
    decision = decision_of(choice, by, fields, contact_id.strip())
    try:
        said = await resolve_one(connection, review_id.strip(), decision)
    except ReviewNeededError as error:
        return Completed(name="NeedsReview", message=f"{review_id}: {error}")
    return Completed(message=said)


def decision_of(
    choice: Choice, by: str, fields: Iterable[FieldChoice], contact_id: str
) -> Decision:
    """Convert the form to a decision.

    Raises:
        SettingsError: A required entry is missing.
    """
    if not by.strip():
        raise SettingsError("by: enter who you are")
    if choice is Choice.LINK and not contact_id:
        raise SettingsError("contact_id: enter the id to link to")
    if choice is Choice.FIELD_BY_FIELD and not fields:
        raise SettingsError("fields: add at least one field")
    return Decision(
        way=WAYS[choice],
        by=by.strip(),
        keep=KEPT.get(choice),
        fields={FieldName(one.field.strip()): one.keep for one in fields}
        if WAYS[choice] is Way.KEEP
        else {},
        link_to=contact_id if choice is Choice.LINK else None,
    )
