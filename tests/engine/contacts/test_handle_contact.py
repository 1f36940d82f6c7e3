"""Contacts reconciled in bulk."""

from dataclasses import replace

import httpx
import pytest

from tests.engine.world import NAME, World
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import Unlimited
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import FieldName, GhlContact, GhlField, GhlValues
from timerex_ghl.engine.contacts.claim_contact import claim_contact
from timerex_ghl.engine.contacts.pull_contacts import Scope
from timerex_ghl.engine.writes.lock_names import lock_of_contact, locks_of_keys

RIKU = "riku@hinode.example"


@pytest.mark.both_databases
async def test_people_of_both_systems_match_without_doubles(world: World) -> None:
    await world.ask("POST", "/ghl/contacts", {"email": "Riku@Hinode.example", "city": "Osaka"})
    await world.ask("POST", "/ghl/contacts", {"email": "mei@umi.example", "firstName": "Mei"})
    riku = await world.add(RIKU, first_name="Riku")
    await world.add("yui@minato.example", first_name="Yui")

    counts = await world.sync(Scope.FULL)

    assert counts.review == 0
    assert len(await world.crm()) == 3
    assert len(await world.people()) == 3
    assert (await world.one_in_crm(RIKU))["firstName"] == "Riku"
    assert (await world.here(riku.id)).contact.values[FieldName("city")] == "Osaka"


@pytest.mark.both_databases
async def test_a_claim_locks_the_person_and_both_their_keys(world: World) -> None:
    """Otherwise a booking of theirs, which is found by its keys, runs at the same time."""
    row = await world.add(RIKU, phone="090-1234-5678")
    keys = locks_of_keys(NAME, Keys(RIKU, "+819012345678"))

    async with claim_contact(world.context, row.id) as claim:
        assert claim is not None
        for name in (lock_of_contact(NAME, row.id), *keys):
            assert await world.ledger.read(locks.holder_of, name) is not None

    for name in (lock_of_contact(NAME, row.id), *keys):  # the release is queued before this
        assert await world.ledger.write(locks.holder_of, name) is None


class FillingClient(GhlClient):
    """GHL fills in a country when it creates a contact."""

    async def create_contact(self, values: GhlValues) -> GhlContact:
        return await super().create_contact({**values, GhlField("country"): "JP"})


async def test_what_ghl_fills_in_on_creation_is_taken_over_at_once(world: World) -> None:
    ghl = world.context.settings.ghl
    row = await world.add(RIKU, first_name="Riku")
    async with httpx.AsyncClient(verify=NO_TLS) as http:
        filling = FillingClient(
            http,
            world.context.ghl.auth,
            Unlimited(),
            base_url=ghl.base_url,
            location_id=ghl.location_id,
        )
        await replace(world, context=replace(world.context, ghl=filling)).sync()

    assert (await world.here(row.id)).contact.values[FieldName("country")] == "JP"
    await world.writes()
    counts = await world.sync()
    assert (counts.applied, await world.writes()) == (0, [])


@pytest.mark.both_databases
async def test_a_second_sync_makes_no_write_and_one_call(world: World) -> None:
    await world.ask("POST", "/ghl/bulk", {"count": 20, "seed": 1})
    await world.add(RIKU, first_name="Riku")
    await world.sync()
    await world.sync()
    await world.calls()

    counts = await world.sync()

    assert counts.applied == 0
    assert await world.calls() == ["POST /contacts/search"]


async def test_an_edit_in_the_workspace_costs_one_read_and_one_write(world: World) -> None:
    row = await world.add(RIKU, first_name="Riku", phone="090-1234-5601")
    await world.sync()
    await world.sync()
    await world.calls()

    await world.edit(row.id, city="Kyoto")
    await world.sync()

    assert (await world.one_in_crm(RIKU))["city"] == "Kyoto"
    reads_and_writes = [call.split()[0] for call in await world.calls() if "/search" not in call]
    assert sorted(reads_and_writes) == ["GET", "PUT"]


async def test_edits_of_different_fields_on_both_systems_are_merged(world: World) -> None:
    row = await world.add(RIKU, first_name="Riku")
    await world.sync()
    await world.edit(row.id, website="https://hinode.example")
    await world.edit_crm(RIKU, city="Osaka")

    await world.sync()

    contact, here = await world.one_in_crm(RIKU), await world.here(row.id)
    assert (contact["website"], contact["city"]) == ("https://hinode.example", "Osaka")
    assert here.contact.values[FieldName("city")] == "Osaka"


async def test_tags_travel_one_by_one_and_leave_other_peoples_alone(world: World) -> None:
    row = await world.add(RIKU, first_name="Riku")
    await world.edit(row.id, tags=("customer",))
    await world.sync()
    await world.edit_crm(RIKU, tags=["customer", "vip"])
    await world.edit(row.id, tags=("newsletter",))

    await world.sync()

    assert sorted((await world.one_in_crm(RIKU))["tags"]) == ["customer", "newsletter", "vip"]
    assert (await world.here(row.id)).contact.tags == {"customer", "newsletter", "vip"}


async def test_a_dry_run_writes_to_neither_side(world: World) -> None:
    await world.ask("POST", "/ghl/contacts", {"email": "mei@umi.example"})
    await world.add(RIKU, first_name="Riku")
    await world.calls()

    counts = await world.sync(dry_run=True)

    assert counts.applied == 2
    assert await world.writes() == []
    assert len(await world.people()) == 1
    assert (await world.sync()).applied == 2


async def test_a_person_with_neither_email_nor_phone_waits_for_somebody(world: World) -> None:
    await world.add(None, first_name="Nameless")

    assert (await world.sync()).review == 1
    assert (await world.sync()).review == 0
    assert await world.crm() == []


async def test_a_contact_deleted_in_ghl_is_a_review_and_not_made_again(world: World) -> None:
    row = await world.add(RIKU, first_name="Riku")
    await world.sync()
    await world.ask("DELETE", f"/ghl/contacts/{(await world.one_in_crm(RIKU))['id']}")
    await world.edit(row.id, city="Kyoto")

    counts = await world.sync()

    assert counts.review == 1
    assert await world.crm() == []


@pytest.mark.parametrize("region_form", ["090-1234-5601", "０９０－１２３４－５６０１"])
async def test_a_phone_written_at_home_is_the_same_as_ghls(world: World, region_form: str) -> None:
    await world.ask("POST", "/ghl/contacts", {"phone": "+819012345601", "firstName": "Kana"})
    await world.add(None, phone=region_form, last_name="Mori")

    await world.sync(Scope.FULL)

    (contact,) = await world.crm()
    assert (contact["firstName"], contact["lastName"]) == ("Kana", "Mori")
