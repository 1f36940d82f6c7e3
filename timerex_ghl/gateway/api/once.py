"""Creating a record once, however often the request is sent: `Idempotency-Key`."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated

from fastapi import Header, Request, Response
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.tables.access import idempotency
from timerex_ghl.adapters.ledger.tables.access.idempotency import StoredAnswer
from timerex_ghl.gateway.api.authentication import ApiCaller
from timerex_ghl.gateway.api.problems import ProblemError
from timerex_ghl.gateway.api.versions import tag_of

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,255}$",
        description="A unique key for this request, for example a UUID. A repetition with the same"
        " body within 24 hours gets the first answer and creates nothing.",
    ),
]


class Made:
    """A created record: its id, version and JSON."""

    def __init__(self, record_id: str, version: int, body: str) -> None:
        self.record_id = record_id
        self.version = version
        self.body = body


async def make_once(
    request: Request, caller: ApiCaller, key: str | None, make: Callable[[Connection], Made]
) -> Response:
    """Create a record and answer 201; a repeated request gets the same answer.

    Answer and record are stored in one unit of work. A refusal is not stored.
    """
    said = json.dumps([request.url.path, await request.json()], sort_keys=True)
    digest = sha256(said.encode()).hexdigest()
    answer, is_old = await caller.ledger.write(_make, caller, key, digest, make)
    headers = {
        "ETag": tag_of(answer.version),
        "Location": f"{request.url.path}/{answer.record_id}",
        **({"Idempotency-Replayed": "true"} if is_old else {}),
    }
    return Response(answer.body, 201, headers, media_type="application/json")


def _make(
    tx: Connection,
    caller: ApiCaller,
    key: str | None,
    digest: str,
    make: Callable[[Connection], Made],
) -> tuple[StoredAnswer, bool]:
    now = clock.now(tx)
    known = idempotency.find_answer(tx, caller.token.id, key, now) if key else None
    if known is not None:
        if known.request_digest != digest:
            raise ProblemError(
                422, "key-reused", "this Idempotency-Key was used with another body: use a new one"
            )
        return known, True
    made = make(tx)
    answer = StoredAnswer(
        request_digest=digest, record_id=made.record_id, version=made.version, body=made.body
    )
    if key:
        idempotency.keep_answer(tx, caller.token.id, key, answer, now)
    return answer, False
