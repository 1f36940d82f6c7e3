"""Faults that random stories found, each in its fewest steps."""

from tests.deliveries import confirmed
from tests.engine.world import World

RIKU = "riku@hinode.example"
PHONE = "+819012345678"


async def test_tags_are_kept_where_the_contact_was_made_again_in_ghl(world: World) -> None:
    riku = await world.add(RIKU)
    await world.edit(riku.id, tags=("vip",))
    await world.sync()
    gone = (await world.one_in_crm(RIKU))["id"]
    await world.ask("DELETE", f"/ghl/contacts/{gone}")
    await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "email": RIKU})

    await world.handle(await world.notify("ContactDelete", gone))

    assert (await world.one_in_crm(RIKU))["tags"] == ["vip"]
    assert (await world.here(riku.id)).contact.tags == {"vip"}


async def test_a_sync_passes_an_identity_review_of_a_ghl_event(world: World) -> None:
    await world.add(RIKU)
    await world.sync()
    made = await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "email": RIKU})
    await world.handle(await world.notify("ContactCreate", made["contact"]["id"]))

    await world.sync()


async def test_an_email_that_ghl_refuses_as_taken_is_not_sent_by_every_sync(world: World) -> None:
    kana = await world.add(None, first_name="Kana", phone="03-1234-5678")
    await world.sync()
    await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "email": RIKU})
    await world.edit(kana.id, email=RIKU)
    event = await world.receive(confirmed())
    await world.handle(event)
    await world.sync(scan="first")
    await world.handle(event)
    await world.calls()

    await world.sync(scan="second")
    await world.handle(event)

    assert await world.writes() == []


async def test_a_phone_alone_makes_nobody_of_a_known_person(world: World) -> None:
    guest = await world.add(None, first_name="Riku", phone=PHONE)
    await world.sync()
    gone = (await world.crm())[0]["id"]
    other = await world.add("hana@hinode.example", first_name="Hana")
    await world.sync()
    await world.ask("DELETE", f"/ghl/contacts/{gone}")
    await world.edit_crm("hana@hinode.example", phone=PHONE)

    await world.handle(await world.notify("ContactDelete", gone))

    assert not (await world.here(guest.id)).deleted
    assert not (await world.here(other.id)).deleted
