"""The three-way merge of one field, the same for contacts, notes, tasks and appointments.

Each side is compared with the base. A change on one side goes to the other one. If both changed
differently, that is a conflict, and the field's policy chooses the winner. Where both differ and
nothing may be written, that is a standing difference.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from timerex_ghl.domain.shared.actions import Conflict, DifferenceReason, StandingDifference
from timerex_ghl.domain.shared.models import ConflictRule, FieldName, Value
from timerex_ghl.domain.shared.normal import is_empty

Side = Literal["workspace", "ghl"]
V = TypeVar("V", bound=Value)


class Unknown(Enum):
    """A value that is not known: neither written, nor read as empty."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


def accept_any(_value: object) -> bool:
    """Accept every value."""
    return True


class FieldPolicy(NamedTuple, Generic[V]):
    """How one field is merged.

    Attributes:
        is_same: Whether two values are equal but for spelling.
        conflict: Whose value wins where both sides changed it. A one-way field's source does,
            unless a person is asked; an edit of its target stays until the source changes.
        newer: The side that changed last, for `newest`; None: not known, so a person is asked.
        to_ghl: The field may be written to GHL.
        to_workspace: The field may be written to the workspace.
        ghl_accepts: Whether GHL may get a value. One that it may not get stays where it is. An
            empty one gives way without a conflict once the other side changes.
        workspace_accepts: The same for the workspace.
        no_way_to_ghl: Why `to_ghl` is off, where it is.
        refusal: Why GHL may not get a filled value.
    """

    field: FieldName
    is_same: Callable[[V, V], bool]
    conflict: ConflictRule
    newer: Side | None = None
    to_ghl: bool = True
    to_workspace: bool = True
    ghl_accepts: Callable[[V], bool] = accept_any
    workspace_accepts: Callable[[V], bool] = accept_any
    no_way_to_ghl: DifferenceReason = "one-way"
    refusal: DifferenceReason = "refused"


class FieldVerdict(NamedTuple, Generic[V]):
    """The result of merging one field.

    Attributes:
        winner: Whose value is written to the other side. "both": they agree already. None:
            nothing is written.
        base: The new base; UNKNOWN: it stays as it was.
        conflict: Set where both sides changed it differently.
        difference: Why both differ and nothing is written; None where they agree, or ask.
    """

    winner: Side | Literal["both"] | None = None
    base: V | Unknown = UNKNOWN
    conflict: Conflict | None = None
    difference: DifferenceReason | None = None


class MergedFields(NamedTuple, Generic[V]):
    """The result of merging a record's fields. `base` has only the fields that agree now."""

    to_workspace: dict[FieldName, V]
    to_ghl: dict[FieldName, V]
    base: dict[FieldName, V]
    conflicts: tuple[Conflict, ...]
    differences: tuple[StandingDifference, ...]


def merge_fields(
    workspace: Mapping[FieldName, V],
    ghl: Mapping[FieldName, V],
    base: Mapping[FieldName, V],
    policies: Iterable[FieldPolicy[V]],
) -> MergedFields[V]:
    """Merge the fields that have a policy. A field absent in `ghl` or `base` is unknown there."""
    verdicts: dict[FieldName, FieldVerdict[V]] = {}
    for policy in policies:
        field = policy.field
        values = workspace[field], ghl.get(field, UNKNOWN), base.get(field, UNKNOWN)
        verdicts[field] = merge_field(*values, policy)
    agreed = {field: one.base for field, one in verdicts.items() if one.base is not UNKNOWN}
    return MergedFields(
        to_workspace={f: value for f, value in agreed.items() if verdicts[f].winner == "ghl"},
        to_ghl={f: value for f, value in agreed.items() if verdicts[f].winner == "workspace"},
        base=agreed,
        conflicts=tuple(one.conflict for one in verdicts.values() if one.conflict),
        differences=tuple(
            StandingDifference(field=field, reason=one.difference)
            for field, one in verdicts.items()
            if one.difference
        ),
    )


def merge_field(
    workspace: V, ghl: V | Unknown, base: V | Unknown, policy: FieldPolicy[V]
) -> FieldVerdict[V]:
    """Decide whose value wins.

    Args:
        workspace: The workspace's value.
        ghl: GHL's value; UNKNOWN: not received.
        base: What both last agreed on. UNKNOWN: they never did, so every filled value is an edit.
        policy: How the field is merged.
    """

    def is_edit(value: V, accepts: Callable[[V], bool]) -> bool:
        return _is_changed(value, base, policy) and (accepts(value) or not is_empty(value))

    if ghl is UNKNOWN:
        return FieldVerdict()
    if policy.is_same(workspace, ghl):
        is_synced = policy.to_ghl or policy.to_workspace
        return FieldVerdict("both", workspace) if is_synced else FieldVerdict()
    winner, conflict = None, None
    match is_edit(workspace, policy.ghl_accepts), is_edit(ghl, policy.workspace_accepts):
        case True, True if policy.to_ghl or policy.to_workspace:
            conflict = _conflict(workspace, ghl, base, policy)
            winner = conflict.winner
        case True, False:
            winner = "workspace"
        case False, True:
            winner = "ghl"
        case _:
            pass
    if winner == "workspace" and policy.to_ghl and policy.ghl_accepts(workspace):
        return FieldVerdict("workspace", workspace, conflict)
    if winner == "ghl" and policy.to_workspace and policy.workspace_accepts(ghl):
        return FieldVerdict("ghl", ghl, conflict)
    if winner is None and conflict is not None:
        return FieldVerdict(conflict=conflict)
    # Both keep their values. A conflict whose winner cannot travel decided nothing.
    return FieldVerdict(difference=_difference(workspace, ghl, base, policy))


def _conflict(workspace: V, ghl: V, base: V | Unknown, policy: FieldPolicy[V]) -> Conflict:
    agreed = None if base is UNKNOWN else base
    return Conflict(
        field=policy.field, workspace=workspace, ghl=ghl, base=agreed, winner=_winner(policy)
    )


def _is_changed(value: V, base: V | Unknown, policy: FieldPolicy[V]) -> bool:
    return not is_empty(value) if base is UNKNOWN else not policy.is_same(value, base)


def _difference(
    workspace: V, ghl: V, base: V | Unknown, policy: FieldPolicy[V]
) -> DifferenceReason | None:
    """Return why a difference stays; None where nothing was changed that could travel."""
    if _is_changed(workspace, base, policy):
        if not policy.to_ghl:
            return policy.no_way_to_ghl
        if not policy.ghl_accepts(workspace):
            return "emptied" if is_empty(workspace) else policy.refusal
    if _is_changed(ghl, base, policy):
        if policy.to_ghl and not policy.to_workspace:
            return "one-way"
        if policy.to_workspace and not policy.workspace_accepts(ghl):
            return "emptied" if is_empty(ghl) else "refused"
    return None


def _winner(policy: FieldPolicy[V]) -> Side | None:
    if policy.conflict is ConflictRule.ASK:
        return None
    if not policy.to_workspace:
        return "workspace"
    if not policy.to_ghl:
        return "ghl"
    match policy.conflict:
        case ConflictRule.WORKSPACE:
            return "workspace"
        case ConflictRule.GHL:
            return "ghl"
        case ConflictRule.NEWEST:
            return policy.newer
