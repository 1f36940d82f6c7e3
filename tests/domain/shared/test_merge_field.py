"""The complete decision table of `merge_field`.

Rows: the workspace's value. Columns: GHL's. ?: not received, a b c: three values, A: a in another
spelling, x: a value that the other side may not get.
Cells: = both agree, > the workspace's value goes to GHL, < GHL's goes to the workspace,
! both changed it differently, . nothing is written and the base stays.
"""

from collections.abc import Iterator

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
          ? a A b x
        a . = = < .
        A . = = < .
        b . > > = >
        c . > > ! >
        x . . . < =
    """,
    "?": """
          ? a A b x
        a . = = ! >
        A . = = ! >
        b . ! ! = >
        c . ! ! ! >
        x . < < < =
    """,
}
SIGNS = {"workspace": ">", "ghl": "<", "both": "=", None: "."}


def read_cells() -> Iterator[Cell]:
    for base, table in TABLES.items():
        header, *rows = (line.split() for line in table.strip().splitlines())
        for workspace, *signs in rows:
            for ghl, sign in zip(header, signs, strict=True):
                yield workspace, value_of(ghl), value_of(base), sign


def value_of(letter: str) -> str | Unknown:
    return UNKNOWN if letter == "?" else letter


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
    return value != "x"


def merge_one(values: list[str | Unknown], how: FieldPolicy[str]) -> FieldVerdict[str]:
    workspace, ghl, base = values
    assert workspace is not UNKNOWN
    return merge_field(workspace, ghl, base, how)


def sign_of(verdict: FieldVerdict[str]) -> str:
    waits = verdict.conflict is not None and verdict.conflict.winner is None
    return "!" if waits else SIGNS[verdict.winner]


@pytest.mark.parametrize(("workspace", "ghl", "base", "sign"), [*read_cells()])
def test_each_side_is_compared_with_the_base(
    workspace: str, ghl: str | Unknown, base: str | Unknown, sign: str
) -> None:
    verdict = merge_field(workspace, ghl, base, policy())

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

    assert sign_of(verdict) == instead.get(sign, sign)
    assert (verdict.conflict is not None) == (sign == "!")


@pytest.mark.parametrize("cell", [*read_cells()])
def test_a_field_that_no_side_may_get_stays(cell: Cell) -> None:
    *values, _ = cell

    assert merge_one(values, policy(to_ghl=False, to_workspace=False)) == FieldVerdict()


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
