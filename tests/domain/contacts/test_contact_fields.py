"""The complete decision table of a contact's field, under every rule it may have.

Rows: the workspace's value. Columns: GHL's. ?: not received, 0: empty, a b c: three values.
Cells: = both agree, > the workspace's value goes to GHL, < GHL's goes to the workspace,
! both changed it differently, . nothing is written and the base stays.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import pytest

from tests import make
from timerex_ghl.domain.contacts.contact_merge import merge_contacts
from timerex_ghl.domain.shared.actions import Conflict
from timerex_ghl.domain.shared.merge_field import UNKNOWN, Side, Unknown
from timerex_ghl.domain.shared.models import (
    ConflictRule,
    Contact,
    Direction,
    FieldName,
    FieldRule,
    Value,
)


class FieldViews(NamedTuple):
    """One field on each side, and in the base. UNKNOWN: the record does not have it."""

    workspace: Value | Unknown
    ghl: Value | Unknown
    base: Value | Unknown


class Merged(NamedTuple):
    """What the merge of a contact with one field did."""

    stands: Literal["workspace", "ghl", "both"] | None
    value: Value
    conflict: Conflict | None


Cell = tuple[FieldViews, str]

KEEPS_EMPTY = {
    "a": """
          ? 0 a b
        ? . . = <
        0 . = . <
        a . . = <
        b . > > =
        c . > > !
    """,
    "0": """
          ? 0 a b
        ? . = < <
        0 . = < <
        a . > = !
        b . > ! =
    """,
    "?": """
          ? 0 a b
        ? . = < <
        0 . = < <
        a . > = !
        b . > ! =
    """,
}
EMPTY_WIPES = {
    "a": """
          ? 0 a b
        ? . < = <
        0 . = > !
        a . < = <
        b . ! > =
        c . ! > !
    """,
    "0": KEEPS_EMPTY["0"],
    "?": KEEPS_EMPTY["?"],
}
SIGNS = {"workspace": ">", "ghl": "<", "both": "=", None: "."}


def value_of(letter: str) -> Value | Unknown:
    return {"?": UNKNOWN, "0": None}.get(letter, letter)


def read_cells(tables: dict[str, str]) -> Iterator[Cell]:
    for base, table in tables.items():
        header, *rows = (line.split() for line in table.strip().splitlines())
        for workspace, *signs in rows:
            for ghl, sign in zip(header, signs, strict=True):
                views = FieldViews(value_of(workspace), value_of(ghl), value_of(base))
                yield views, visible(sign, views)


def visible(sign: str, views: FieldViews) -> str:
    """Return "." for "=" where the base has that value already: nothing changes."""
    is_known = views.base is not UNKNOWN and views.base in {views.workspace, views.ghl}
    return "." if sign == "=" and is_known else sign


def merge(
    rule: FieldRule, views: FieldViews, newer: Side | None = None, *, creating: bool = False
) -> Merged:
    workspace, ghl, base = (contact_of(rule, value) for value in views)
    last: dict[FieldName, Side] = {} if newer is None else {rule.field: newer}

    merged = merge_contacts(workspace, ghl, base, [rule], "JP", creating=creating, newer=last)

    conflict = next(iter(merged.conflicts), None)
    if rule.field in merged.values_to_ghl:
        return Merged("workspace", merged.values_to_ghl[rule.field], conflict)
    if rule.field in merged.to_workspace.values:
        return Merged("ghl", merged.to_workspace.values[rule.field], conflict)
    if merged.base != base:
        return Merged("both", merged.base.values[rule.field], conflict)
    return Merged(None, None, conflict)


def contact_of(rule: FieldRule, value: Value | Unknown) -> Contact:
    return Contact(values={} if value is UNKNOWN else {rule.field: value})


def sign_of(merged: Merged) -> str:
    waits = merged.conflict is not None and merged.conflict.winner is None
    return "!" if waits else SIGNS[merged.stands]


@pytest.mark.parametrize(("views", "sign"), [*read_cells(KEEPS_EMPTY)])
def test_a_field_whose_empty_values_wipe_nothing(views: FieldViews, sign: str) -> None:
    verdict = merge(make.rule(conflict=ConflictRule.ASK), views)

    assert sign_of(verdict) == sign
    assert verdict.value == value_that_stands(views, sign)


@pytest.mark.parametrize(("views", "sign"), [*read_cells(EMPTY_WIPES)])
def test_a_field_whose_empty_values_wipe(views: FieldViews, sign: str) -> None:
    verdict = merge(make.rule(conflict=ConflictRule.ASK, empty_wipes=True), views)

    assert sign_of(verdict) == sign


def value_that_stands(views: FieldViews, sign: str) -> Value:
    stands = {"=": views.ghl, "<": views.ghl, ">": views.workspace}.get(sign)
    return None if stands is UNKNOWN else stands


@pytest.mark.parametrize(("views", "sign"), [*read_cells(KEEPS_EMPTY)])
@pytest.mark.parametrize(
    ("rule", "instead"),
    [
        (make.rule(direction=Direction.TO_GHL), {"<": ".", "!": ">"}),
        (make.rule(direction=Direction.TO_WORKSPACE), {">": ".", "!": "<"}),
        (make.rule(create_only=True), {">": ".", "!": "<"}),
        (make.rule(direction=Direction.OFF), dict.fromkeys("<>!=", ".")),
        (make.rule(direction=Direction.TO_GHL, create_only=True), dict.fromkeys("<>!=", ".")),
    ],
    ids=["to-ghl", "to-workspace", "create-only", "off", "create-only to-ghl"],
)
def test_a_one_way_field_writes_its_target_and_nothing_else(
    rule: FieldRule, instead: dict[str, str], views: FieldViews, sign: str
) -> None:
    verdict = merge(rule, views, "workspace" if ">" in instead else "ghl")

    assert sign_of(verdict) == instead.get(sign, sign)
    overwrites = sign == "!" and rule.direction is not Direction.OFF and instead["!"] != "."
    assert (verdict.conflict is not None) == overwrites


def test_a_create_only_field_travels_while_the_contact_is_made() -> None:
    views = FieldViews("Hinode Foods", None, UNKNOWN)

    assert merge(make.rule(create_only=True), views).stands is None
    assert merge(make.rule(create_only=True), views, creating=True).stands == "workspace"


@pytest.mark.parametrize(
    ("conflict", "newer", "winner"),
    [
        (ConflictRule.WORKSPACE, "ghl", "workspace"),
        (ConflictRule.WORKSPACE, None, "workspace"),
        (ConflictRule.GHL, "workspace", "ghl"),
        (ConflictRule.GHL, None, "ghl"),
        (ConflictRule.NEWEST, "workspace", "workspace"),
        (ConflictRule.NEWEST, "ghl", "ghl"),
        (ConflictRule.NEWEST, None, None),
        (ConflictRule.ASK, "workspace", None),
        (ConflictRule.ASK, "ghl", None),
        (ConflictRule.ASK, None, None),
    ],
)
@pytest.mark.parametrize("base", ["Kobe", None, UNKNOWN])
def test_the_rule_applies_a_conflict_and_a_row_is_kept_in_every_case(
    conflict: ConflictRule,
    newer: Side | None,
    winner: Literal["workspace", "ghl"] | None,
    base: Value | Unknown,
) -> None:
    verdict = merge(make.rule(conflict=conflict), FieldViews("Osaka", "Kyoto", base), newer)

    assert verdict.stands == winner
    assert verdict.conflict is not None
    kept = verdict.conflict
    assert (kept.workspace, kept.ghl, kept.winner) == ("Osaka", "Kyoto", winner)
    assert kept.base == (None if base is UNKNOWN else base)


@pytest.mark.parametrize("direction", [Direction.TO_GHL, Direction.TO_WORKSPACE])
def test_a_one_way_field_may_still_ask(direction: Direction) -> None:
    rule = make.rule(direction=direction, conflict=ConflictRule.ASK)

    verdict = merge(rule, FieldViews("Osaka", "Kyoto", "Kobe"), "ghl")

    assert verdict.stands is None
    assert verdict.conflict is not None


@pytest.mark.parametrize(
    ("workspace", "ghl", "base", "sign"),
    [
        ("Riku", "riku", "Riku", "="),  # some GHL lists lower-case names
        ("Riku", "riku", UNKNOWN, "="),
        ("Rikuto", "riku", "Riku", ">"),
        ("Rikuto", "rikuto", "Riku", "="),  # our own write, read back from such a list
        ("Riku", "riku", "riku", ">"),  # a person corrected it in the workspace
        ("riku", "Riku", "riku", "<"),  # or in GHL
        ("RIKU", "Riku", "RIKU", "<"),
    ],
)
def test_a_name_that_only_lost_its_capitals_was_not_edited(
    workspace: str, ghl: str, base: Value | Unknown, sign: str
) -> None:
    views = FieldViews(workspace, ghl, base)

    assert sign_of(merge(make.rule("first_name"), views)) == visible(sign, views)


def test_other_fields_may_lose_their_capitals() -> None:
    assert sign_of(merge(make.rule("city"), FieldViews("OSAKA", "osaka", "OSAKA"))) == "<"
