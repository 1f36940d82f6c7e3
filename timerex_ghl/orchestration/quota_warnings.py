"""Warnings of a daily call budget that runs low, and of revoked tokens: each sent once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.access import oauth_tokens
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.adapters.ledger.tables.sync import cursors, quota
from timerex_ghl.adapters.ledger.tables.sync.quota import DAILY_LIMIT
from timerex_ghl.domain.connections.settings import ConnectionSettings
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.orchestration.automations import ACCESS_ENDED, QUOTA_USED

THRESHOLDS = (90, 75)
"""Percent of the daily call budget at which a warning is sent, highest first."""


HALF_AN_HOUR = timedelta(minutes=30)
"""Added before rounding to the hour: GHL's answers give slightly different ends of a day."""


class Notice(NamedTuple):
    """A warning to send.

    Attributes:
        once: Cursor name and value that record it as sent, so that it is sent once.
    """

    connection: ConnectionName
    event: str
    once: tuple[str, str]
    payload: dict[str, str | int]


def pending_notices(tx: Connection) -> list[Notice]:
    """List the warnings that are due and were not sent yet."""
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
    """Yield a notice for the highest threshold that today's calls reached."""
    day = quota.day_of(tx, settings.ghl.location_id)
    if day is None:
        return
    percent = day.calls * 100 // DAILY_LIMIT
    ends_at = f"{day.ends_at + HALF_AN_HOUR:%Y-%m-%d %H}:00 UTC"
    for threshold in THRESHOLDS:
        if percent >= threshold:
            once = ("warned:calls", f"{threshold} % until {ends_at}")
            payload: dict[str, str | int] = {"percent": percent, "ends_at": ends_at}
            yield Notice(settings.name, QUOTA_USED, once, payload)
            return


def _of_tokens(tx: Connection, settings: ConnectionSettings) -> Iterator[Notice]:
    """Yield a notice for each app whose tokens were revoked."""
    ghl, timerex = settings.ghl, settings.timerex
    apps = (
        ("GHL", ghl.auth, str(ghl.location_id)),
        ("TimeRex", timerex.auth, f"timerex:{timerex.credentials}"),
    )
    for service, auth, owner in apps:
        ended = oauth_tokens.ended_families(tx, owner) if auth == "oauth" else []
        if ended:
            once = (f"warned:tokens:{service}", " ".join(ended))
            yield Notice(settings.name, ACCESS_ENDED, once, {"service": service})
