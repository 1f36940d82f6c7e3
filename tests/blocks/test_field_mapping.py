"""The mapping's drafts become the rules of the engine."""

from typing import Any

import pytest

from tests.blocks.drafts import draft, mapping
from timerex_ghl.domain.connections.rule_check import check_rules
from timerex_ghl.domain.contacts.mapping import DEFAULT_RULES
from timerex_ghl.domain.shared.models import ConflictRule, Direction, FieldRule


def rules_with(*rules: dict[str, Any]) -> dict[str, FieldRule]:
    return {rule.field: rule for rule in draft(mapping=mapping(*rules)).rules()}


def test_without_a_mapping_the_standard_fields_travel() -> None:
    assert draft().rules() == DEFAULT_RULES


def test_a_rule_replaces_the_standard_one_of_its_field() -> None:
    rules = rules_with({"field": " phone ", "ghl": "phone", "direction": "to-ghl"})

    assert rules["phone"].direction is Direction.TO_GHL
    assert len(rules) == len(DEFAULT_RULES)


def test_a_field_of_ones_own_is_added() -> None:
    rule = {
        "field": "custom.size", "ghl": "customFields.Ab12", "conflict": "ask",
        "empty_wipes": True, "answer_label": "How many are you?",
    }  # fmt: skip

    assert rules_with(rule)["custom.size"] == FieldRule.model_validate(rule)


def test_an_emptied_answer_label_is_none() -> None:
    rules = rules_with({"field": "city", "ghl": "city", "answer_label": ""})

    assert rules["city"].answer_label is None
    assert rules["city"].conflict is ConflictRule.NEWEST


@pytest.mark.parametrize(
    ("field", "ghl", "direction", "create_only"),
    [
        ("company", "companyName", "both", True),
        ("company", " companyName ", "to-ghl", True),
        ("company", "companyName", "to-workspace", False),
        ("company", "companyName", "off", False),
        ("custom.gender", "gender", "both", True),
        ("city", "city", "both", False),
    ],
)
def test_what_ghl_takes_on_creation_only_is_known_and_can_be_published(
    field: str,
    ghl: str,
    direction: str,
    create_only: bool,  # noqa: FBT001  a parametrized value
) -> None:
    rules = rules_with({"field": field, "ghl": ghl, "direction": direction})

    assert rules[field].create_only is create_only
    assert check_rules([*rules.values()], ()) == []
