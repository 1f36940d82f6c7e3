"""With a read-only token the workspace gets all of GHL, and every write reports its scope."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.engine.world import NAME, World
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import Unlimited
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import intents
from timerex_ghl.domain.shared.errors import ScopeError
from timerex_ghl.domain.shared.models import ContactId, FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef

LACKS = "the token lacks contacts.write, which contact.update needs"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def pull_only(world: World, http: httpx.AsyncClient) -> World:
    """Go on with a token that may only read contacts."""
    scopes = ["contacts.readonly"]
    minted = await world.ask("POST", "/ghl/tokens", {"scopes": scopes})
    settings = world.context.settings.ghl
    client = GhlClient(
        http,
        PrivateToken(minted["access_token"], frozenset(scopes)),
        Unlimited(),
        base_url=settings.base_url,
        location_id=settings.location_id,
    )
    return World(replace(world.context, ghl=client), world.control)


async def value(world: World, contact_id: ContactId, field: str) -> object:
    return (await world.here(contact_id)).contact.values.get(FieldName(field))


async def refused(world: World, scan: str = "scan") -> None:
    with pytest.raises(ScopeError, match=LACKS):
        await world.sync(scan=scan)


async def test_an_edit_that_may_not_be_written_is_not_tried_again_and_again(world: World) -> None:
    riku = await world.add("riku@hinode.example", city="Osaka")
    await world.sync()
    await world.edit(riku.id, website="https://riku.example")
    now = datetime.now(UTC)
    event_id, _ = await world.ledger.write(
        inbox.store_event,
        connection=NAME,
        source="workspace",
        type="contact changed",
        dedupe_key="edit",
        body="{}",
        now=now,
        record=RecordRef.contact(riku.id),
    )

    async with httpx.AsyncClient() as http:
        reading = await pull_only(world, http)
        with pytest.raises(ScopeError, match=LACKS):
            await reading.handle(event_id)

    event = await world.ledger.read(inbox.read_event, event_id)
    assert event is not None
    assert (event.state, event.attempts) == ("waiting", 0)
    assert event.next_at is not None
    assert event.next_at >= now + timedelta(seconds=60)


async def test_edits_that_may_not_be_written_keep_nobody_from_reading(world: World) -> None:
    riku = await world.add("riku@hinode.example", city="Osaka")
    yui = await world.add("yui@hinode.example", city="Osaka")
    await world.sync()
    await world.edit(riku.id, tags=("vip",), website="https://riku.example")
    for email in ("riku@hinode.example", "yui@hinode.example"):
        await world.edit_crm(email, city="Nara", tags=["lead"])
    await world.calls()

    async with httpx.AsyncClient() as http:
        reading = await pull_only(world, http)
        await refused(reading)
        assert await world.writes() == []
        rows = [await world.here(one.id) for one in (riku, yui)]
        await refused(reading, "again")  # reported as long as it is pending

    assert [row.contact.values[FieldName("city")] for row in rows] == ["Nara", "Nara"]
    assert [row.contact.tags for row in rows] == [{"vip", "lead"}, {"lead"}]
    assert await world.here(riku.id) == rows[0]
    assert not await world.ledger.read(intents.open_intents, NAME, [RecordRef.contact(riku.id)])

    await world.sync(scan="granted")

    remote = await world.one_in_crm("riku@hinode.example")
    assert (remote["website"], remote["city"]) == ("https://riku.example", "Nara")
    assert sorted(remote["tags"]) == ["lead", "vip"]


async def test_people_who_are_matched_for_the_first_time_get_what_ghl_knows(world: World) -> None:
    made = {"email": "riku@hinode.example", "firstName": "Riku", "city": "Nara"}
    await world.ask("POST", "/ghl/contacts", made)
    riku = await world.add("riku@hinode.example", website="https://riku.example")

    async with httpx.AsyncClient() as http:
        await refused(await pull_only(world, http))

    assert await value(world, riku.id, "first_name") == "Riku"
    assert await value(world, riku.id, "city") == "Nara"
    assert "website" not in await world.one_in_crm("riku@hinode.example")

    await world.sync(scan="granted")

    assert (await world.one_in_crm("riku@hinode.example"))["website"] == "https://riku.example"


async def test_a_conflict_that_may_not_be_written_is_recorded_once(world: World) -> None:
    riku = await world.add("riku@hinode.example", city="Osaka")
    await world.sync()
    await world.edit_crm("riku@hinode.example", city="Nara", state="Nara")
    world.clock.advance(timedelta(minutes=5))
    await world.edit(riku.id, city="Kobe")

    async with httpx.AsyncClient() as http:
        reading = await pull_only(world, http)
        for scan in ("first", "second", "third"):
            await refused(reading, scan)

    assert await value(world, riku.id, "city") == "Kobe"
    assert await value(world, riku.id, "state") == "Nara"
    assert await world.ledger.read(reviews.open_reviews, NAME) == []

    await world.sync(scan="granted")

    assert (await world.one_in_crm("riku@hinode.example"))["city"] == "Kobe"


async def test_a_person_whom_ghl_does_not_know_is_refused_and_nothing_is_stored(
    world: World,
) -> None:
    await world.add("riku@hinode.example")

    async with httpx.AsyncClient() as http:
        reading = await pull_only(world, http)
        with pytest.raises(ScopeError, match=r"which contact\.create needs"):
            await reading.sync()

    assert await world.crm() == []
    assert await world.ledger.read(intents.count_done, NAME, LONG_AGO) == {}
