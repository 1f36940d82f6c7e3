"""Looking after what waits: an event in Prefect for every connection whose events wait too long."""

from datetime import timedelta

from prefect import task
from prefect.events import emit_event
from sqlalchemy import Connection

from blocks.sides import load_ledger_store
from tasks.automations import WAITING_TOO_LONG
from tasks.policy import AT_THE_DESK
from timerex_ghl.adapters.ledger import clock, inbox, published
from timerex_ghl.sync.models import ConnectionName


@task(**AT_THE_DESK)
async def tell_what_waits_too_long(older_than: timedelta) -> list[ConnectionName]:
    """Tell Prefect of every connection whose oldest event has waited for longer; name them."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        late = await ledger.read(_late, older_than)
    for connection, (number, minutes) in late.items():
        emit_event(
            event=WAITING_TOO_LONG,
            resource={"prefect.resource.id": f"timerex-ghl.connection.{connection}"},
            payload={"connection": connection, "waiting": number, "minutes": minutes},
        )
    return [*late]


def _late(tx: Connection, older_than: timedelta) -> dict[ConnectionName, tuple[int, int]]:
    """Find connections that are late: how many events wait, and the oldest for how many minutes."""
    now = clock.now(tx)
    found: dict[ConnectionName, tuple[int, int]] = {}
    for version in published.all_published(tx):
        name = version.settings.name
        waiting = inbox.what_waits(tx, name)
        if waiting.since is not None and now - waiting.since > older_than:
            found[name] = waiting.number, int((now - waiting.since).total_seconds() // 60)
    return found
