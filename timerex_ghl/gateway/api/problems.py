"""Errors in API answers: RFC 9457 problem details, with an id that is also logged."""

import logging
import secrets
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from timerex_ghl.domain.contacts.contact_entry import EntryError, FieldFault
from timerex_ghl.workspace.booking_edits import MadeInTimerexError
from timerex_ghl.workspace.contact_edits import DuplicatePersonError
from timerex_ghl.workspace.edits import OtherVersionError, UnknownRecordError

_log = logging.getLogger(__name__)
_LONGEST_NAME = 100


class Problem(BaseModel):
    """An error after RFC 9457. It never contains a sent value."""

    type: str = Field(description="Kind of problem: `urn:timerex-ghl:problem:<kind>`.")
    title: str
    status: int
    detail: str = Field(description="What to do next.")
    instance: str = Field(description="Id of this error, as in the gateway's log.")
    errors: list["FieldProblem"] | None = Field(None, description="Faulty fields, if any.")
    contact_ids: list[str] | None = Field(
        None, description="Contacts that have the e-mail or phone."
    )
    version: int | None = Field(None, description="The record's current version.")


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemError(Exception):
    """An error with a problem answer.

    Attributes:
        kind: Last part of its `type`; empty where the status says enough.
        more: Further members of the problem.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = headers
        self.more = more or {}


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer an error. Its message is sent only where it was written for callers."""
    del request
    problem = _problem_of(error)
    error_id = secrets.token_hex(8)
    cause = type(error.__cause__ or error).__name__
    _log.warning("refused with %d (%s), error %s", problem.status, cause, error_id)
    body = {
        "type": f"urn:timerex-ghl:problem:{problem.kind}" if problem.kind else "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": f"urn:timerex-ghl:error:{error_id}",
        **problem.more,
    }
    headers = None if problem.headers is None else {**problem.headers}
    return JSONResponse(body, problem.status, headers, media_type="application/problem+json")


def invalid(faults: Iterable[FieldFault]) -> ProblemError:
    """Return the error for invalid fields, with a message for each."""
    errors = [{"field": each.field[:_LONGEST_NAME], "message": each.message} for each in faults]
    return ProblemError(422, "invalid", "correct the fields in `errors`", more={"errors": errors})


def _problem_of(error: Exception) -> ProblemError:
    match error:
        case ProblemError():
            return error
        case EntryError():
            return invalid(error.faults)
        case RequestValidationError():
            return _of_validation(error)
        case HTTPException():
            detail = _DETAILS.get(error.status_code, "see the API's description, openapi.json")
            return ProblemError(error.status_code, "", detail, headers=error.headers)
        case _:
            return _of_edit(error)


def _of_edit(error: Exception) -> ProblemError:
    """Map a refused edit to a problem; any other error is a 500 without details."""
    match error:
        case UnknownRecordError():
            return ProblemError(404, "not-found", str(error))
        case OtherVersionError():
            return ProblemError(412, "stale", str(error), more={"version": error.version})
        case DuplicatePersonError():
            more = {"contact_ids": [*error.contact_ids]}
            return ProblemError(409, "known-person", str(error), more=more)
        case MadeInTimerexError():
            return ProblemError(409, "made-in-timerex", str(error))
        case _:
            return ProblemError(500, "", "report the `instance` to the operator")


_DETAILS = {
    400: "send one JSON document in UTF-8, without repeated keys",
    404: "no such path: see openapi.json",
    408: "send the body faster",
    413: "send at most 256 KB",
    415: "send application/json, not compressed",
}


def _of_validation(error: RequestValidationError) -> ProblemError:
    """Map a validation error in our words: the framework's would repeat sent values."""
    faults = [*map(_fault_of, error.errors())]
    if any(each["loc"][:1] == ("path",) for each in error.errors()):
        return ProblemError(404, "not-found", "there is no such record")
    return invalid(faults)


def _fault_of(found: Mapping[str, Any]) -> FieldFault:
    where = [str(part) for part in found["loc"][1:]] or [str(found["loc"][0])]
    match found["type"]:
        case "missing":
            message = "is missing"
        case "extra_forbidden":
            message = "is not a field"
        case _:
            message = str(found["msg"]).removeprefix("Value error, ")
    return FieldFault(".".join(where), message)


_ANSWERED: tuple[type[Exception], ...] = (
    ProblemError,
    EntryError,
    RequestValidationError,
    UnknownRecordError,
    OtherVersionError,
    DuplicatePersonError,
    MadeInTimerexError,
    HTTPException,
    Exception,
)
HANDLERS: dict[int | type[Exception], Any] = dict.fromkeys(_ANSWERED, answer_problem)
"""The exception handlers of an application that answers every error as a problem."""
