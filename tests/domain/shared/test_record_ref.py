"""References to records: every kind there and back as text, and what is refused."""

from typing import get_args

import pytest

from timerex_ghl.domain.shared.models import BookingId, ContactId, EventId, FieldName, GhlContactId
from timerex_ghl.domain.shared.record_ref import RecordKind, RecordRef

CITY = FieldName("city")

STORED = [
    (RecordRef.contact(ContactId("c_1")), "contact:c_1"),
    (RecordRef.contact(ContactId("c_1"), CITY), "contact:c_1:city"),
    (RecordRef.contact(ContactId("c_1"), FieldName("custom.a:b%")), "contact:c_1:custom.a:b%"),
    (RecordRef("note", "n_1"), "note:n_1"),
    (RecordRef("task", "t_1", field=FieldName("due_at")), "task:t_1:due_at"),
    (RecordRef.booking(BookingId("b1")), "booking:b1"),
    (RecordRef.event(EventId("e_1")), "event:e_1"),
    (RecordRef.ghl_contact(GhlContactId("g1")), "ghl:g1"),
    (RecordRef("ghl-note", "n1"), "ghl-note:n1"),
    (RecordRef("ghl-note", "n1", contact_id=GhlContactId("g1")), "ghl-note:g1:n1"),
    (RecordRef("ghl-task", "t1"), "ghl-task:t1"),
    (RecordRef("ghl-task", "t1", contact_id=GhlContactId("g1")), "ghl-task:g1:t1"),
    (RecordRef("ghl-appointment", "a1"), "ghl-appointment:a1"),
    (RecordRef("review", "r_1"), "review:r_1"),
    (RecordRef("deletes", "task:ghl"), "deletes:task:ghl"),
    (RecordRef("token", "k_1"), "token:k_1"),
    (RecordRef("connection", "aoba"), "connection:aoba"),
    (RecordRef("location"), "location"),
]


@pytest.mark.parametrize(("ref", "text"), STORED)
def test_a_reference_is_the_same_after_being_stored_as_text(ref: RecordRef, text: str) -> None:
    assert str(ref) == f"{ref}" == text
    assert RecordRef.parse(text) == ref


def test_every_kind_is_tested() -> None:
    assert {ref.kind for ref, _ in STORED} == {*get_args(RecordKind)}


@pytest.mark.parametrize("kind", [kind for kind in get_args(RecordKind) if kind != "location"])
@pytest.mark.parametrize("its_id", ["a:b", ":a", "a:", ":", "::", "%", "%3A", "a%253A:b", " é ☃"])
def test_an_id_of_any_characters_is_read_back(kind: RecordKind, its_id: str) -> None:
    assert RecordRef.parse(str(RecordRef(kind, its_id))) == RecordRef(kind, its_id)


@pytest.mark.parametrize("kind", ["ghl-note", "ghl-task"])
@pytest.mark.parametrize("part", ["a:b", ":", "%3A", "%"])
def test_a_contact_and_an_id_with_colons_stay_apart(kind: RecordKind, part: str) -> None:
    ref = RecordRef(kind, f"{part}1", contact_id=GhlContactId(f"2{part}"))
    assert RecordRef.parse(str(ref)) == ref


@pytest.mark.parametrize("its_id", ["a:b", ":", "%3A", "%"])
def test_an_id_with_colons_and_a_field_stay_apart(its_id: str) -> None:
    ref = RecordRef.contact(ContactId(its_id), FieldName("custom.x:y"))
    assert RecordRef.parse(str(ref)) == ref


@pytest.mark.parametrize(
    "text",
    ["", ":", "contact", "contact:", "Contact:c_1", "person:c_1", ":c_1", "c_1", " contact:c_1",
     "contact::city", "contact:c_1:", "ghl-note::n1", "ghl-note:g1:", "location:loc1"],
)  # fmt: skip
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid record: expected") as refused:
        RecordRef.parse(text)
    assert "c_1" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "its_id"), [("contact", ""), ("booking", ""), ("ghl-note", ""), ("location", "loc1")]
)
def test_a_reference_without_its_id_is_refused(kind: RecordKind, its_id: str) -> None:
    with pytest.raises(ValueError, match=f"invalid {kind}"):
        RecordRef(kind, its_id)


def test_only_our_own_records_have_fields_and_only_ghls_have_a_contact() -> None:
    with pytest.raises(ValueError, match="invalid ghl: it has no field"):
        RecordRef("ghl", "g1", field=CITY)
    with pytest.raises(ValueError, match="invalid note: it has no GHL contact"):
        RecordRef("note", "n_1", contact_id=GhlContactId("g1"))


def test_a_field_is_part_of_its_record() -> None:
    record = RecordRef("note", "n_1")
    field = record.of_field(FieldName("text"))

    assert str(field) == "note:n_1:text"
    assert field.record == record.record == record
    assert field != record


def test_the_ids_are_those_of_the_record_and_of_its_ghl_contact() -> None:
    assert RecordRef("ghl-note", "n1", contact_id=GhlContactId("g1")).ids == {"n1", "g1"}
    assert RecordRef.contact(ContactId("c_1"), CITY).ids == {"c_1"}
