"""The token endpoint: a form in, a pair of tokens out.

Source: POST /oauth/token. The list of its errors is not published; these are those of the OAuth
library whose wording the vendor's answers have.
"""

from timerex_ghl.sandbox.core.answers import ApiAnswer, RefusalError
from timerex_ghl.sandbox.ghl.access.tokens import TokenPair
from timerex_ghl.sandbox.ghl.ghl_state import Ghl
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

REQUIRED = ("client_id", "client_secret", "grant_type")


def exchange(call: PassedCall) -> ApiAnswer:
    """Exchange a code or a refresh token for a new pair."""
    ghl, form = call.ghl, call.body
    gaps = [f"{key} must be a string" for key in REQUIRED if key not in form]
    if gaps:
        raise RefusalError(422, gaps)
    if (form["client_id"], form["client_secret"]) != (
        ghl.tokens.client_id,
        ghl.tokens.client_secret,
    ):
        return _refused("invalid_client", "Client credentials are invalid", 401)
    match form["grant_type"]:
        case "refresh_token":
            pair = ghl.tokens.use_refresh(form.get("refresh_token", ""))
            what = "refresh token"
        case "authorization_code":
            pair = ghl.tokens.use_code(form.get("code", ""))
            what = "authorization code"
        case _:
            return _refused("unsupported_grant_type", "Grant type is invalid")
    if pair is None:
        return _refused("invalid_grant", f"Invalid grant: {what} is invalid")
    return _answer(ghl, pair)


def _refused(error: str, description: str, status: int = 400) -> ApiAnswer:
    body = {"error": error, "error_description": description, "statusCode": status}
    return ApiAnswer(body, status)


def _answer(ghl: Ghl, pair: TokenPair) -> ApiAnswer:
    return ApiAnswer(
        {
            "access_token": pair.access,
            "token_type": "Bearer",
            "expires_in": ghl.tokens.expires_in_s,
            "refresh_token": pair.refresh,
            "refreshTokenId": pair.install.id,
            "scope": " ".join(sorted(pair.install.scopes)),
            "userType": "Location",
            "companyId": ghl.location.company_id,
            "locationId": pair.install.location_id,
            "userId": ghl.setup.user_id,
            "isBulkInstallation": False,
        }
    )


OPERATIONS = (
    VendorOperation("get-access-token", "POST", "/oauth/token", None, exchange, form=True),
)
