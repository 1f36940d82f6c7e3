"""The three-way merge of one field, the same for contacts, notes, tasks and appointments.

Each side is compared with the base. A change on one side goes to the other one. If both changed
differently, that is a conflict, and the field's policy chooses the winner.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from timerex_ghl.domain.shared.actions import Conflict
from timerex_ghl.domain.shared.models import ConflictRule, FieldName, Value

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
        ghl_accepts: Whether GHL may get a value. A value it may not get is no edit: it stays
            until the other side changes, and then gives way without a conflict.
        workspace_accepts: The same for the workspace.
    """

    field: FieldName
    is_same: Callable[[V, V], bool]
    conflict: ConflictRule
    newer: Side | None = None
    to_ghl: bool = True
    to_workspace: bool = True
    ghl_accepts: Callable[[V], bool] = accept_any
    workspace_accepts: Callable[[V], bool] = accept_any


class FieldVerdict(NamedTuple, Generic[V]):
    """The result of merging one field.

    Attributes:
        winner: Whose value is written to the other side. "both": they agree already. None:
            nothing is written.
        base: The new base; UNKNOWN: it stays as it was.
        conflict: Set where both sides changed it differently.
    """

    winner: Side | Literal["both"] | None = None
    base: V | Unknown = UNKNOWN
    conflict: Conflict | None = None


class MergedFields(NamedTuple, Generic[V]):
    """The result of merging a record's fields. `base` has only the fields that agree now."""

    to_workspace: dict[FieldName, V]
    to_ghl: dict[FieldName, V]
    base: dict[FieldName, V]
    conflicts: tuple[Conflict, ...]


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
    )


def merge_field(
    workspace: V, ghl: V | Unknown, base: V | Unknown, policy: FieldPolicy[V]
) -> FieldVerdict[V]:
    """Decide whose value wins.

    Args:
        workspace: The workspace's value.
        ghl: GHL's value; UNKNOWN: not received.
        base: What both last agreed on. UNKNOWN: they never did, so every value is an edit.
        policy: How the field is merged.
    """

    def is_changed(value: V) -> bool:
        return base is UNKNOWN or not policy.is_same(value, base)

    if ghl is UNKNOWN or not (policy.to_ghl or policy.to_workspace):
        return FieldVerdict()
    if policy.is_same(workspace, ghl):
        return FieldVerdict("both", workspace)
    is_workspace_edit = is_changed(workspace) and policy.ghl_accepts(workspace)
    is_ghl_edit = is_changed(ghl) and policy.workspace_accepts(ghl)
    match is_workspace_edit, is_ghl_edit:
        case True, True:
            winner = _winner(policy)
            conflict = Conflict(
                field=policy.field,
                workspace=workspace,
                ghl=ghl,
                base=None if base is UNKNOWN else base,
                winner=winner,
            )
            values = {"workspace": workspace, "ghl": ghl, None: UNKNOWN}
            return FieldVerdict(winner, values[winner], conflict)
        case True, False if policy.to_ghl:
            return FieldVerdict("workspace", workspace)
        case False, True if policy.to_workspace:
            return FieldVerdict("ghl", ghl)
        case _:
            return FieldVerdict()


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
