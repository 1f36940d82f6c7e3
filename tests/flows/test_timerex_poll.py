"""The poll of TimeRex as a flow, on the real Prefect server."""

from datetime import UTC, datetime, timedelta
from itertools import count

from flows.booking_to_crm import booking_to_crm
from flows.timerex_poll import timerex_poll
from tests.flows.conftest import Drafts, Engine
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.domain.shared.models import BookingId, ConnectionName
from timerex_ghl.engine.runtime import Runtime, use_runtime, utc_now
from timerex_ghl.engine.writes.lock_names import lock_of_job
from timerex_ghl.engine.writes.locking import locked


async def with_key(engine: Engine, drafts: Drafts) -> ConnectionName:
    """Publish a connection with a TimeRex API key."""
    info = engine.stage.sandbox.timerex
    key = {"api_key": info["api_key"], "base_url": info["base_url"]}
    return await drafts.publish(timerex={**drafts.timerex, **key})


async def book(engine: Engine, email: str) -> BookingId:
    starts_at = datetime.now(UTC) + timedelta(days=2)
    guest = {"guest_name": "Noa", "guest_email": email, "starts_at": starts_at.isoformat()}
    made = await engine.stage.sandbox.send("POST", "/timerex/bookings", guest)
    return BookingId(made["event_id"])


async def test_without_credentials_a_run_says_what_to_enter_and_does_nothing(
    engine: Engine, ready: ConnectionName
) -> None:
    state = await engine.here(timerex_poll, ready)

    assert (state.name, state.is_completed()) == ("Skipped", True)
    assert "enter an API key in the TimeRex Credentials block" in (state.message or "")
    assert len((state.message or "").splitlines()) == 1


async def test_a_booking_without_a_webhook_is_found_and_handled_by_the_next_run(
    engine: Engine, drafts: Drafts
) -> None:
    name = await with_key(engine, drafts)
    booking_id = await book(engine, "noa.poll@umi.example")

    found = await engine.here(timerex_poll, name)
    handled = await engine.here(booking_to_crm, name)
    again = await engine.here(timerex_poll, name)

    row = await engine.stage.ledger.read(bookings.get_booking, name, booking_id)
    assert found.name == "Completed", found.message
    assert "put into the inbox" in (found.message or "")
    assert handled.is_completed(), handled.message
    assert row is not None
    assert row.verified
    assert "put into the inbox" not in (again.message or "")


async def test_a_run_whose_time_is_up_says_that_the_next_goes_on(
    engine: Engine, drafts: Drafts
) -> None:
    name = await with_key(engine, drafts)
    five_minutes_later = (utc_now() + n * timedelta(minutes=5) for n in count())

    with use_runtime(Runtime(clock=lambda: next(five_minutes_later))):
        state = await engine.here(timerex_poll, name)

    assert state.is_completed()
    assert "time is up, the next run continues" in (state.message or "")


async def test_a_second_run_does_nothing_beside_the_first(engine: Engine, drafts: Drafts) -> None:
    name = await with_key(engine, drafts)

    async with locked(
        engine.stage.ledger, [lock_of_job(name, "timerex-poll")], run_id="the-other-run"
    ):
        with use_runtime(Runtime(lease_wait_s=0)):
            state = await engine.here(timerex_poll, name)

    assert state.name == "Skipped"
    assert "the-other-run" in (state.message or "")
