from datetime import timedelta

import pytest

from tests import make
from timerex_ghl.domain.contacts.contact_merge import (
    MergedContact,
    apply_change,
    merge_contacts,
    merge_tags,
)
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.merge_field import Side
from timerex_ghl.domain.shared.models import ConflictRule, Contact, FieldName

RULES = [make.rule("city"), make.rule("state")]
LATER = make.NOW + timedelta(minutes=1)
CITY = FieldName("city")


def merge(workspace: Contact, ghl: Contact, base: Contact | None) -> MergedContact:
    return merge_contacts(workspace, ghl, base, RULES, "JP")


def tags(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(text.split())


def in_words(names: frozenset[str]) -> str:
    return " ".join(sorted(names))


@pytest.mark.parametrize(
    ("local", "remote", "base", "to_workspace", "to_ghl", "agreed"),
    [
        # no base: both get everything
        ("a", "b", None, ("b", ""), ("a", ""), "a b"),
        ("", "a", None, ("a", ""), ("", ""), "a"),
        ("a", "", None, ("", ""), ("a", ""), "a"),
        # one side adds, one side removes
        ("a", "a b", "a", ("b", ""), ("", ""), "a b"),
        ("a b", "a", "a", ("", ""), ("b", ""), "a b"),
        ("a", "a b", "a b", ("", ""), ("", "b"), "a"),
        ("a b", "a", "a b", ("", "b"), ("", ""), "a"),
        # both at once
        ("a b", "a c", "a", ("c", ""), ("b", ""), "a b c"),
        ("", "", "a", ("", ""), ("", ""), ""),
        ("b", "a c", "a b c", ("", "b"), ("", "a c"), ""),
        ("a b", "b", "a", ("", "a"), ("", ""), "b"),
        # not received: untouched
        (None, "a", "b", ("", ""), ("", ""), "b"),
        ("a", None, "b", ("", ""), ("", ""), "b"),
        (None, None, None, ("", ""), ("", ""), None),
        ("a", None, None, ("", ""), ("", ""), None),
        # spelling
        ("VIP", "vip", "vip", ("", ""), ("", ""), "vip"),
        ("", "VIP", "vip", ("", ""), ("", "VIP"), ""),
    ],
)
def test_tags_travel_one_by_one(
    local: str | None,
    remote: str | None,
    base: str | None,
    to_workspace: tuple[str, str],
    to_ghl: tuple[str, str],
    agreed: str | None,
) -> None:
    merged = merge_tags(tags(local), tags(remote), tags(base))

    assert tuple(map(in_words, merged.to_workspace)) == to_workspace
    assert tuple(map(in_words, merged.to_ghl)) == to_ghl
    assert merged.base == tags(agreed)


def test_edits_of_different_fields_are_merged() -> None:
    base = make.contact({"city": "大阪", "state": "大阪府"})
    local = make.contact({"city": "堺", "state": "大阪府"})
    remote = make.contact({"city": "大阪", "state": "Osaka"})

    merged = merge(local, remote, base)

    assert merged.values_to_ghl == {"city": "堺"}
    assert merged.to_workspace.values == {"state": "Osaka"}
    assert merged.base.values == {"city": "堺", "state": "Osaka"}
    assert merged.conflicts == ()


@pytest.mark.parametrize("winner", ["ghl", "workspace", None])
def test_the_newest_value_stands_only_where_it_is_known(winner: Side | None) -> None:
    local, remote = make.contact({"city": "堺"}), make.contact({"city": "神戸"}, updated_at=LATER)
    newer: dict[FieldName, Side] = {CITY: winner} if winner else {}

    merged = merge_contacts(local, remote, make.contact({"city": "大阪"}), RULES, "JP", newer=newer)

    assert [conflict.winner for conflict in merged.conflicts] == [winner]
    assert merged.base.values[CITY] == {"ghl": "神戸", "workspace": "堺", None: "大阪"}[winner]


def test_a_conflict_that_waits_writes_nothing_and_is_still_there_next_time() -> None:
    rules = [make.rule("city", conflict=ConflictRule.ASK)]
    local, remote = make.contact({"city": "堺"}), make.contact({"city": "神戸"})

    first = merge_contacts(local, remote, None, rules, "JP")
    second = merge_contacts(local, remote, first.base, rules, "JP")

    assert first == second
    assert CITY not in first.base.values
    assert not first.values_to_ghl
    assert not first.to_workspace


def test_resolving_a_conflict_by_hand_ends_it() -> None:
    rules = [make.rule("city", conflict=ConflictRule.ASK)]
    base = make.contact({"city": "大阪"})

    merged = merge_contacts(
        make.contact({"city": "神戸"}), make.contact({"city": "神戸"}), base, rules, "JP"
    )

    assert merged.conflicts == ()
    assert merged.base.values == {"city": "神戸"}


def test_a_change_is_applied_to_values_and_tags() -> None:
    change = WorkspaceChange(
        values={CITY: "堺"}, tags_added=frozenset({"new"}), tags_removed=frozenset({"old"})
    )

    changed = apply_change(make.contact({"state": "大阪府"}, tags=["old", "vip"]), change)

    assert changed.values == {"state": "大阪府", "city": "堺"}
    assert changed.tags == {"vip", "new"}


def test_tags_nobody_received_stay_unknown_unless_some_are_added() -> None:
    unknown = make.contact(tags=None)

    assert apply_change(unknown, WorkspaceChange()).tags is None
    assert apply_change(unknown, WorkspaceChange(tags_added=frozenset({"a"}))).tags == {"a"}
