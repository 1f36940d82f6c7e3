from datetime import datetime, timedelta

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef

AOBA, HINODE = ConnectionName("aoba"), ConnectionName("hinode")
RIKU, OTHER = RecordRef.parse("contact:c_1"), RecordRef.parse("contact:c_2")
KANA = RecordRef.parse("ghl:g1")
LATER = make.NOW + timedelta(hours=1)


async def save(
    ledger: Ledger,
    key: RecordRef,
    city: str = "Sendai",
    *,
    connection: ConnectionName = AOBA,
    now: datetime = make.NOW,
) -> None:
    plan = {"to_ghl": [{"kind": "contact.update", "values": {"city": city}}], "base": None}
    await ledger.write(dry_run_plans.save_plan, connection, key, plan, now)


def plan_of(city: str) -> dict[str, object]:
    return {"to_ghl": [{"kind": "contact.update", "values": {"city": city}}], "base": None}


async def test_plans_read_back_by_record(ledger: Ledger) -> None:
    await save(ledger, RIKU, "仙台")
    await save(ledger, KANA, "Kobe")

    found = await ledger.read(dry_run_plans.read_plans, AOBA, make.NOW)

    assert found == {RIKU: plan_of("仙台"), KANA: plan_of("Kobe")}


async def test_the_latest_plan_of_a_record_stands(ledger: Ledger) -> None:
    await save(ledger, RIKU, "Sendai")

    await save(ledger, RIKU, "Kobe", now=LATER)

    assert await ledger.read(dry_run_plans.read_plans, AOBA, LATER) == {RIKU: plan_of("Kobe")}


async def test_plans_of_earlier_runs_and_other_connections_are_omitted(ledger: Ledger) -> None:
    await save(ledger, RIKU)
    await save(ledger, OTHER, now=LATER)
    await save(ledger, RecordRef.parse("contact:c_3"), connection=HINODE, now=LATER)

    found = await ledger.read(dry_run_plans.read_plans, AOBA, LATER)

    assert [*found] == [OTHER]


def test_a_plan_is_reported_by_its_fields_and_without_values() -> None:
    plan = {
        "to_ghl": [
            {"kind": "contact.update", "values": {"city": "京都", "address1": None}},
            {"kind": "tags.add", "tags": ["vip"]},
        ],
        "to_workspace": {"values": {"phone": "+819012345678"}, "tags_added": ["vip"]},
    }

    assert dry_run_plans.fields_to_ghl(plan) == ["contact.update: address1, city", "tags.add"]
    assert dry_run_plans.fields_to_workspace(plan) == ["phone", "tags"]
    assert dry_run_plans.fields_to_workspace(
        {"values": {"email": "a@b.example", "city": None}}
    ) == ["email"]
