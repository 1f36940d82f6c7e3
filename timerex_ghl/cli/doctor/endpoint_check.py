"""The check of the gateway and its webhook endpoint."""

from http import HTTPStatus

import httpx

from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.cli.doctor.finding import Finding
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.orchestration.contexts import load_ledger_store


async def check_endpoint(name: ConnectionName, gateway_url: str) -> Finding:
    """Check that the gateway is ready and refuses a delivery without the token."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        running = await ledger.read(published.current, name)
    if running is None:
        raise SettingsError(f"not published: run timerex-ghl publish {name}")
    base = gateway_url.rstrip("/")
    if not base.startswith(("https://", "http://")):
        raise SettingsError(f"invalid gateway URL {gateway_url}: enter https://your.host")
    endpoint = f"{base}/webhooks/timerex/{running.settings.timerex.endpoint}"
    try:
        async with httpx.AsyncClient(timeout=10) as http:
            ready = await http.get(f"{base}/readyz")
            forged = await http.post(endpoint, json={"webhook_type": "event_confirmed"})
    except httpx.HTTPError as error:
        raise SettingsError(
            f"no gateway answers at {base} ({type(error).__name__}): start timerex-ghl gateway,"
            " and check the URL and the proxy"
        ) from None
    fault = _fault_of_endpoint(ready.status_code, forged.status_code)
    if fault is not None:
        raise SettingsError(fault)
    return Finding("endpoint", is_well=True, said="ready, and refuses deliveries without the token")


def _fault_of_endpoint(ready: int, forged: int) -> str | None:
    """Return what is wrong with a gateway, judged by its answers; None if nothing."""
    match ready, forged:
        case HTTPStatus.OK, HTTPStatus.UNAUTHORIZED:
            return None
        case HTTPStatus.SERVICE_UNAVAILABLE, _:
            return "the gateway runs but its ledger does not answer: check the database"
        case HTTPStatus.OK, HTTPStatus.NOT_FOUND:
            return (
                "the gateway does not know this endpoint: start it on the ledger of the block"
                " `ledger` (--ledger), and let the proxy forward /webhooks/"
            )
        case HTTPStatus.OK, _:
            return f"a delivery without the token got status {forged}: expected 401"
        case _:
            return f"another program answers ({ready} to /readyz): check the URL and the proxy"
