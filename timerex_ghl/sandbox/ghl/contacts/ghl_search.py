"""Finding contacts: search with filters and a cursor, and the duplicate search.

Source: POST /contacts/search, GET /contacts/search/duplicate; answers recorded in July 2026.
"""

from bisect import bisect_left
from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple, cast

from timerex_ghl.sandbox.core.answers import ApiAnswer, RefusalError
from timerex_ghl.sandbox.core.body_checks import Check, anything, check_body, filled
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.contacts import contact_shapes
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.contacts.duplicates import owners
from timerex_ghl.sandbox.ghl.contacts.ghl_contacts import READ
from timerex_ghl.sandbox.ghl.contacts.search_filters import read_of, test_of
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

LONGEST_QUERY = 75
PAGES_END = 10_000
MOST_SORTS = 2
DIRECTIONS = ("asc", "desc")
LARGEST_PAGE = 500


def page_limit(key: str, value: object) -> str | None:
    """Require a page size."""
    known = type(value) is int and 1 <= value <= LARGEST_PAGE
    return None if known else f"{key} must be a whole number from 1 to {LARGEST_PAGE}"


def page_number(key: str, value: object) -> str | None:
    """Require a page's number."""
    return None if type(value) is int and value >= 1 else f"{key} must be a whole number from 1"


def query_text(key: str, value: object) -> str | None:
    """Require a text that is not too long."""
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
DUPLICATE: dict[str, Check] = dict.fromkeys(("locationId", "email", "number"), anything)
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


BY_CHANGE = [Sort("dateUpdated", descending=False)]


def search_contacts(call: PassedCall) -> ApiAnswer:
    """Return one page. Either `page`, which ends at 10,000 records, or `searchAfter`.

    A cursor is `[dateUpdated ms, id]` when so sorted: a value for each sort field, then the id.
    """
    body = call.body
    check_body(body, SEARCH, ["locationId", "pageLimit"])
    call.check_location(body["locationId"])
    sorts, limit = read_sorts(body.get("sort")), body["pageLimit"]
    found = found_contacts(call, body, sorts)
    begin, businesses = _begin(body, found, sorts), call.ghl.setup.businesses
    reads = [read_of(sort.field) for sort in sorts]
    page: list[Json] = []
    for contact in found[begin : begin + limit]:
        shape = contact_shapes.searched(contact)
        shape["searchAfter"] = [*(read(contact) for read in reads), contact.id]
        if contact.business_id in businesses:
            shape["businessName"] = businesses[contact.business_id]["name"]
        page.append(shape)
    return ApiAnswer({"contacts": page, "total": len(found)})


def found_contacts(call: PassedCall, body: Json, sorts: list[Sort]) -> list[SandboxContact]:
    """Filter and sort; cached until a contact changes, so that paging is fast."""
    index = call.ghl.contacts.index
    found, wanted = index.in_order(), (body.get("filters"), body.get("query"), body.get("sort"))
    key = (index.version, repr(wanted))
    if index.last_search[0] != key:
        test, words = test_of(body.get("filters", [])), body.get("query", "").lower()
        found = [contact for contact in found if test(contact)] if test else [*found]
        if words:
            found = [contact for contact in found if has_words(contact, words)]
        if sorts != BY_CHANGE:
            found.sort(key=attrgetter("id"))
            for sort in reversed(sorts):  # stable sort: the first field is applied last
                found.sort(key=_sort_key(sort), reverse=sort.descending)
        index.last_search = (key, found)
    return index.last_search[1]


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


def _begin(body: Json, found: list[SandboxContact], sorts: list[Sort]) -> int:
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


def _is_after(cursor: list[Any], sorts: list[Sort]) -> Callable[[SandboxContact], int]:
    """Make a key for a bisection: 0 for the contacts up to the cursor, 1 for those after it."""
    keys = [_sort_key(sort) for sort in sorts]
    wanted = [*zip(keys, map(_rank, cursor), sorts, strict=False)]

    def is_after(contact: SandboxContact) -> int:
        for key, other, sort in wanted:
            own = key(contact)
            if own != other:
                return int((own > other) != sort.descending)
        return int(contact.id > str(cursor[-1]))

    return is_after


def _sort_key(sort: Sort) -> Callable[[SandboxContact], tuple[float, str]]:
    read = read_of(sort.field)
    return lambda contact: _rank(read(contact))


def _rank(value: object) -> tuple[float, str]:
    """Make numbers, texts and None comparable."""
    return (value, "") if isinstance(value, int | float) else (-1, str(value or ""))


def has_words(contact: SandboxContact, words: str) -> bool:
    """Return whether names, e-mail, phone or company contain the words."""
    if not words:
        return True
    values = (contact.fields.get(key) for key in ("email", "phone", "companyName"))
    return any(words in value.lower() for value in (contact.full_name, *values) if value)


def find_duplicate(call: PassedCall) -> ApiAnswer:
    """Find the contact with an e-mail or a phone; null if there is none."""
    query = call.read_query(DUPLICATE, "locationId")
    if not query.get("email") and not query.get("number"):
        raise RefusalError(422, ["email or number should not be empty"])
    found = owners(call.ghl, {"email": query.get("email"), "phone": query.get("number")})
    if not found:
        return ApiAnswer({"contact": None})
    return ApiAnswer({"contact": contact_shapes.got(found[0][1]), "matchingField": "contactId"})


OPERATIONS = (
    VendorOperation("search-contacts-advanced", "POST", "/contacts/search", READ, search_contacts),
    VendorOperation(
        "get-duplicate-contact", "GET", "/contacts/search/duplicate", READ, find_duplicate
    ),
)
