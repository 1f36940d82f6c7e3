"""Results of a GHL operation: an answer, or an error in the vendor's words."""

import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from timerex_ghl.sandbox.core.json_io import Json


class ApiAnswer(NamedTuple):
    """Status and body of one answer."""

    body: Json
    status: int = 200


class RefusalError(Exception):
    """An operation is refused. The message is a list for 422 and a text otherwise.

    Source: recorded answers of the vendor, July and August 2026.
    """

    def __init__(
        self, status: int, message: str | Sequence[str], *, meta: Json | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.message = message if isinstance(message, str) else [*message]
        self.meta = meta

    def answer(self) -> ApiAnswer:
        """Convert the refusal to an answer."""
        body: Json = {"statusCode": self.status, "message": self.message}
        if self.meta is not None:
            body["meta"] = self.meta
        else:
            body["error"] = HTTPStatus(self.status).phrase.replace("Content", "Entity")
        return ApiAnswer(body, self.status)


def not_found(what: str, its_id: str, status: int = 400) -> RefusalError:
    """Refuse an unknown id. A contact's is a 400 with the vendor, not a 404."""
    return RefusalError(status, f"{what} with id {its_id} not found")


def with_request_id(answer: ApiAnswer) -> ApiAnswer:
    """Add the `traceId` that every answer contains."""
    return answer._replace(body={**answer.body, "traceId": str(uuid.uuid4())})
