"""Batches of a live run side by side: what a failed one stops, and that none is left uncounted."""

import asyncio
from datetime import timedelta

import pytest

from flows.live.lease import take_lease
from flows.live.live_run import LiveRun
from flows.live.live_worker import Connections, LiveWorker
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox.inbox_queue import Due
from timerex_ghl.domain.shared.errors import CredentialsError, FatalError, ScopeError
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.dispatch import Batch, Dispatcher
from timerex_ghl.orchestration.run_reports import completed

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
        lease = await take_lease(ledger)
        here = LiveWorker(ledger, dispatcher, Connections(ledger, dispatcher), lease)
        live_run = LiveRun(here, timedelta(minutes=1), most=10, work=refuse)

        live_run.handle(BATCH)
        await live_run.finish()

    assert list(dispatcher.open) == open_then


async def test_every_batch_counts_in_whatever_order_they_end(ledger: Ledger) -> None:
    ends = [asyncio.Event() for _ in range(5)]
    began = asyncio.Event()
    found = [Counts(applied=1, writes=2)] * 2 + [Counts(review=1)] + [Counts(no_op=1)] * 2
    running = iter(range(len(ends)))

    async def work(*_arguments: object) -> Counts:
        number = next(running)
        if number == len(ends) - 1:
            began.set()
        await ends[number].wait()
        return found[number]

    async with ledger.listening() as alarm:
        dispatcher = Dispatcher(ledger, alarm)
        lease = await take_lease(ledger)
        worker = LiveWorker(ledger, dispatcher, Connections(ledger, dispatcher), lease)
        live_run = LiveRun(worker, timedelta(minutes=1), most=10, work=work)
        for number in range(len(ends)):
            due = Due(EventId(f"e{number}"), NAME, RecordRef.parse(f"contact:c{number}"))
            live_run.handle(Batch(NAME, (due,)))
        await began.wait()
        for end in (ends[2], ends[4], ends[0], ends[3], ends[1]):
            end.set()
        await live_run.finish()

    assert live_run.counts == Counts(applied=2, no_op=2, review=1, writes=4)
    assert completed(live_run.counts).name == "NeedsReview"
    assert completed(Counts(applied=2)).name == "Completed"
