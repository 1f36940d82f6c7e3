"""A person decides about many deletes at once: all go through, or none."""

import json
from datetime import datetime
from typing import cast

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import inbox, pending_deletes
from timerex_ghl.adapters.ledger.inbox import Arrival
from timerex_ghl.adapters.ledger.pending_deletes import Side
from timerex_ghl.carry.settling import Case
from timerex_ghl.sync.activities import ActivityKind
from timerex_ghl.sync.settle import Way


def settle_deletes(tx: Connection, case: Case, now: datetime) -> None:
    """Let deletes through, each by an event of its own, or let the other side keep what it has."""
    connection = case.sides.connection
    _, kind, side = case.review.subject.split(":")
    held = pending_deletes.list_deletes(
        tx, connection, ["held"], cast("ActivityKind", kind), cast("Side", side)
    )
    is_let_through = case.decision.way is Way.RETRY
    pending_deletes.settle_held(
        tx,
        connection,
        cast("ActivityKind", kind),
        cast("Side", side),
        "released" if is_let_through else "kept",
        now,
    )
    if is_let_through:
        inbox.store_events(
            tx,
            [
                Arrival(
                    connection=connection,
                    source="workspace",
                    type=f"{kind} changed",
                    dedupe_key=f"{kind}:{one.local_id}:{case.review.id}",
                    body=json.dumps({"review": case.review.id}),
                    record=f"{kind}:{one.local_id}",
                )
                for one in held
            ],
            now,
        )
