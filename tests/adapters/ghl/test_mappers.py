"""GHL's recorded answers are mapped, with null, absent and unknown keys everywhere."""

from datetime import UTC, datetime
from typing import Any

import pytest

from timerex_ghl.adapters.ghl.mappers import (
    FIELDS,
    contact_from_get,
    contact_from_search,
    contact_from_webhook,
    location_from,
    note_from,
    plain_text,
    time_of,
)
from timerex_ghl.domain.shared.models import GhlContact, GhlContactId, GhlField, Value

AT = datetime(2026, 2, 3, 5, tzinfo=UTC)
GOT = {
    "id": "riku1",
    "locationId": "locAoba",
    "firstName": "Riku",
    "firstNameLowerCase": "riku",
    "email": "Riku@hinode.example",
    "address1": "1-1 Aoba",
    "dateOfBirth": "1990-05-01T00:00:00.000Z",
    "tags": ["VIP", " booked "],
    "customFields": [{"id": "f1", "value": "ten"}],
    "dateAdded": "2026-02-03T05:00:00.000Z",
    "dateUpdated": "2026-02-03T14:00:00+09:00",
    "createdBy": {"source": "INTEGRATION"},
    "dnd": False,
}
SEARCHED = {
    **dict.fromkeys((*FIELDS, "businessName", "phoneLabel", "validEmail")),
    "id": "riku1",
    "locationId": "locAoba",
    "firstName": "Riku",
    "contactName": "riku sato",
    "email": "Riku@hinode.example",
    "address": "1-1 Aoba",
    "dateOfBirth": 641520000000,
    "tags": ["vip", "booked"],
    "customFields": [{"id": "f1", "value": "ten"}],
    "dateAdded": 1770094800000,
    "dateUpdated": 1770094800000,
    "opportunities": [],
    "searchAfter": [1770094800000, "riku1"],
}
SEARCHED.pop("address1")


def value_of(contact: GhlContact, name: str) -> Value:
    return contact.values[GhlField(name)]


def test_a_search_and_a_get_of_one_contact_read_the_same() -> None:
    assert contact_from_search(SEARCHED) == contact_from_get(GOT)


def test_what_a_get_leaves_out_is_known_to_be_empty() -> None:
    contact = contact_from_get({"id": "riku1"})

    assert set(FIELDS) == contact.values.keys()
    assert set(contact.values.values()) == {None}


def test_what_a_webhook_leaves_out_is_unknown() -> None:
    contact = contact_from_webhook(
        {"type": "ContactUpdate", "id": "riku1", "city": "Sendai", "state": None, "phone": ""}
    )

    assert value_of(contact, "city") == "Sendai"
    assert value_of(contact, "state") is None
    assert value_of(contact, "phone") is None
    assert "email" not in contact.values
    assert contact.tags is None


def test_names_keep_their_case() -> None:
    assert value_of(contact_from_search(SEARCHED), "firstName") == "Riku"
    assert value_of(contact_from_get(GOT), "firstName") == "Riku"


def test_tags_are_lower_case() -> None:
    assert contact_from_get(GOT).tags == {"vip", "booked"}


@pytest.mark.parametrize("read", [contact_from_search, contact_from_webhook])
def test_absent_tags_are_unknown_and_null_ones_are_none_at_all(read: Any) -> None:
    assert read({"id": "riku1"}).tags is None
    assert read({"id": "riku1", "tags": None}).tags == frozenset()


def test_times_are_utc_however_they_are_written() -> None:
    contact = contact_from_get(GOT)

    assert (contact.created_at, contact.updated_at) == (AT, AT)
    assert contact.updated_at is not None
    assert contact.updated_at.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [1770094800000, 1770094800000.0, "2026-02-03T05:00:00.000Z", "2026-02-03T05:00:00"],
)
def test_a_time_is_iso_or_milliseconds(value: object) -> None:
    assert time_of(value) == AT


@pytest.mark.parametrize("value", [None, "", "soon", {}, 10**30, float("nan"), float("inf")])
def test_what_is_no_time_is_unknown_and_stops_nothing(value: object) -> None:
    assert time_of(value) is None


@pytest.mark.parametrize("born", ["1950-05-01", "1950-05-01T00:00:00.000Z", -620784000000])
def test_a_birthday_is_a_date_however_it_is_written(born: object) -> None:
    contact = contact_from_search({"id": "riku1", "dateOfBirth": born})

    assert value_of(contact, "dateOfBirth") == "1950-05-01"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("ten", "ten"),
        (10, "10"),
        (10.0, "10"),
        (10.5, "10.5"),
        (0, "0"),
        (["a", "b"], ("a", "b")),
        ([1, 2.5], ("1", "2.5")),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_a_custom_field_is_text_or_several(value: object, read: Value) -> None:
    contact = contact_from_get({"id": "riku1", "customFields": [{"id": "f1", "value": value}]})

    assert value_of(contact, "customFields.f1") == read


@pytest.mark.parametrize("read", [contact_from_get, contact_from_search, contact_from_webhook])
def test_null_custom_fields_are_none(read: Any) -> None:
    contact = read({"id": "riku1", "customFields": None})

    assert not any(name.startswith("customFields") for name in contact.values)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Tea &amp; talk", "Tea & talk"),
        ("&lt;b&gt; &amp;lt;", "<b> &lt;"),
        ("<p>One</p><p>Two<br>Three</p>", "One\nTwo\nThree"),
        ("<h2>One</h2><ul><li>Two</li></ul>", "One\nTwo"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("plain\ntext", "plain\ntext"),
        ("", ""),
    ],
)
def test_a_notes_markup_is_taken_out(markup: str, text: str) -> None:
    assert plain_text(markup) == text


def test_a_note_is_read_from_what_was_written_not_from_ghls_plain_form() -> None:
    note = note_from(
        {"id": "note1", "body": "&amp;lt;", "bodyText": "&lt;", "userId": None},
        GhlContactId("riku1"),
    )

    assert note.text == "&lt;"


def test_a_note_without_a_body_is_ghls_plain_form() -> None:
    note = note_from({"id": "note1", "bodyText": "Tea"}, GhlContactId("riku1"))

    assert (note.text, note.created_at) == ("Tea", None)


def test_a_location_needs_nothing_but_its_id() -> None:
    location = location_from({"id": "locAoba", "country": "", "settings": None})

    assert (location.name, location.country, location.timezone) == ("", None, None)
    assert not location.allows_duplicates
