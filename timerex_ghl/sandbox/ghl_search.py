"""Finding contacts: search with filters and a cursor, the duplicate search, two older lists.

Source: POST /contacts/search, GET /contacts/search/duplicate, GET /contacts/ (deprecated),
GET /contacts/business/{businessId}; answers recorded in July 2026.
"""

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from timerex_ghl.sandbox import shapes
from timerex_ghl.sandbox.answers import Answer, RefusalError
from timerex_ghl.sandbox.checks import Check, anything, check_body, filled
from timerex_ghl.sandbox.contact_store import Contact
from timerex_ghl.sandbox.duplicates import holders
from timerex_ghl.sandbox.ghl_contacts import READ
from timerex_ghl.sandbox.operations import Call, Operation
from timerex_ghl.sandbox.search_filters import read_of, test_of
from timerex_ghl.sandbox.wire import Json, parse_ms

LONGEST_QUERY = 75
PAGES_END = 10_000
MOST_SORTS = 2
NUMBER = re.compile(r"[0-9]{1,15}")
DIRECTIONS = ("asc", "desc")
LARGEST_PAGE = 500


def page_limit(key: str, value: object) -> str | None:
    """Want a page size."""
    known = type(value) is int and 1 <= value <= LARGEST_PAGE
    return None if known else f"{key} must be a whole number from 1 to {LARGEST_PAGE}"


def page_number(key: str, value: object) -> str | None:
    """Want a page's number."""
    return None if type(value) is int and value >= 1 else f"{key} must be a whole number from 1"


def query_text(key: str, value: object) -> str | None:
    """Want a text that is not too long."""
    known = isinstance(value, str) and len(value) <= LONGEST_QUERY
    return None if known else f"{key} must be shorter than or equal to {LONGEST_QUERY} characters"


SEARCH: dict[str, Check] = {
    "locationId": filled,
    "pageLimit": page_limit,
    "page": page_number,
    "query": query_text,
    "searchAfter": anything,
    "filters": anything,
    "sort": anything,
}
SORTS = {
    "dateUpdated",
    "dateAdded",
    "firstNameLowerCase",
    "lastNameLowerCase",
    "email",
    "dnd",
    "source",
}


class Sort(NamedTuple):
    """One field to sort by."""

    field: str
    descending: bool


def search_contacts(call: Call) -> Answer:
    """Give one page. Either `page`, which ends at 10,000 records, or `searchAfter`."""
    body = call.body
    check_body(body, SEARCH, ["locationId", "pageLimit"])
    call.check_location(body["locationId"])
    sorts, limit = read_sorts(body.get("sort")), body["pageLimit"]
    found = found_contacts(call, body, sorts)
    begin = _begin(body, found, sorts)
    page = [
        shapes.searched(contact, cursor_of(contact, sorts))
        for contact in found[begin : begin + limit]
    ]
    return Answer({"contacts": page, "total": len(found)})


def found_contacts(call: Call, body: Json, sorts: list[Sort]) -> list[Contact]:
    """Filter and sort; remembered until a contact changes, so that page after page is quick."""
    contacts = call.ghl.contacts
    key = (contacts.version, repr((body.get("filters"), body.get("query"), body.get("sort"))))
    if contacts.last_search[0] != key:
        test, words = test_of(body.get("filters", [])), body.get("query", "").lower()
        found = sorted(
            (contact for contact in contacts if test(contact) and _has_words(contact, words)),
            key=lambda contact: contact.id,
        )
        for sort in reversed(sorts):  # stable: the last sort decides first
            found.sort(key=_sort_key(sort), reverse=sort.descending)
        contacts.last_search = (key, found)
    return contacts.last_search[1]


def read_sorts(value: object) -> list[Sort]:
    """Read up to two sort fields. Without any: the newest contacts first."""
    if value is None:
        return [Sort("dateAdded", descending=True)]
    if not isinstance(value, list):
        raise RefusalError(422, ["sort must be an array"])
    items = cast("list[object]", value)
    if len(items) > MOST_SORTS:
        raise RefusalError(422, ["sort must have at most 2 fields"])
    sorts: list[Sort] = []
    for item in items:
        match item:
            case {"field": str(field), "direction": str(direction)} if direction in DIRECTIONS:
                if field not in SORTS:
                    raise RefusalError(400, f"Invalid field {field}")
                sorts.append(Sort(field, direction == "desc"))
            case _:
                raise RefusalError(422, ["sort must name a field and a direction, asc or desc"])
    return sorts


def cursor_of(contact: Contact, sorts: list[Sort]) -> list[Any]:
    """Give `[dateUpdated ms, id]` when so sorted; one value a sort field, then the id."""
    return [*(read_of(sort.field)(contact) for sort in sorts), contact.id]


def _begin(body: Json, found: list[Contact], sorts: list[Sort]) -> int:
    if "searchAfter" not in body:
        begin = (body.get("page", 1) - 1) * body["pageLimit"]
        if begin + body["pageLimit"] > PAGES_END:
            raise RefusalError(400, "Pages end at 10000 records, use searchAfter")
        return begin
    cursor: Any = body["searchAfter"]
    if "page" in body:
        raise RefusalError(400, "Use either page or searchAfter")
    if not isinstance(cursor, list) or len(cast("list[Any]", cursor)) != len(sorts) + 1:
        raise RefusalError(422, ["searchAfter must be an array with a value for each sort field"])
    return bisect_left(found, 1, key=_is_after(cast("list[Any]", cursor), sorts))


def _is_after(cursor: list[Any], sorts: list[Sort]) -> Callable[[Contact], int]:
    """Make a key for a bisection: 0 for the contacts up to the cursor, 1 for those after it."""
    keys = [_sort_key(sort) for sort in sorts]
    wanted = [*zip(keys, map(_rank, cursor), sorts, strict=False)]

    def is_after(contact: Contact) -> int:
        for key, other, sort in wanted:
            own = key(contact)
            if own != other:
                return int((own > other) != sort.descending)
        return int(contact.id > str(cursor[-1]))

    return is_after


def _sort_key(sort: Sort) -> Callable[[Contact], tuple[float, str]]:
    read = read_of(sort.field)
    return lambda contact: _rank(read(contact))


def _rank(value: object) -> tuple[float, str]:
    """Make numbers, texts and nothing comparable."""
    return (value, "") if isinstance(value, int | float) else (-1, str(value or ""))


def _has_words(contact: Contact, words: str) -> bool:
    if not words:
        return True
    values = (contact.fields.get(key) for key in ("email", "phone", "companyName"))
    return any(words in value.lower() for value in (contact.full_name, *values) if value)


def find_duplicate(call: Call) -> Answer:
    """Find who holds an e-mail or a phone; null where nobody does."""
    query = _query(call, {"locationId", "email", "number"})
    if not query.get("email") and not query.get("number"):
        raise RefusalError(422, ["email or number should not be empty"])
    found = holders(call.ghl, {"email": query.get("email"), "phone": query.get("number")})
    if not found:
        return Answer({"contact": None})
    return Answer({"contact": shapes.got(found[0][1]), "matchingField": "contactId"})


def list_contacts(call: Call) -> Answer:
    """Give a page of contacts, the newest first. Deprecated by the vendor, still answers."""
    query = _query(call, {"locationId", "query", "limit", "startAfter", "startAfterId"})
    found = _newest(call, query.get("query", "").lower())
    after = (-(parse_ms(_number(query, "startAfter", 0)) or 0), query.get("startAfterId", ""))
    rest = [c for c in found if (-c.added_ms, c.id) > after] if after[1] else found
    page = rest[: min(_number(query, "limit", 20), 100)]
    meta: Json = {"total": len(found)}
    if page:
        meta |= {"startAfter": page[-1].added_ms, "startAfterId": page[-1].id}
    return Answer({"contacts": [shapes.listed(c) for c in page], "count": len(found), "meta": meta})


def list_business(call: Call) -> Answer:
    """Give a page of the contacts of a business."""
    query = _query(call, {"locationId", "limit", "skip", "query"})
    found = _newest(call, query.get("query", "").lower())
    found = [c for c in found if c.business_id == call.path["businessId"]]
    skip, limit = _number(query, "skip", 0), _number(query, "limit", 25)
    page = found[skip : skip + min(limit, 100)]
    return Answer({"contacts": [shapes.listed(c) for c in page], "count": len(found)})


def _newest(call: Call, words: str) -> list[Contact]:
    found = (contact for contact in call.ghl.contacts if _has_words(contact, words))
    return sorted(found, key=lambda contact: (-contact.added_ms, contact.id))


def _query(call: Call, known: set[str]) -> dict[str, str]:
    """Check the query parameters: an unknown one is a 422."""
    query = dict(call.query)
    check_body(query, dict.fromkeys(known, anything), ["locationId"])
    call.check_location(query["locationId"])
    return query


def _number(query: dict[str, str], key: str, otherwise: int) -> int:
    value = query.get(key, str(otherwise))
    if not NUMBER.fullmatch(value):
        raise RefusalError(422, [f"{key} must be a number"])
    return int(value)


OPERATIONS = (
    Operation("search-contacts-advanced", "POST", "/contacts/search", READ, search_contacts),
    Operation("get-duplicate-contact", "GET", "/contacts/search/duplicate", READ, find_duplicate),
    Operation("get-contacts", "GET", "/contacts/", READ, list_contacts),
    Operation(
        "get-contacts-by-businessId", "GET", "/contacts/business/{businessId}", READ, list_business
    ),
)
