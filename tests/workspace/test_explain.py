from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.workspace.explain import explain

TOKYO = ConnectionName("tokyo")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FLOW, TASK = "5ef4edc7-12bc-4023-af8e-bea21e635770", "0b9f3a52-0000-4000-8000-000000000001"


def applied(tx: Connection) -> EventId:
    event_id, _ = inbox.store_event(
        tx, connection=TOKYO, source="timerex", type="event_confirmed", dedupe_key="1",
        body='{"name": "Sato Riku"}', now=NOW, record=RecordRef.parse("booking:b1"),
    )  # fmt: skip
    inbox.finish_events(tx, [event_id], inbox.InboxState.APPLIED, now=NOW)
    audit.record(
        tx, connection=TOKYO, what="event applied", subject=RecordRef.event(event_id), run_id=TASK,
        detail={"writes": 3, "ghl": None}, now=NOW, flow_run_id=FLOW,
    )  # fmt: skip
    return event_id


async def test_an_event_leads_to_its_runs(ledger: Ledger, ledger_url: str) -> None:
    event_id = await ledger.write(applied)

    lines = await explain(ledger_url, event_id, "http://127.0.0.1:4200")

    text = "\n".join(lines)
    assert "state       applied" in text
    assert f"http://127.0.0.1:4200/runs/flow-run/{FLOW}" in text
    assert f"http://127.0.0.1:4200/runs/task-run/{TASK}" in text
    assert "Sato" not in text


@pytest.mark.parametrize("run_id", [FLOW, TASK])
async def test_a_run_leads_to_its_events(ledger: Ledger, ledger_url: str, run_id: str) -> None:
    event_id = await ledger.write(applied)

    (line,) = await explain(ledger_url, run_id, None)

    assert f"event:{event_id}" in line


@pytest.mark.parametrize("unknown", ["e_00000000000000000000", FLOW])
async def test_what_nobody_knows_is_said_in_one_line(
    ledger: Ledger, ledger_url: str, unknown: str
) -> None:
    del ledger
    with pytest.raises(SettingsError, match=f"no .*{unknown} in this ledger"):
        await explain(ledger_url, unknown, None)
