"""Plan the writes that bring one note or task in sync.

The merge rules are those of contacts: compare with the base, and write what changed. Notes and
tasks have no time of change, so which edit is newer is unknown.
"""

from collections.abc import Collection, Mapping
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
    Conflict,
    CreateActivity,
    UpdateActivity,
    WorkspaceChange,
)
from timerex_ghl.domain.shared.merge_field import Side
from timerex_ghl.domain.shared.models import FieldName, GhlContactId, Values


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


class _Verdict(NamedTuple):
    """Whose value wins; None: nothing is written and the base stays as it was."""

    stands: Side | None
    agree: bool = False
    conflict: Conflict | None = None


def plan_creation(row: Activity, contact_id: GhlContactId, policy: Policy) -> ActivityPlan:
    """Plan the creation in GHL of a note or task that only the workspace has."""
    values: dict[FieldName, str | None] = {
        field: value
        for field in TRAVELS[row.kind]
        if (value := row.values.get(field)) is not None and _can_send(field, value, policy)
    }
    action = CreateActivity(
        kind="note.create" if row.kind == "note" else "task.create",
        activity_id=row.id,
        contact_id=contact_id,
        values=values,
    )
    return ActivityPlan(to_ghl=(action,), base=values)


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
    to_ghl: dict[FieldName, str | None] = {}
    to_workspace: dict[FieldName, str | None] = {}
    agreed = {field: text_of(base, field) for field in TRAVELS[row.kind] if base and field in base}
    conflicts: list[Conflict] = []
    for field in TRAVELS[row.kind]:
        if field not in remote.values:
            continue
        local, other = row.values.get(field), remote.values[field]
        verdict = _merge(field, local, other, base, policy)
        if verdict.conflict is not None:
            conflicts.append(verdict.conflict)
        if verdict.agree:
            agreed[field] = local
        elif verdict.stands == "workspace":
            to_ghl[field] = agreed[field] = local
        elif verdict.stands == "ghl":
            to_workspace[field] = agreed[field] = other
    return ActivityPlan(
        to_ghl=_update(row, remote, contact_id, to_ghl),
        to_workspace=WorkspaceChange(values={**to_workspace}),
        base=agreed,
        conflicts=tuple(conflicts),
    )


def _merge(
    field: FieldName, local: str | None, remote: str | None, base: Values | None, policy: Policy
) -> _Verdict:
    if is_same_value(field, local, remote):
        return _Verdict(None, agree=True)
    known = base is not None and field in base
    before = text_of(base, field) if base is not None else None
    is_edited = not known or not is_same_value(field, local, before)
    is_changed_here = is_edited and _can_send(field, local, policy)
    is_changed_remotely = not known or not is_same_value(field, remote, before)
    if is_changed_here and is_changed_remotely:
        winner = policy.resolved_fields.get(field) or _winner(policy.rule)
        conflict = Conflict(field=field, workspace=local, ghl=remote, base=before, winner=winner)
        return _Verdict(winner, conflict=conflict)
    return _Verdict("workspace" if is_changed_here else "ghl" if is_changed_remotely else None)


def _winner(rule: ActivityRule) -> Side | None:
    return None if rule == "ask" else rule


def _can_send(field: FieldName, value: str | None, policy: Policy) -> bool:
    """Return whether GHL accepts a value: only a body may be empty; an assignee must be a user."""
    if field == ASSIGNEE:
        return value is not None and value.casefold() in policy.assignable
    return bool(value) or field == BODY


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
