"""Warning in time, and once: of a day's calls that run out, and of tokens that were ended."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from prefect import task
from prefect.events import emit_event
from sqlalchemy import Connection

from blocks.contexts import load_ledger_store
from tasks.automations import ACCESS_ENDED, QUOTA_USED
from tasks.policy import AT_THE_DESK
from timerex_ghl.adapters.ledger import cursors, published, quota, tokens
from timerex_ghl.adapters.ledger.quota import DAILY_LIMIT
from timerex_ghl.domain.models import ConnectionName
from timerex_ghl.domain.settings import ConnectionSettings

THRESHOLDS = (90, 75)
"""Percent of a day's calls at which people are warned, the highest first."""

HALF_AN_HOUR = timedelta(minutes=30)
"""GHL's answers tell the same end of a day a little differently: a full hour tells it alike."""


class Notice(NamedTuple):
    """Something to tell.

    Attributes:
        once: Where it is noted that it was told, and what: the same is not told again.
    """

    connection: ConnectionName
    event: str
    once: tuple[str, str]
    payload: dict[str, str | int]


@task(**AT_THE_DESK)
async def warn_in_time() -> list[ConnectionName]:
    """Tell Prefect of every connection whose calls run out or whose tokens were ended; name them.

    Each is told once: it is noted after it was told, so a crash between the two tells it twice.
    """
    store = await load_ledger_store()
    async with store.open() as ledger:
        notices = await ledger.read(_notices)
        for one in notices:
            emit_event(
                event=one.event,
                resource={"prefect.resource.id": f"timerex-ghl.connection.{one.connection}"},
                payload={"connection": one.connection, **one.payload},
            )
            await ledger.write(cursors.save_cursor, one.connection, *one.once)
    return [*dict.fromkeys(one.connection for one in notices)]


def _notices(tx: Connection) -> list[Notice]:
    found = (
        notice
        for version in published.all_published(tx)
        for notice in (*_of_calls(tx, version.settings), *_of_tokens(tx, version.settings))
    )
    return [one for one in found if not _was_warned(tx, one)]


def _was_warned(tx: Connection, notice: Notice) -> bool:
    name, what = notice.once
    return cursors.get_cursor(tx, notice.connection, name) == what


def _of_calls(tx: Connection, settings: ConnectionSettings) -> Iterator[Notice]:
    """Look whether a level is reached that was not told of this day."""
    day = quota.day_of(tx, settings.ghl.location_id)
    if day is None:
        return
    percent = day.calls * 100 // DAILY_LIMIT
    ends_at = f"{day.ends_at + HALF_AN_HOUR:%Y-%m-%d %H}:00 UTC"
    for threshold in THRESHOLDS:
        if percent >= threshold:
            once = ("told:calls", f"{threshold} % until {ends_at}")
            payload: dict[str, str | int] = {"percent": percent, "ends_at": ends_at}
            yield Notice(settings.name, QUOTA_USED, once, payload)
            return


def _of_tokens(tx: Connection, settings: ConnectionSettings) -> Iterator[Notice]:
    """Look whether the tokens of an app were ended."""
    ghl, timerex = settings.ghl, settings.timerex
    apps = (
        ("GHL", ghl.auth, str(ghl.location_id)),
        ("TimeRex", timerex.auth, f"timerex:{timerex.credentials}"),
    )
    for service, auth, owner in apps:
        ended = tokens.ended_families(tx, owner) if auth == "oauth" else []
        if ended:
            once = (f"told:tokens:{service}", " ".join(ended))
            yield Notice(settings.name, ACCESS_ENDED, once, {"service": service})
