"""Effect of a failed batch on the connection's other batches."""

from datetime import timedelta

import pytest

from flows.live.live_run import LiveRun
from flows.live.live_worker import Connections, LiveWorker
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox.inbox_queue import Due
from timerex_ghl.domain.shared.errors import CredentialsError, FatalError, ScopeError
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.dispatch import Batch, Dispatcher

NAME = ConnectionName("aoba")
BATCH = Batch(NAME, (Due(EventId("e1"), NAME, RecordRef.parse("contact:c1")),))


@pytest.mark.parametrize(
    ("error", "open_then"),
    [
        (CredentialsError("connect again"), []),
        (ScopeError("GHL says no", scope="contacts.write"), []),
        (ScopeError("we know it lacks", scope="contacts.write", was_asked=False), [NAME]),
    ],
)
async def test_only_what_no_other_event_would_survive_rests_a_connection(
    ledger: Ledger,
    error: FatalError,
    open_then: list[ConnectionName],
) -> None:
    async def refuse(*_arguments: object) -> Counts:
        raise error

    async with ledger.listening() as alarm:
        dispatcher = Dispatcher(ledger, alarm)
        dispatcher.open = [NAME]
        here = LiveWorker(ledger, dispatcher, Connections(ledger, dispatcher))
        live_run = LiveRun(here, timedelta(minutes=1), most=10, work=refuse)

        live_run.handle(BATCH)
        await live_run.finish()

    assert list(dispatcher.open) == open_then
