"""What people may enter about a contact."""

import pytest

from tests import make
from timerex_ghl.domain.contacts.contact_entry import (
    EntryError,
    FieldFault,
    check_tags,
    check_values,
)
from timerex_ghl.domain.shared.models import FieldName, Value

RULES = (make.rule("custom.likes", "customFields.f1"),)


def check(field: str, value: Value) -> Value:
    return check_values({FieldName(field): value}, RULES)[FieldName(field)]


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("first_name", "  陸 ", "陸"),
        ("first_name", "か\u3099", "が"),
        ("email", "Riku+x@Hinode.example", "Riku+x@Hinode.example"),
        ("email", "riku..s.@docomo.example", "riku..s.@docomo.example"),
        ("phone", "０９０ー１２３４ー５６７８", "０９０ー１２３４ー５６７８"),
        ("phone", "ext. 12", "ext. 12"),
        ("status", "customer", "customer"),
        ("city", " ", None),
        ("city", None, None),
        ("address", "1-2-3\nAoba", "1-2-3\nAoba"),
        ("custom.likes", ("tea", " ", "go"), ("tea", "go")),
        ("custom.likes", "tea", "tea"),
    ],
)
def test_a_value_is_kept_as_typed(field: str, typed: Value, kept: Value) -> None:
    assert check(field, typed) == kept


@pytest.mark.parametrize(
    ("field", "typed", "fault"),
    [
        ("emial", "a@b.example", "is not a field: use first_name, "),
        ("custom.unmapped", "x", "is not a field of this connection: add it to its field mapping"),
        ("email", "riku", "is not an e-mail address"),
        ("email", "a@b@c.example", "is not an e-mail address"),
        ("phone", "none", "is not a phone number"),
        ("status", "vip", "is not one of lead, active, customer, former"),
        ("city", "x" * 1_001, "is longer than 1000 characters"),
        ("city", "Aoba\0", "has a character that cannot be shown"),
        ("city", "\ud800", "has a character that cannot be shown"),
        ("city", ("Aoba", "Sendai"), "must be one text, not a list"),
        ("custom.likes", tuple("x" * 101), "has more than 100 choices"),
        ("custom.likes", ("tea", "\x1b"), "has a character that cannot be shown"),
        ("custom.likes", "x" * 10_001, "is longer than 10000 characters"),
    ],
)
def test_what_cannot_be_taken_is_named_by_field_and_never_repeated(
    field: str, typed: Value, fault: str
) -> None:
    with pytest.raises(EntryError) as refused:
        check(field, typed)

    (found,) = refused.value.faults
    assert found.field == field
    assert found.message.startswith(fault)
    assert not isinstance(typed, str) or len(typed) < 4 or typed not in str(refused.value)


def test_all_faults_are_reported_at_once() -> None:
    given: dict[FieldName, Value] = {
        FieldName("email"): "riku",
        FieldName("city"): "Aoba",
        FieldName("phone"): "none",
    }

    with pytest.raises(EntryError) as refused:
        check_values(given, RULES)

    assert [fault.field for fault in refused.value.faults] == ["email", "phone"]


def test_tags_are_kept_as_the_crm_keeps_them() -> None:
    assert check_tags([" VIP  Guest ", "vip guest", "予約"]) == {"vip guest", "予約"}


@pytest.mark.parametrize("tags", [[""], ["x" * 101], ["\0"], [f"tag {n}" for n in range(101)]])
def test_tags_that_cannot_be_taken_are_refused(tags: list[str]) -> None:
    with pytest.raises(EntryError) as refused:
        check_tags(tags, "tags_added")

    assert {fault.field for fault in refused.value.faults} == {"tags_added"}
    assert isinstance(refused.value.faults[0], FieldFault)
