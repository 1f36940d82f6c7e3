"""TimeRex's token endpoint, and the revoking of an access token.

Source: TimeRex developer portal, Authorization with OAuth. Its errors are not documented; these are
those of the OAuth standard (RFC 6749, 5.2).
"""

from timerex_ghl.sandbox.timerex.timerex_gate import (
    SandboxTimerexCall,
    SandboxTimerexOperation,
    TimerexAnswer,
)


def exchange(call: SandboxTimerexCall) -> TimerexAnswer:
    """Exchange a code or a refresh token for a new pair."""
    tokens, form = call.timerex.tokens, call.body
    known = (tokens.client_id, tokens.client_secret)
    if (form.get("client_id"), form.get("client_secret")) != known:
        return _refused("invalid_client", 401)
    match form.get("grant_type"):
        case "refresh_token":
            pair = tokens.use_refresh(form.get("refresh_token", ""))
        case "authorization_code" if form.get("redirect_uri") == tokens.redirect_uri:
            pair = tokens.use_code(form.get("code", ""))
        case "authorization_code":
            return _refused("invalid_client", 401)
        case _:
            return _refused("unsupported_grant_type")
    if pair is None:
        return _refused("invalid_grant")
    return TimerexAnswer(
        {
            "token_type": "Bearer",
            "expires_in": tokens.expires_in_s,
            "access_token": pair.access,
            "refresh_token": pair.refresh,
        }
    )


def revoke(call: SandboxTimerexCall) -> TimerexAnswer:
    """Revoke the access token of the call."""
    call.timerex.tokens.accesses.pop(call.access.token, None)
    return TimerexAnswer([])


def _refused(error: str, status: int = 400) -> TimerexAnswer:
    return TimerexAnswer({"error": error, "message": error.replace("_", " ")}, status)


EXCHANGE = SandboxTimerexOperation("get-access-token", "POST", "/oauth/token", None, exchange)
REVOKE = SandboxTimerexOperation(
    "revoke-token", "POST", "/token/revoke", "", revoke, with_key=False
)
