"""When webhooks count as silent: changes happened that they should have told, and none came since.

Who is told of a silence goes and looks, so one webhook that got lost is none: polls repair that.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from timerex_ghl.domain.models import Record

GRACE = timedelta(minutes=10)
"""A webhook may come this late: the services try again."""

SKEW = timedelta(minutes=2)
"""Their clocks and ours may differ by this much."""

ENOUGH = 2
"""Changes without a webhook that make a silence."""


class Silence(Record):
    """Webhooks that did not come.

    Attributes:
        changes: How many they should have told.
        since: When the first of these happened.
        newest: And the last.
    """

    changes: int
    since: AwareDatetime
    newest: AwareDatetime


def find_silence(
    changes: Collection[datetime], last_delivery_at: datetime | None, now: datetime
) -> Silence | None:
    """Tell whether webhooks are silent.

    Args:
        changes: When what polls found had happened, by the service's clock.
        last_delivery_at: When the last webhook came; None: never.
        now: By our clock.
    """
    untold = sorted(
        at
        for at in changes
        if at <= now - GRACE and (last_delivery_at is None or at > last_delivery_at + SKEW)
    )
    if len(untold) < ENOUGH:
        return None
    return Silence(changes=len(untold), since=untold[0], newest=untold[-1])
