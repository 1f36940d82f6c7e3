"""A person's decision about a contact's values, applied to its plan."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from timerex_ghl.domain.contacts.contact_merge import apply_change
from timerex_ghl.domain.contacts.contact_plan import plan_contact
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.actions import Conflict, ContactPlan, WorkspaceChange
from timerex_ghl.domain.shared.errors import ReviewNeededError, SettingsError
from timerex_ghl.domain.shared.merge_field import Side
from timerex_ghl.domain.shared.models import (
    ConflictRule,
    Contact,
    FieldName,
    FieldRule,
    GhlContact,
    Record,
    Value,
    Values,
)
from timerex_ghl.domain.shared.normal import is_same


class ValuesChangedError(ReviewNeededError):
    """A decision was about values that have changed since.

    Attributes:
        conflicts: The contact's conflicts now.
    """

    def __init__(self, message: str, conflicts: Iterable[Conflict]) -> None:
        super().__init__(message, kind="conflict")
        self.conflicts = tuple(conflicts)


class ChosenValues(Record):
    """What a person decided about the values of one record.

    Attributes:
        asked: The conflicts of a contact, as the reviews showed them.
        winners: Whose value wins, for the fields decided about.
        typed: Values typed in, for both systems.
    """

    asked: tuple[Conflict, ...] = ()
    winners: dict[FieldName, Side] = Field(default_factory=dict[FieldName, Side])
    typed: dict[FieldName, Value] = Field(default_factory=dict[FieldName, Value])


NOTHING_CHOSEN = ChosenValues()


def plan_as_chosen(
    workspace: Contact,
    ghl: GhlContact | None,
    base: Contact | None,
    rules: Sequence[FieldRule],
    region: str,
    chosen: ChosenValues,
    newer: Mapping[FieldName, Side] | None,
) -> ContactPlan:
    """Plan as `plan_contact` does, with the decision in the place of the fields' rules.

    A typed value counts as an edit of the workspace that was made just now.

    Raises:
        ReviewNeededError: The contact is new to GHL and has neither e-mail nor phone.
    """
    if chosen is NOTHING_CHOSEN:
        return plan_contact(workspace, ghl, base, rules, region, newer)
    typed = WorkspaceChange(values=chosen.typed)
    if base is not None and chosen.typed:
        agreed = {field: base.values[field] for field in base.values.keys() - chosen.typed.keys()}
        base = base.model_copy(update={"values": agreed})
    ruled = rules_with_decision(rules, chosen.winners)
    plan = plan_contact(apply_change(workspace, typed), ghl, base, ruled, region, newer)
    change = plan.to_workspace
    values = {**change.values, **chosen.typed}
    return plan.model_copy(update={"to_workspace": change.model_copy(update={"values": values})})


def check_decision(
    chosen: ChosenValues,
    plan: ContactPlan,
    workspace: Contact,
    ghl: GhlContact | None,
    rules: Sequence[FieldRule],
    region: str,
) -> None:
    """Refuse a decision that no longer fits, before anything is written.

    Raises:
        ValuesChangedError: The values are no longer those that the reviews showed.
        SettingsError: A field syncs one way only, and the other value was chosen.
    """
    if chosen is NOTHING_CHOSEN:
        return
    remote = map_from_ghl(ghl, rules).values if ghl else {}
    if not is_as_asked(chosen.asked, workspace.values, remote, region):
        found = (
            one.model_copy(update={"workspace": workspace.values.get(one.field), "winner": None})
            for one in plan.conflicts
        )
        raise ValuesChangedError(
            "the values changed since the review opened: nothing was written, look again", found
        )
    for conflict in plan.conflicts:
        if conflict.winner != chosen.winners.get(conflict.field, conflict.winner):
            raise SettingsError(
                f"{conflict.field} syncs one way only: keep {conflict.winner}, or publish another"
                " mapping"
            )


def rules_with_decision(
    rules: Iterable[FieldRule], chosen: Mapping[FieldName, Side]
) -> tuple[FieldRule, ...]:
    """Apply a decision to the rules: whose value wins, only for the chosen fields."""
    return tuple(
        rule.model_copy(update={"conflict": ConflictRule(side)})
        if (side := chosen.get(rule.field))
        else rule
        for rule in rules
    )


def is_as_asked(asked: Iterable[Conflict], local: Values, remote: Values, region: str) -> bool:
    """Return whether both systems still have the values that the reviews showed."""
    return all(
        is_same(conflict.field, local.get(conflict.field), conflict.workspace, region)
        and is_same(conflict.field, remote.get(conflict.field), conflict.ghl, region)
        for conflict in asked
    )
