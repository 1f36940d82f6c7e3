"""The complete decision table of `merge_field`.

Rows: the workspace's value. Columns: GHL's. ?: not received, a b c: three values, A: a in another
spelling, x: a value that the other side may not get, -: an empty one that it may not get either.
Cells: = both agree, > the workspace's value goes to GHL, < GHL's goes to the workspace,
! both changed it differently, . nothing is written and the base stays.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from timerex_ghl.domain.shared.actions import Conflict
from timerex_ghl.domain.shared.merge_field import (
    UNKNOWN,
    FieldPolicy,
    FieldVerdict,
    Side,
    Unknown,
    merge_field,
    merge_fields,
)
from timerex_ghl.domain.shared.models import ConflictRule, FieldName

Cell = tuple[str | Unknown, str | Unknown, str | Unknown, str]
CITY = FieldName("city")
FIELDS = [FieldName(f"field {number}") for number in range(6)]
TABLES = {
    "a": """
          ? a A b x -
        a . = = < . .
        A . = = < . .
        b . > > = ! >
        c . > > ! ! >
        x . . . ! = .
        - . . . < . =
    """,
    "?": """
          ? a A b x -
        a . = = ! ! >
        A . = = ! ! >
        b . ! ! = ! >
        c . ! ! ! ! >
        x . ! ! ! = .
        - . < < < . =
    """,
}
SIGNS = {"workspace": ">", "ghl": "<", "both": "=", None: "."}


def read_cells() -> Iterator[Cell]:
    for base, table in TABLES.items():
        header, *rows = (line.split() for line in table.strip().splitlines())
        for workspace, *signs in rows:
            for ghl, sign in zip(header, signs, strict=True):
                yield value_of(workspace), value_of(ghl), value_of(base), sign


def value_of(letter: str) -> str | Unknown:
    return UNKNOWN if letter == "?" else "" if letter == "-" else letter


def policy(
    conflict: ConflictRule = ConflictRule.ASK,
    newer: Side | None = None,
    *,
    to_ghl: bool = True,
    to_workspace: bool = True,
) -> FieldPolicy[str]:
    return FieldPolicy(
        CITY, is_same_letter, conflict, newer, to_ghl, to_workspace, is_accepted, is_accepted
    )


def is_same_letter(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def is_accepted(value: str) -> bool:
    return value not in {"x", ""}


def merge_one(values: list[str | Unknown], how: FieldPolicy[str]) -> FieldVerdict[str]:
    workspace, ghl, base = values
    assert workspace is not UNKNOWN
    return merge_field(workspace, ghl, base, how)


def sign_of(verdict: FieldVerdict[str]) -> str:
    waits = verdict.conflict is not None and verdict.conflict.winner is None
    return "!" if waits else SIGNS[verdict.winner]


@pytest.mark.parametrize(("workspace", "ghl", "base", "sign"), [*read_cells()])
def test_each_side_is_compared_with_the_base(
    workspace: str | Unknown, ghl: str | Unknown, base: str | Unknown, sign: str
) -> None:
    verdict = merge_one([workspace, ghl, base], policy())

    assert sign_of(verdict) == sign
    assert verdict.base == {"=": workspace, ">": workspace, "<": ghl}.get(sign, UNKNOWN)
    assert (verdict.conflict is not None) == (sign == "!")


@pytest.mark.parametrize("cell", [*read_cells()])
@pytest.mark.parametrize(
    ("one_way", "instead"),
    [
        (policy(ConflictRule.NEWEST, to_workspace=False), {"<": ".", "!": ">"}),
        (policy(ConflictRule.NEWEST, to_ghl=False), {">": ".", "!": "<"}),
    ],
    ids=["to-ghl", "to-workspace"],
)
def test_a_one_way_field_writes_only_its_target_and_its_source_wins(
    one_way: FieldPolicy[str], instead: dict[str, str], cell: Cell
) -> None:
    *values, sign = cell

    verdict = merge_one(values, one_way)

    source = values[0] if one_way.to_ghl else values[1]
    wanted = "." if (sign, source) == ("!", "x") else instead.get(sign, sign)
    assert sign_of(verdict) == wanted
    assert (verdict.conflict is not None) == (sign == "!" and wanted != ".")


@pytest.mark.parametrize("cell", [*read_cells()])
def test_a_field_that_no_side_may_get_stays(cell: Cell) -> None:
    *values, _ = cell

    verdict = merge_one(values, policy(to_ghl=False, to_workspace=False))

    assert verdict == FieldVerdict(difference=verdict.difference)


@pytest.mark.parametrize("one_way", [policy(to_ghl=False), policy(to_workspace=False)])
def test_a_one_way_field_may_still_ask(one_way: FieldPolicy[str]) -> None:
    assert sign_of(merge_field("b", "c", "a", one_way)) == "!"


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
@pytest.mark.parametrize("base", ["a", UNKNOWN])
def test_the_policy_resolves_a_conflict_which_has_both_values(
    conflict: ConflictRule, newer: Side | None, winner: Side | None, base: str | Unknown
) -> None:
    verdict = merge_field("b", "c", base, policy(conflict, newer))

    assert verdict.winner == winner
    assert verdict.base == {"workspace": "b", "ghl": "c", None: UNKNOWN}[winner]
    assert verdict.conflict == Conflict(
        field=CITY,
        workspace="b",
        ghl="c",
        base=None if base is UNKNOWN else base,
        winner=winner,
    )


@pytest.mark.parametrize(("workspace", "ghl", "stays"), [("a", "", "a"), ("", "a", "a")])
@pytest.mark.parametrize("rule", [ConflictRule.WORKSPACE, ConflictRule.GHL, ConflictRule.ASK])
def test_an_empty_value_wipes_a_filled_one_only_where_they_agreed_before(
    workspace: str, ghl: str, stays: str, rule: ConflictRule
) -> None:
    how = FieldPolicy[str](CITY, is_same_letter, rule)

    assert merge_field(workspace, ghl, UNKNOWN, how) == FieldVerdict(
        "workspace" if workspace else "ghl", stays
    )
    assert merge_field(workspace, ghl, "a", how).base == ""


@pytest.mark.parametrize(
    ("values", "changes", "reason"),
    [
        (("", "a", "a"), {}, "emptied"),
        (("a", "", "a"), {}, "emptied"),
        (("x", "a", "a"), {"refusal": "unknown assignee"}, "unknown assignee"),
        (("x", "b", "a"), {"conflict": ConflictRule.WORKSPACE}, "refused"),
        (("x", "", "a"), {}, "refused"),
        (("b", "a", "a"), {"to_ghl": False}, "one-way"),
        (("b", "", "a"), {"to_ghl": False, "no_way_to_ghl": "create only"}, "create only"),
        (("a", "b", "a"), {"to_workspace": False}, "one-way"),
        (("b", "", UNKNOWN), {"to_ghl": False, "to_workspace": False}, "one-way"),
        (("", "b", UNKNOWN), {"to_ghl": False, "to_workspace": False}, None),
        (("b", "c", "a"), {}, None),
        (("b", "a", "a"), {}, None),
        (("b", UNKNOWN, "a"), {"to_ghl": False}, None),
        (("a", "a", "b"), {"to_ghl": False}, None),
    ],
)
def test_a_difference_that_stays_has_a_reason(
    values: tuple[str | Unknown, ...], changes: dict[str, Any], reason: str | None
) -> None:
    verdict = merge_one([*values], policy()._replace(**changes))

    assert verdict.difference == reason
    if reason is not None:
        assert verdict == FieldVerdict(difference=verdict.difference)


def test_the_fields_of_a_record_are_merged_one_by_one() -> None:
    policies = [policy(ConflictRule.GHL)._replace(field=field) for field in FIELDS]
    workspace = dict(zip(FIELDS, "bacbbb", strict=True))
    ghl = dict(zip(FIELDS, "abdbb", strict=False))
    base = dict(zip(FIELDS, "aaaa", strict=False))

    merged = merge_fields(workspace, ghl, base, policies)

    mine, their, both, same, new, _ = FIELDS
    assert merged.to_ghl == {mine: "b"}
    assert merged.to_workspace == {their: "b", both: "d"}
    assert merged.base == {mine: "b", their: "b", both: "d", same: "b", new: "b"}
    assert [conflict.field for conflict in merged.conflicts] == [both]
