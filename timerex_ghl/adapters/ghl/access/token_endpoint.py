"""GHL's token endpoint: exchanges a refresh token for a new pair. It never retries.

Source: POST /oauth/token: a form, without Version header. Its errors are not documented.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import httpx
from pydantic import SecretStr

from timerex_ghl.adapters.ghl.failures import wait_of
from timerex_ghl.adapters.ghl.transport import NEVER_SENT
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    OutageError,
    RateLimitedError,
    TimerexGhlError,
    UnknownOutcomeError,
)
from timerex_ghl.domain.shared.models import LocationId

DEADLINE_S = 10.0


class SpentTokenError(CredentialsError):
    """The refresh token is no longer usable."""


class TokenEndpoint:
    """Exchanges refresh tokens of one app for one location."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        client_id: str,
        client_secret: str,
        location_id: LocationId,
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._http = http
        self._url = url
        self._client_id = client_id
        self._client_secret = SecretStr(client_secret)
        self._location_id = location_id
        self._deadline_s = deadline_s

    async def refresh(self, token: SecretStr) -> Mapping[str, Any]:
        """Exchange a refresh token. It is spent then; the returned one replaces it.

        Raises:
            SpentTokenError: GHL refuses the token, or it belongs to another location.
            CredentialsError: The client or the URL is wrong. The token was not spent.
            UnknownOutcomeError: No readable answer: the token may be spent.
            RetryableError: The request was not sent.
        """
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret.get_secret_value(),
            "grant_type": "refresh_token",
            "refresh_token": token.get_secret_value(),
            "user_type": "Location",
        }
        try:
            async with asyncio.timeout(self._deadline_s):
                response = await self._http.post(self._url, data=form, follow_redirects=False)
        except NEVER_SENT as error:
            raise OutageError(
                f"the token address cannot be reached ({type(error).__name__})", service="GHL"
            ) from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise UnknownOutcomeError(
                f"no answer from the token address: {type(error).__name__}", service="GHL"
            ) from None
        return self._read(response)

    def _read(self, response: httpx.Response) -> Mapping[str, Any]:
        body = _json_of(response)
        if not response.is_success:
            raise _refusal_of(response, str(body.get("error") or ""))
        if not body.get("access_token"):
            raise UnknownOutcomeError("the token address returned no token", service="GHL")
        location_id = body.get("locationId")
        if location_id not in {None, self._location_id} or body.get("userType") == "Company":
            raise SpentTokenError(
                f"the token is another location's or an agency's, not that of {self._location_id}"
            )
        return body


def _refusal_of(response: httpx.Response, error: str) -> TimerexGhlError:
    status = response.status_code
    said = f"the token address answered {status}"
    if error == "invalid_grant" or (status == HTTPStatus.BAD_REQUEST and error != "invalid_client"):
        return SpentTokenError(said)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(said, after_s=wait_of(response.headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return UnknownOutcomeError(said, service="GHL")
    return CredentialsError(
        f"{said}: check client id, client secret and token address in the GHL Credentials block"
    )


def _json_of(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return cast("Mapping[str, Any]", body) if isinstance(body, dict) else {}
