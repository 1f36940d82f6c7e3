"""How a call to the GHL half is read."""

from typing import cast
from urllib.parse import parse_qsl

from starlette.requests import Request

from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.json_io import Json, from_json


def bearer_of(request: Request) -> str:
    """Read the bearer token; empty where there is none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token if kind.lower() == "bearer" else ""


def read_body(raw: bytes) -> Json:
    """Read a body; none is an empty object."""
    if not raw:
        return {}
    try:
        body = from_json(raw)
    except (ValueError, RecursionError):
        raise RefusalError(400, "Unexpected token in JSON") from None
    if not isinstance(body, dict):
        raise RefusalError(400, "The body must be a JSON object")
    return cast("Json", body)


def keys_of(raw: bytes) -> list[str]:
    """Name the keys of a body; none where it cannot be read."""
    try:
        return sorted(read_body(raw))
    except RefusalError:
        return []


def read_form(raw: bytes) -> Json:
    """Read a form."""
    return dict(parse_qsl(raw.decode("utf-8", "replace")))


def vendor_path(request: Request) -> str:
    """Return the path below the API's base URL."""
    return request.scope["path"].removeprefix(request.scope.get("root_path", ""))
