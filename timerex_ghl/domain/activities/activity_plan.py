"""Plan the writes that bring one note or task in sync.

Notes and tasks have no time of change, so which edit is newer is unknown. Unlike a contact's, an
emptied field is an edit where there is a base.
"""

from collections.abc import Collection, Mapping
from functools import partial
from typing import NamedTuple

from timerex_ghl.domain.activities.activity_fields import (
    ASSIGNEE,
    BODY,
    COMPLETED,
    TRAVELS,
    Activity,
    is_same_value,
    text_of,
)
from timerex_ghl.domain.activities.activity_mapping import GhlActivity
from timerex_ghl.domain.connections.settings import ActivityRule
from timerex_ghl.domain.shared.actions import (
    ActivityPlan,
    ActivityWrite,
    CreateActivity,
    StandingDifference,
    UpdateActivity,
    WorkspaceChange,
)
from timerex_ghl.domain.shared.merge_field import FieldPolicy, Side, merge_fields
from timerex_ghl.domain.shared.models import ConflictRule, FieldName, GhlContactId, Values


class Policy(NamedTuple):
    """What resolves a field that both sides changed.

    Attributes:
        rule: Whose value wins.
        assignable: E-mails of the users that tasks can be assigned to in GHL.
        resolved_fields: Fields whose conflict a person resolved, and whose value wins.
    """

    rule: ActivityRule
    assignable: Collection[str] = ()
    resolved_fields: Mapping[FieldName, Side] = {}

    def of_field(self, field: FieldName) -> FieldPolicy[str | None]:
        """Return how a field is merged."""
        return FieldPolicy(
            field=field,
            is_same=partial(is_same_value, field),
            conflict=ConflictRule(self.resolved_fields.get(field, self.rule)),
            ghl_accepts=partial(self.can_send, field),
            refusal="unknown assignee" if field == ASSIGNEE else "refused",
        )

    def can_send(self, field: FieldName, value: str | None) -> bool:
        """Return whether GHL accepts it: only a body may be empty; an assignee must be a user."""
        if field == ASSIGNEE:
            return value is not None and value.casefold() in self.assignable
        return bool(value) or field == BODY


def plan_creation(row: Activity, contact_id: GhlContactId, policy: Policy) -> ActivityPlan:
    """Plan the creation in GHL of a note or task that only the workspace has."""
    values: dict[FieldName, str | None] = {
        field: value
        for field in TRAVELS[row.kind]
        if (value := row.values.get(field)) is not None and policy.can_send(field, value)
    }
    action = CreateActivity(
        kind="note.create" if row.kind == "note" else "task.create",
        activity_id=row.id,
        contact_id=contact_id,
        values=values,
    )
    return ActivityPlan(to_ghl=(action,), base=values, differences=_unsent(row, policy))


def plan_activity(
    row: Activity,
    remote: GhlActivity,
    base: Values | None,
    contact_id: GhlContactId,
    policy: Policy,
) -> ActivityPlan:
    """Plan the writes for a note or task that both sides have.

    Args:
        row: The workspace row.
        remote: The record in GHL.
        base: What both last agreed on; None where they never did.
        contact_id: Its contact in GHL.
        policy: What resolves fields that both changed.
    """
    fields = TRAVELS[row.kind]
    local = {field: row.values.get(field) for field in fields}
    agreed = {field: text_of(base, field) for field in fields if base and field in base}
    merged = merge_fields(local, remote.values, agreed, map(policy.of_field, fields))
    # A task of GHL without the field has an assignee whom the workspace cannot name.
    is_hidden = ASSIGNEE in fields and ASSIGNEE not in remote.values
    hidden = StandingDifference(field=ASSIGNEE, reason="unknown assignee")
    return ActivityPlan(
        to_ghl=_update(row, remote, contact_id, merged.to_ghl),
        to_workspace=WorkspaceChange(values={**merged.to_workspace}),
        base={**agreed, **merged.base},
        conflicts=merged.conflicts,
        differences=(*merged.differences, *([hidden] if is_hidden else ())),
    )


def _unsent(row: Activity, policy: Policy) -> tuple[StandingDifference, ...]:
    """Return the filled fields that GHL may not get on creation."""
    return tuple(
        StandingDifference(field=field, reason=policy.of_field(field).refusal)
        for field in TRAVELS[row.kind]
        if (value := row.values.get(field)) and not policy.can_send(field, value)
    )


def _update(
    row: Activity,
    remote: GhlActivity,
    contact_id: GhlContactId,
    values: dict[FieldName, str | None],
) -> tuple[ActivityWrite, ...]:
    if not values:
        return ()
    only_completed = row.kind == "task" and values.keys() == {COMPLETED}
    action = UpdateActivity(
        kind=(
            "note.update"
            if row.kind == "note"
            else "task.complete"
            if only_completed
            else "task.update"
        ),
        activity_id=row.id,
        contact_id=contact_id,
        remote_id=remote.id,
        values=values,
    )
    return (action,)
