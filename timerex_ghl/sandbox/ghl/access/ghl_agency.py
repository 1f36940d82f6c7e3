"""Operations of agency tokens: list where the app is installed, get a location's token.

Source: POST /oauth/locationToken, GET /oauth/installedLocations.
"""

from timerex_ghl.sandbox.core.answers import ApiAnswer, RefusalError
from timerex_ghl.sandbox.core.body_checks import Check, check_body, digits, filled, one_of, text
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.access.tokens import Install
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

TOKEN: dict[str, Check] = {"companyId": filled, "locationId": filled}
INSTALLED: dict[str, Check] = {
    **dict.fromkeys(("companyId", "appId", "query", "versionId", "planId", "locationId"), text),
    **dict.fromkeys(("isInstalled", "onTrial"), one_of("true", "false")),
    "skip": digits,
    "limit": digits,
}


def location_token(call: PassedCall) -> ApiAnswer:
    """Return a token for one of the agency's locations, without a refresh token."""
    form, ghl = call.body, call.ghl
    check_body(form, TOKEN, [*TOKEN])
    _check_company(call, form["companyId"])
    if form["locationId"] != ghl.location.id:
        raise RefusalError(400, "The app is not installed in this location")
    token = ghl.tokens.mint_access(Install(ghl.location.id, call.access.scopes))
    return ApiAnswer(
        {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": ghl.tokens.expires_in_s,
            "scope": " ".join(sorted(call.access.scopes)),
            "userType": "Location",
            "companyId": ghl.location.company_id,
            "locationId": ghl.location.id,
            "userId": ghl.setup.user_id,
        }
    )


def installed_locations(call: PassedCall) -> ApiAnswer:
    """Return the locations where the app is installed: in the sandbox, its only one."""
    query = dict(call.query)
    check_body(query, INSTALLED, ["companyId", "appId"])
    _check_company(call, query["companyId"])
    location = call.ghl.location
    found: list[Json] = [
        {"_id": location.id, "name": location.name, "address": "1-2-3 Aoba", "isInstalled": True}
    ]
    wanted = query.get("isInstalled") != "false"
    wanted = wanted and query.get("locationId", location.id) == location.id
    wanted = wanted and query.get("query", "").lower() in location.name.lower()
    skip, limit = int(query.get("skip", "0")), int(query.get("limit", "20"))
    page = (found if wanted else [])[skip : skip + limit]
    return ApiAnswer({"locations": page, "count": int(wanted), "installToFutureLocations": False})


def _check_company(call: PassedCall, company_id: str) -> None:
    if company_id != call.ghl.location.company_id:
        raise RefusalError(403, "The token does not have access to this company.")


OPERATIONS = (
    VendorOperation(
        "get-location-access-token",
        "POST",
        "/oauth/locationToken",
        "oauth.write",
        location_token,
        agency="only",
        form=True,
    ),
    VendorOperation(
        "get-installed-location",
        "GET",
        "/oauth/installedLocations",
        "oauth.readonly",
        installed_locations,
        agency="only",
    ),
)
