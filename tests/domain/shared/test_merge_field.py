"""The complete decision table of one field.

Rows: the workspace's value. Columns: GHL's. ?: not received, 0: empty, a b c: three values.
Cells: = both agree, > the workspace's value goes to GHL, < GHL's goes to the workspace,
! both changed it differently, . nothing is written and the base stays.
"""

from collections.abc import Iterator
from typing import Literal

import pytest

from tests import make
from timerex_ghl.domain.shared.merge_field import (
    UNKNOWN,
    FieldVerdict,
    FieldViews,
    Side,
    Unknown,
    merge_field,
)
from timerex_ghl.domain.shared.models import ConflictRule, Direction, FieldRule, Value

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
                yield FieldViews(value_of(workspace), value_of(ghl), value_of(base)), sign


def merge(
    rule: FieldRule, views: FieldViews, newer: Side | None = None, *, creating: bool = False
) -> FieldVerdict:
    return merge_field(rule, views, newer, "JP", creating=creating)


def sign_of(verdict: FieldVerdict) -> str:
    waits = verdict.conflict is not None and verdict.conflict.winner is None
    return "!" if waits else SIGNS[verdict.stands]


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

    assert sign_of(merge(make.rule("first_name"), views)) == sign


def test_other_fields_may_lose_their_capitals() -> None:
    assert sign_of(merge(make.rule("city"), FieldViews("OSAKA", "osaka", "OSAKA"))) == "<"
