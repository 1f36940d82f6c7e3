"""Location tokens, requested with an agency's token."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
from pydantic import AwareDatetime, SecretStr

from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.failures import failure_of
from timerex_ghl.adapters.ghl.transport import NEVER_SENT
from timerex_ghl.domain.shared.errors import CredentialsError, RetryableError
from timerex_ghl.domain.shared.models import LocationId, Record

DEADLINE_S = 10.0


class LocationToken(Record):
    """An access token for one location. It has no refresh token: request another one."""

    access: SecretStr
    expires_at: AwareDatetime
    scopes: frozenset[str]
    location_id: LocationId


async def location_token(
    http: httpx.AsyncClient,
    base_url: str,
    agency_token: SecretStr,
    company_id: str,
    location_id: LocationId,
) -> LocationToken:
    """Request a token for one of the agency's locations. Safe to repeat.

    Raises:
        CredentialsError: GHL refuses the agency's token, or refuses it for this location.
        RetryableError: An outage.

    Source: POST /oauth/locationToken; the app has to be installed in the location.
    """
    operation = ops.LOCATION_TOKEN
    headers = {
        "Authorization": f"Bearer {agency_token.get_secret_value()}",
        "Version": operation.version,
        "Accept": "application/json",
    }
    form = {"companyId": company_id, "locationId": location_id}
    try:
        async with asyncio.timeout(DEADLINE_S):
            response = await http.post(
                base_url.rstrip("/") + operation.path,
                data=form,
                headers=headers,
                follow_redirects=False,
            )
    except NEVER_SENT as error:
        raise RetryableError(f"GHL cannot be reached ({type(error).__name__})") from None
    except (httpx.HTTPError, TimeoutError) as error:
        raise RetryableError(f"no answer to {operation.name}: {type(error).__name__}") from None
    body = _json_of(response)
    if not response.is_success:
        subject = f"{operation.name} (location {location_id})"
        raise failure_of(operation, subject, response.status_code, response.headers, body)
    return _read(body, location_id)


def _read(body: Mapping[str, Any], location_id: LocationId) -> LocationToken:
    if not body.get("access_token"):
        raise RetryableError("GHL's answer contains no location token")
    if body.get("locationId") not in {None, location_id}:
        raise CredentialsError(f"GHL returned a token of another location than {location_id}")
    life = timedelta(seconds=float(body.get("expires_in") or 0))
    return LocationToken(
        access=SecretStr(str(body["access_token"])),
        expires_at=datetime.now(UTC) + life,
        scopes=frozenset(str(body.get("scope") or "").split()),
        location_id=location_id,
    )


def _json_of(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return cast("Mapping[str, Any]", body) if isinstance(body, dict) else {}
