"""A failure at GHL affects its own record only, and is not retried in vain."""

from tests.deliveries import confirmed
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.domain.shared.models import FieldName
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.process import process_record

RIKU, MEI = "riku@hinode.example", "mei@umi.example"


async def test_a_search_that_lags_behind_our_writes_is_not_fought(world: World) -> None:
    row = await world.add(RIKU, city="Nara")
    await world.sync()
    await world.ask("POST", "/ghl/settings", {"search_lag_ms": 60_000})
    await world.edit(row.id, city="Kobe")
    await world.sync(scan="2")
    await world.calls()

    await world.sync(scan="3")

    assert await world.writes() == []
    assert (await world.one_in_crm(RIKU))["city"] == "Kobe"
    assert (await world.here(row.id)).contact.values[FieldName("city")] == "Kobe"


async def test_one_record_that_is_refused_keeps_no_other_back(world: World) -> None:
    await world.add(RIKU)
    await world.add(MEI)
    await world.ask(
        "POST", "/ghl/faults", {"operation": "create-contact", "kind": "status", "value": 422}
    )

    counts = await world.sync()

    assert (counts.applied, counts.dead) == (1, 1)
    assert len(await world.crm()) == 1


async def test_a_contact_that_search_does_not_show_yet_is_accepted_when_ghl_names_it(
    world: World,
) -> None:
    made = await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "email": RIKU})
    row = await world.add(RIKU, city="Kobe")  # no page showed the GHL contact

    await world.ask("POST", "/ghl/settings", {"search_lag_ms": 60_000})
    await world.sync()

    (contact,) = await world.crm()
    assert (contact["id"], contact["city"]) == (made["contact"]["id"], "Kobe")
    assert not (await world.here(row.id)).deleted


async def test_an_upsert_is_never_sent(world: World) -> None:
    await world.ask("POST", "/ghl/contacts", {"firstName": "Mei", "email": MEI})
    await world.add(RIKU, phone="+81312345678")
    await world.sync()
    await world.handle(await world.receive(confirmed("b1", "noa@willow.example")))

    assert not [call for call in await world.calls() if call.endswith("/upsert")]


async def test_an_unknown_error_in_a_bulk_run_is_given_up_and_a_person_is_asked(
    world: World,
) -> None:
    row = await world.add(RIKU)

    async def fail(_context: SyncContext, _key: RecordRef) -> Outcome:
        raise ValueError(RIKU)

    outcome = await process_record(world.context, fail, RecordRef.contact(row.id))

    (review,) = await world.ledger.read(reviews.open_reviews, NAME)
    assert outcome.what == "dead"
    assert (review.kind, review.reason) == ("dead-letter", "unexpected ValueError")
