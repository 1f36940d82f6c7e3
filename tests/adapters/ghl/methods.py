"""Cases of every client method: its request, and the parsed answer."""

from datetime import UTC, datetime

from tests.adapters.ghl.case import MethodCase, values
from tests.adapters.ghl.line import NOTE, RIKU
from tests.adapters.ghl.methods_activity import LIST_CASES, TASK_CASES
from tests.adapters.ghl.methods_calendars import CALENDAR_CASES
from timerex_ghl.domain.contacts.mapping import GHL_FIELDS

CONTACT = {"id": "riku1", "locationId": "locAoba", "firstName": "Riku", "tags": ["VIP"]}
SHOWN_NOTE = {"id": "note1", "body": "Tea &amp; talk", "dateAdded": "2026-02-03T05:00:00.000Z"}
EVERY_FIELD = {field: f"a {field}" for field, use in GHL_FIELDS.items() if use != "read"}
UPDATABLE = {field: f"a {field}" for field, use in GHL_FIELDS.items() if use == "update"}

CASES = {
    "get_location": MethodCase(
        lambda ghl: ghl.get_location(),
        "GET",
        "/locations/locAoba",
        {"location": {"id": "locAoba", "country": "JP", "settings": {"allowDuplicateContact": 1}}},
        lambda found: (found.country, found.timezone, found.allows_duplicates),
        ("JP", None, True),
    ),
    "list_custom_fields": MethodCase(
        lambda ghl: ghl.list_custom_fields(),
        "GET",
        "/locations/locAoba/customFields",
        {"customFields": [{"id": "f1", "fieldKey": "contact.size", "name": "Size"}]},
        lambda found: [(one.id, one.key, one.name, one.data_type) for one in found],
        [("f1", "contact.size", "Size", "")],
        query={"model": "contact"},
    ),
    "get_contact": MethodCase(
        lambda ghl: ghl.get_contact(RIKU),
        "GET",
        "/contacts/riku1",
        {"contact": CONTACT},
        lambda found: (found.id, found.values["firstName"], found.tags),
        ("riku1", "Riku", frozenset({"vip"})),
    ),
    "create_contact": MethodCase(
        lambda ghl: ghl.create_contact(
            values(firstName="Riku", **{"customFields.f1": ("a", "b"), "customFields.f2": None})
        ),
        "POST",
        "/contacts/",
        {"contact": {**CONTACT, "lastUpdatedBy": {"source": "INTEGRATION"}}},
        lambda found: (found.id, found.values["lastName"]),
        ("riku1", None),
        body={
            "locationId": "locAoba",
            "firstName": "Riku",
            "customFields": [
                {"id": "f1", "field_value": ["a", "b"]},
                {"id": "f2", "field_value": None},
            ],
        },
    ),
    "create_contact, with all there is": MethodCase(
        lambda ghl: ghl.create_contact(values(**EVERY_FIELD)),
        "POST",
        "/contacts/",
        {"contact": CONTACT},
        lambda found: found.id,
        "riku1",
        body={"locationId": "locAoba", **EVERY_FIELD},
    ),
    "update_contact, with all there is": MethodCase(
        lambda ghl: ghl.update_contact(RIKU, values(**UPDATABLE)),
        "PUT",
        "/contacts/riku1",
        {"contact": CONTACT},
        lambda found: found.id,
        "riku1",
        body=UPDATABLE,
    ),
    "update_contact": MethodCase(
        lambda ghl: ghl.update_contact(RIKU, values(city=None)),
        "PUT",
        "/contacts/riku1",
        {"succeded": True, "contact": CONTACT},
        lambda found: (found.id, found.values["city"]),
        ("riku1", None),
        body={"city": None},
    ),
    "delete_contact": MethodCase(
        lambda ghl: ghl.delete_contact(RIKU),
        "DELETE",
        "/contacts/riku1",
        {"succeded": True},
        lambda _: None,
        None,
    ),
    "search_contacts": MethodCase(
        lambda ghl: ghl.search_contacts(
            updated_since=datetime(2026, 2, 3, 5, tzinfo=UTC), after=(1770000000000, "aki1")
        ),
        "POST",
        "/contacts/search",
        {"contacts": [{**CONTACT, "searchAfter": [1770000000001, "riku1"]}], "total": 9},
        lambda page: ([one.id for one in page.contacts], page.after, page.total),
        (["riku1"], (1770000000001, "riku1"), 9),
        body={
            "locationId": "locAoba",
            "pageLimit": 500,
            "sort": [{"field": "dateUpdated", "direction": "asc"}],
            "filters": [
                {
                    "field": "dateUpdated",
                    "operator": "range",
                    "value": {"gte": "2026-02-03T05:00:00.000000Z"},
                }
            ],
            "searchAfter": [1770000000000, "aki1"],
        },
    ),
    "find_duplicate by e-mail": MethodCase(
        lambda ghl: ghl.find_duplicate(email="riku+1@hinode.example"),
        "GET",
        "/contacts/search/duplicate",
        {"contact": CONTACT, "matchingField": "email"},
        lambda found: found.id,
        "riku1",
        query={"locationId": "locAoba", "email": "riku+1@hinode.example"},
    ),
    "find_duplicate by phone, no match": MethodCase(
        lambda ghl: ghl.find_duplicate(phone="+81312345678"),
        "GET",
        "/contacts/search/duplicate",
        {"contact": None},
        lambda found: found,
        None,
        query={"locationId": "locAoba", "number": "+81312345678"},
    ),
    "add_tags": MethodCase(
        lambda ghl: ghl.add_tags(RIKU, {"vip", "booked"}),
        "POST",
        "/contacts/riku1/tags",
        {"tags": ["VIP", "booked"], "tagsAdded": []},
        lambda tags: tags,
        frozenset({"vip", "booked"}),
        body={"tags": ["booked", "vip"]},
    ),
    "remove_tags": MethodCase(
        lambda ghl: ghl.remove_tags(RIKU, {"vip"}),
        "DELETE",
        "/contacts/riku1/tags",
        {"tags": ["booked"], "tagsRemoved": ["vip"]},
        lambda tags: tags,
        frozenset({"booked"}),
        body={"tags": ["vip"]},
    ),
    "list_notes": MethodCase(
        lambda ghl: ghl.list_notes(RIKU),
        "GET",
        "/contacts/riku1/notes",
        {"notes": [SHOWN_NOTE]},
        lambda notes: [(note.id, note.contact_id, note.text) for note in notes],
        [("note1", "riku1", "Tea & talk")],
    ),
    "get_note": MethodCase(
        lambda ghl: ghl.get_note(RIKU, NOTE),
        "GET",
        "/contacts/riku1/notes/note1",
        {"note": SHOWN_NOTE},
        lambda note: note.created_at,
        datetime(2026, 2, 3, 5, tzinfo=UTC),
    ),
    "create_note": MethodCase(
        lambda ghl: ghl.create_note(RIKU, 'Tea & <b>"talk"</b>'),
        "POST",
        "/contacts/riku1/notes",
        {"note": SHOWN_NOTE},
        lambda note: note.id,
        "note1",
        body={"body": 'Tea &amp; &lt;b&gt;"talk"&lt;/b&gt;'},
    ),
    "update_note": MethodCase(
        lambda ghl: ghl.update_note(RIKU, NOTE, "Tea & talk"),
        "PUT",
        "/contacts/riku1/notes/note1",
        {"note": SHOWN_NOTE},
        lambda note: note.text,
        "Tea & talk",
        body={"body": "Tea &amp; talk"},
    ),
    "delete_note": MethodCase(
        lambda ghl: ghl.delete_note(RIKU, NOTE),
        "DELETE",
        "/contacts/riku1/notes/note1",
        {"succeded": True},
        lambda _: None,
        None,
    ),
    **TASK_CASES,
    **CALENDAR_CASES,
    **LIST_CASES,
}
