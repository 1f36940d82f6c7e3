"""When webhooks count as silent: changes happened that they did not report.

A silence alerts a person, so one lost webhook does not count as one: polls repair that.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from timerex_ghl.domain.shared.models import Record

GRACE = timedelta(minutes=10)
"""How late a webhook may arrive: the services retry."""

SKEW = timedelta(minutes=2)
"""How much the services' clocks and ours may differ."""

ENOUGH = 2
"""How many changes without a webhook count as a silence."""


class Silence(Record):
    """Webhooks that did not arrive.

    Attributes:
        changes: How many changes they should have reported.
        since: When the first of these happened.
        newest: When the last of them happened.
    """

    changes: int
    since: AwareDatetime
    newest: AwareDatetime


def find_silence(
    changes: Collection[datetime], last_delivery_at: datetime | None, now: datetime
) -> Silence | None:
    """Return the silence of webhooks; None where there is none.

    Args:
        changes: When what polls found had happened, by the service's clock.
        last_delivery_at: When the last webhook arrived; None: never.
        now: By our clock.
    """
    unreported = sorted(
        at
        for at in changes
        if at <= now - GRACE and (last_delivery_at is None or at > last_delivery_at + SKEW)
    )
    if len(unreported) < ENOUGH:
        return None
    return Silence(changes=len(unreported), since=unreported[0], newest=unreported[-1])
