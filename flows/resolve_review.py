"""A person settles what waits for one."""

from collections.abc import Iterable
from enum import StrEnum

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import BaseModel, Field

from tasks.reviews import resolve_review as resolve_one
from timerex_ghl.domain.errors import ReviewNeededError, SettingsError
from timerex_ghl.domain.merge_field import Side
from timerex_ghl.domain.models import ConnectionName, FieldName
from timerex_ghl.domain.review_decisions import Decision, Way


class Choice(StrEnum):
    """What a person can choose."""

    KEEP_WORKSPACE = "keep the value of the workspace"
    KEEP_GHL = "keep the value of GHL"
    FIELD_BY_FIELD = "decide field by field"
    LINK = "link to the contact id below"
    APART = "these are different people: keep apart"
    DROP = "leave it as it is"
    RETRY = "try again"


class FieldChoice(BaseModel):
    """Whose value of one field stands."""

    field: str = Field(description="For example city; the review's record names it.")
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
    """Settle one review. Whoever comes second changes nothing and is told who was first.

    Values cannot be typed in here, since Prefect keeps parameters: `timerex-ghl reviews resolve`
    takes them.

    Args:
        connection: Name of a published connection.
        review_id: As in the table of reviews, for example r_0123456789abcdef.
        choice: What you decide.
        by: Who you are; the audit keeps it.
        fields: Only to decide field by field: whose value of each stands.
        contact_id: Only to link: the contact's id in GHL; for a contact of GHL, the person's here.
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
    """Read the form.

    Raises:
        SettingsError: Something is missing in it.
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
