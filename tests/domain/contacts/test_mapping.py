import pytest

from tests import make
from timerex_ghl.domain.connections.rule_check import check_rules
from timerex_ghl.domain.contacts.mapping import DEFAULT_RULES, GHL_FIELDS, map_from_ghl, map_to_ghl
from timerex_ghl.domain.shared.models import (
    STANDARD_FIELDS,
    Direction,
    FieldName,
    FieldRule,
    GhlField,
    Value,
)

SIZE = make.rule("custom.size", "customFields.f1")


def to_ghl(values: dict[str, Value], *, creating: bool) -> dict[GhlField, Value]:
    named = {FieldName(field): value for field, value in values.items()}
    return map_to_ghl(named, DEFAULT_RULES, creating=creating)


def test_the_default_rules_cover_every_standard_field_without_a_fault() -> None:
    assert tuple(rule.field for rule in DEFAULT_RULES) == STANDARD_FIELDS
    assert check_rules(DEFAULT_RULES, []) == []


def test_what_ghl_answers_is_reported_in_our_words() -> None:
    remote = make.ghl_contact({"firstName": " 陸 ", "postalCode": "", "gender": "m"}, tags=["vip"])

    local = map_from_ghl(remote, DEFAULT_RULES)

    assert local.values == {"first_name": "陸", "postal_code": None}
    assert local.tags == {"vip"}
    assert local.updated_at == make.NOW


def test_a_custom_field_that_is_not_listed_is_empty_and_a_standard_one_unknown() -> None:
    local = map_from_ghl(make.ghl_contact({}), [SIZE, make.rule("city")])

    assert local.values == {"custom.size": None}


def test_tags_that_were_not_received_stay_unknown() -> None:
    assert map_from_ghl(make.ghl_contact(tags=None), DEFAULT_RULES).tags is None


def test_a_field_that_is_off_is_not_read() -> None:
    off = make.rule("status", "type", direction=Direction.OFF)

    assert map_from_ghl(make.ghl_contact({"type": "lead"}), [off]).values == {}


def test_only_a_new_contact_gets_the_fields_ghl_takes_once() -> None:
    values: dict[str, Value] = {"city": "大阪", "company": "Hinode Foods", "source": "TimeRex"}

    assert to_ghl(values, creating=False) == {"city": "大阪"}
    assert to_ghl(values, creating=True) == {
        "companyName": "Hinode Foods",
        "city": "大阪",
        "source": "TimeRex",
    }


def test_an_emptied_field_travels_in_an_update_and_not_in_a_creation() -> None:
    assert to_ghl({"city": None}, creating=False) == {"city": None}
    assert to_ghl({"city": None}, creating=True) == {}


@pytest.mark.parametrize("direction", [Direction.TO_WORKSPACE, Direction.OFF])
def test_a_field_that_does_not_go_to_ghl_is_never_sent(direction: Direction) -> None:
    rule = make.rule("city", direction=direction)

    for creating in (True, False):
        assert map_to_ghl({FieldName("city"): "大阪"}, [rule], creating=creating) == {}


def test_tags_and_location_are_no_fields() -> None:
    assert not {"tags", "locationId"} & GHL_FIELDS.keys()


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (make.rule("citty", "city"), "citty: no such field here; enter city, or custom."),
        (make.rule("custom.", "city"), "custom.: no such field here; "),
        (make.rule("custom.a b", "city"), "custom.a b: no such field here; "),
        (make.rule("city", "Firstname"), "GHL has no field 'Firstname'; enter firstName"),
        (make.rule("city", "zzz"), "GHL has no field 'zzz'; enter one of firstName, "),
        (make.rule("city", "tags"), "tags cannot be mapped: tags are always synced"),
        (make.rule("city", "locationId"), "the location comes from the connection"),
        (make.rule("city", "name"), "enter firstName and lastName instead"),
        (make.rule("city", "customFields.f3"), "no custom field 'f3'; enter one of f1, f2"),
        (make.rule("city", "customFields."), "no custom field ''; enter one of f1, f2"),
        (make.rule("company", "companyName"), "enter create_only: true"),
        (make.rule("status", "type"), "enter direction to-workspace"),
        (
            make.rule("city", direction=Direction.TO_WORKSPACE, create_only=True),
            "create_only has no effect with to-workspace; leave it out",
        ),
        (make.rule("city", answer_label=" "), "the answer label is blank"),
    ],
)
def test_a_wrong_rule_is_named_with_what_to_enter_instead(rule: FieldRule, fault: str) -> None:
    faults = check_rules([rule], ["f1", "f2"])

    assert len(faults) == 1
    assert fault in faults[0]
    assert "\n" not in faults[0]


def test_a_location_without_custom_fields_says_so() -> None:
    assert check_rules([SIZE], []) == [
        "custom.size: the location has no custom field 'f1'; enter another field"
    ]


def test_the_closest_custom_fields_are_named_and_never_a_whole_page_of_them() -> None:
    rule = make.rule("city", "customFields.abcdef2")

    assert check_rules([rule], ["abcdef1", "zzz"])[0].endswith("; enter abcdef1")
    assert len(check_rules([rule], [f"{n:020}" for n in range(500)])[0]) < 600


@pytest.mark.parametrize(
    "rule",
    [
        SIZE,
        make.rule("company", "companyName", create_only=True),
        make.rule("company", "companyName", direction=Direction.TO_WORKSPACE),
        make.rule("status", "type", direction=Direction.TO_WORKSPACE),
        make.rule("status", "type", direction=Direction.OFF),
        make.rule("custom.規模", "city", answer_label="規模"),
    ],
)
def test_a_right_rule_has_no_fault(rule: FieldRule) -> None:
    assert check_rules([rule], ["f1"]) == []


def test_a_field_is_mapped_once_on_either_side() -> None:
    rules = [make.rule("city"), make.rule("city", "state"), make.rule("state")]

    assert check_rules(rules, []) == [
        "city: mapped 2 times; keep one of the rules",
        "state: city, state are all mapped to it; keep one of them",
    ]


def test_a_rule_that_is_off_takes_no_field_from_another() -> None:
    rules = [make.rule("city"), make.rule("state", "city", direction=Direction.OFF)]

    assert check_rules(rules, []) == []
