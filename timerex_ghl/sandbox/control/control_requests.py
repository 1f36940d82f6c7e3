"""How the control API reads a request and writes an answer."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.json_io import to_json

T = TypeVar("T")
SomeOrder = TypeVar("SomeOrder", bound="ControlOrder")


class ControlOrder(BaseModel):
    """The body of a control call; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


async def read(request: Request, model: type[SomeOrder]) -> SomeOrder:
    """Read a body."""
    return model.model_validate_json(await request.body() or b"{}")


def read_query(request: Request, model: type[SomeOrder]) -> SomeOrder:
    """Read the query parameters."""
    return model.model_validate(dict(request.query_params))


def reply(status: int = 200, /, **body: Any) -> Response:
    """Write an answer."""
    return Response(to_json(body), status, media_type="application/json")


def known(found: dict[str, T], its_id: str) -> T:
    """Return the record with an id; 404 if there is none."""
    if its_id not in found:
        raise RefusalError(404, f"unknown id {its_id}")
    return found[its_id]
