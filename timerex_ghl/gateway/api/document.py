"""Additions to the OpenAPI document that FastAPI generates from the routes."""

from typing import Any

from fastapi import FastAPI

from timerex_ghl.gateway.api.problems import Problem

Responses = dict[int | str, dict[str, Any]]

_PROBLEMS = {
    400: "Not one JSON document in UTF-8, or not an entity tag",
    401: "No valid token",
    403: "The token may not do this",
    404: "No such record",
    408: "The body came too slowly",
    409: "Another contact has the e-mail or phone; or the booking was made in TimeRex",
    412: "The record is at another version",
    413: "Over 256 KB",
    415: "Not application/json, or compressed",
    422: "Some fields are invalid, or the Idempotency-Key was used for another request",
    428: "If-Match is missing",
    503: "The ledger does not answer: repeat the request",
}
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "The record's version."}}
_MADE = {
    **_ETAG,
    "Location": {"schema": {"type": "string"}, "description": "URL path of the record."},
    "Idempotency-Replayed": {
        "schema": {"type": "string"},
        "description": "`true` where an earlier answer is repeated.",
    },
}
_BODY = (400, 408, 413, 415, 422)


def _responses(*statuses: int, good: Responses | None = None) -> Responses:
    problems = {
        status: {"model": Problem, "description": _PROBLEMS[status]}
        for status in sorted((401, 403, 503, *statuses))
    }
    return {**(good or {}), **problems}


LISTS = _responses(422)
READS = _responses(404, good={200: {"headers": _ETAG}})
MAKES = _responses(*_BODY, 409, good={201: {"headers": _MADE}})
CHANGES = _responses(*_BODY, 404, 409, 412, 428, good={200: {"headers": _ETAG}})
ACTS = _responses(400, 404, 412, 428, good={200: {"headers": _ETAG}})
DELETES = _responses(400, 404, 409, 412, 428)


def describe(api: FastAPI) -> None:
    """Document errors as `application/problem+json`, without the framework's own errors."""
    plain = api.openapi

    def described() -> dict[str, Any]:
        if api.openapi_schema is None:
            document = plain()
            for path in document["paths"].values():
                for operation in path.values():
                    _name_problems(operation["responses"])
            for schema in ("HTTPValidationError", "ValidationError"):
                document["components"]["schemas"].pop(schema, None)
        return plain()

    api.openapi = described


def _name_problems(responses: dict[str, Any]) -> None:
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]  # the framework's default: an invalid id is a 404
    for status, answer in responses.items():
        content = answer.get("content", {})
        if int(status) >= 400 and "application/json" in content:  # noqa: PLR2004  HTTP's first error status
            content["application/problem+json"] = content.pop("application/json")
