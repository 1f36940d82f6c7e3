"""The three-way merge of one field: each side is compared with the base.

- Emptying a field is not an edit, unless the field's rule has `empty_wipes`.
- `newest` needs both times: where one is missing, or they are equal, a person decides.
- A one-way field's source wins every conflict. An edit on the other side stays there until the
  source changes the next time. A field GHL takes on creation only is one-way from then on.
"""

from enum import Enum
from typing import Final, Literal, NamedTuple

from timerex_ghl.domain.contacts.mapping import goes_to_ghl, goes_to_workspace
from timerex_ghl.domain.shared.actions import Conflict
from timerex_ghl.domain.shared.models import ConflictRule, FieldRule, Value
from timerex_ghl.domain.shared.normal import is_empty, is_same

Side = Literal["workspace", "ghl"]
Standing = Side | Literal["both"]
_NAMES = {"first_name", "last_name"}


class Unknown(Enum):
    """A value that was not received: neither written, nor read as empty."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


class FieldViews(NamedTuple):
    """One field on each side, and in the base."""

    workspace: Value | Unknown
    ghl: Value | Unknown
    base: Value | Unknown


class FieldVerdict(NamedTuple):
    """The result of merging one field.

    Attributes:
        stands: Whose value wins. "both": they agree already. None: nothing is written, and the
            base stays as it was.
        value: The value that wins; None where none does.
        conflict: Set where both sides changed it differently.
    """

    stands: Standing | None
    value: Value = None
    conflict: Conflict | None = None


LEAVE = FieldVerdict(None)


def merge_field(
    rule: FieldRule, views: FieldViews, newer: Side | None, region: str, *, creating: bool
) -> FieldVerdict:
    """Decide whose value wins.

    Args:
        rule: How the field is synced.
        views: What is known of it.
        newer: The side that changed last; None where that is not known.
        region: Reads phone numbers written without a country code.
        creating: GHL does not have the contact yet.
    """
    may_stand: dict[Side, bool] = {
        "workspace": goes_to_ghl(rule, creating=creating),
        "ghl": goes_to_workspace(rule),
    }
    if views.ghl is UNKNOWN or not any(may_stand.values()):
        return LEAVE
    base = views.base
    workspace = views.workspace
    if workspace is UNKNOWN:  # a field that was never entered counts as unchanged
        workspace = None if base is UNKNOWN else base
    ghl = _undo_lowering(rule, views.ghl, (base, workspace))
    if is_same(rule.field, workspace, ghl, region):
        return FieldVerdict("both", workspace)
    match _is_edit(rule, workspace, base, region), _is_edit(rule, ghl, base, region):
        case True, True:
            return _resolve_value(rule, workspace, ghl, base, _winner(rule, may_stand, newer))
        case True, False:
            return FieldVerdict("workspace", workspace) if may_stand["workspace"] else LEAVE
        case False, True:
            return FieldVerdict("ghl", ghl) if may_stand["ghl"] else LEAVE
        case _:
            return LEAVE


def _is_edit(rule: FieldRule, value: Value, base: Value | Unknown, region: str) -> bool:
    """Return whether a side's value is an edit since the base."""
    if is_empty(value):
        return rule.empty_wipes and base is not UNKNOWN and not is_empty(base)
    return base is UNKNOWN or not is_same(rule.field, value, base, region)


def _winner(rule: FieldRule, may_stand: dict[Side, bool], newer: Side | None) -> Side | None:
    if rule.conflict is ConflictRule.ASK:
        return None
    if not may_stand["ghl"]:
        return "workspace"
    if not may_stand["workspace"]:
        return "ghl"
    match rule.conflict:
        case ConflictRule.WORKSPACE:
            return "workspace"
        case ConflictRule.GHL:
            return "ghl"
        case ConflictRule.NEWEST:
            return newer


def _resolve_value(
    rule: FieldRule, workspace: Value, ghl: Value, base: Value | Unknown, winner: Side | None
) -> FieldVerdict:
    conflict = Conflict(
        field=rule.field,
        workspace=workspace,
        ghl=ghl,
        base=None if base is UNKNOWN else base,
        winner=winner,
    )
    match winner:
        case "workspace":
            return FieldVerdict(winner, workspace, conflict)
        case "ghl":
            return FieldVerdict(winner, ghl, conflict)
        case None:
            return FieldVerdict(None, conflict=conflict)


def _undo_lowering(rule: FieldRule, ghl: Value, known: tuple[Value | Unknown, ...]) -> Value:
    """Restore a known name that only lost its capitals: some GHL lists lower-case names."""
    if rule.field not in _NAMES:
        return ghl
    return next((name for name in known if isinstance(name, str) and name.lower() == ghl), ghl)
