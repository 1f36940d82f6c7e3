"""The users of a location.

Source: the vendor's OpenAPI for users; answers recorded in July 2026.
"""

from timerex_ghl.sandbox.core.answers import ApiAnswer, RefusalError, not_found
from timerex_ghl.sandbox.core.body_checks import Check, digits, one_of, text
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

SEARCH: dict[str, Check] = {
    **dict.fromkeys(("companyId", "locationId", "query", "type", "role", "ids", "sort"), text),
    "skip": digits,
    "limit": digits,
    "sortDirection": one_of("asc", "desc"),
    "enabled2waySync": one_of("true", "false"),
}
ROLE: Json = {"type": "account", "role": "user", "restrictSubAccount": False}


def shape(call: PassedCall, user: Json) -> Json:
    """Shape a user."""
    return {
        **user,
        "permissions": {"contactsEnabled": True, "appointmentsEnabled": True},
        "deleted": False,
        "roles": {**ROLE, "locationIds": [call.ghl.location.id]},
        "lcPhone": {},
    }


def list_users(call: PassedCall) -> ApiAnswer:
    """Return all users of the location. Deprecated by the vendor, still answers."""
    call.read_query({"locationId": text}, "locationId")
    return ApiAnswer({"users": [shape(call, user) for user in call.ghl.setup.users.values()]})


def search_users(call: PassedCall) -> ApiAnswer:
    """Return a page of a company's users."""
    query = call.read_query(SEARCH, "companyId")
    if query["companyId"] != call.ghl.location.company_id:
        raise RefusalError(403, "The token does not have access to this company.")
    words, ids = query.get("query", "").lower(), set(query.get("ids", "").split(",")) - {""}
    found = [
        shape(call, user)
        for user in call.ghl.setup.users.values()
        if words in f"{user['name']} {user['email']}".lower() and (not ids or user["id"] in ids)
    ]
    skip, limit = int(query.get("skip", "0")), int(query.get("limit", "25"))
    return ApiAnswer({"users": found[skip : skip + limit], "count": len(found)})


def get_user(call: PassedCall) -> ApiAnswer:
    """Return one user."""
    call.check_location(call.ghl.location.id)
    user = call.ghl.setup.users.get(call.path["userId"])
    if user is None:
        raise not_found("User", call.path["userId"])
    return ApiAnswer(shape(call, user))


READ = "users.readonly"
OPERATIONS = (
    VendorOperation("get-user-by-location", "GET", "/users/", READ, list_users),
    VendorOperation("search-users", "GET", "/users/search", READ, search_users, agency="too"),
    VendorOperation("get-user", "GET", "/users/{userId}", READ, get_user, agency="too"),
)
