"""Identity reviews, where a key leads to another contact: asked once, and the answer is kept."""

from datetime import timedelta

import pytest

from tests.deliveries import confirmed
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.reviews.review_decisions import Decision, Way
from timerex_ghl.domain.shared.errors import NotFoundError
from timerex_ghl.domain.shared.models import ContactId, EventId, FieldName
from timerex_ghl.engine.reviews.resolve_review import resolve

RIKU = "riku@hinode.example"
PHONE = "+81312345678"
FIRST = FieldName("first_name")


def decision(way: Way, **more: object) -> Decision:
    return Decision.model_validate({"way": way, "by": "kana", **more})


async def waiting(world: World) -> list[Review]:
    return await world.ledger.read(reviews.open_reviews, NAME)


async def make_in_crm(world: World, **values: str) -> str:
    return (await world.ask("POST", "/ghl/contacts", values))["contact"]["id"]


async def linked_to(world: World, contact_id: ContactId) -> str | None:
    link = await world.ledger.read(links.link_of_local, NAME, "contact", contact_id)
    return link.remote_id if link else None


async def test_a_second_contact_with_ones_phone_does_not_take_ones_place(world: World) -> None:
    riku = await make_in_crm(world, firstName="Riku", phone=PHONE)
    await world.sync()
    kana = await make_in_crm(world, firstName="Kana", phone=PHONE)

    counts = await world.sync()

    (row,) = await world.people()
    (review,) = await waiting(world)
    assert counts.review == 1
    assert row.contact.values[FIRST] == "Riku"
    assert (review.kind, str(review.subject)) == ("identity", f"ghl:{kana}")
    assert review.detail == {"people": [row.id], "ghl_ids": [riku]}
    assert (await world.sync()).review == 0, "it is asked once"


async def test_two_people_who_share_a_phone_both_live_on(world: World) -> None:
    riku = await make_in_crm(world, firstName="Riku", phone=PHONE)
    await world.sync()
    kana = await make_in_crm(world, firstName="Kana", phone=PHONE)
    await world.sync()
    (review,) = await waiting(world)

    await resolve(world.context, review.id, decision(Way.APART))
    counts = await world.sync()

    names = {
        row.contact.values[FIRST]: await linked_to(world, row.id) for row in await world.people()
    }
    assert names == {"Riku": riku, "Kana": kana}
    assert (counts.review, await waiting(world)) == (0, [])
    assert (await world.sync()).in_words() == "nothing to do; 0 writes to GHL"


async def test_five_contacts_with_one_phone_and_an_email_each_are_five_people(
    world: World,
) -> None:
    names = ("riku", "kana", "aoi", "kenji", "hana")
    for name in names:
        await make_in_crm(world, firstName=name, email=f"{name}@hinode.example", phone=PHONE)

    counts = await world.sync()

    assert (counts.review, await waiting(world)) == (0, [])
    assert {row.contact.values[FIRST] for row in await world.people()} == {*names}
    assert (await world.sync()).in_words() == "nothing to do; 0 writes to GHL"


async def doubted(world: World) -> tuple[ContactId, str, Review]:
    """Create a person with an e-mail that two contacts of GHL have."""
    ghl_id = await make_in_crm(world, firstName="Riku", email=RIKU, phone=PHONE)
    await make_in_crm(world, firstName="Rikuo", email="rikuo@hinode.example")
    await world.edit_crm("rikuo@hinode.example", additionalEmails=[RIKU])
    world.clock.advance(timedelta(minutes=5))  # so that the workspace's phone is the newer one
    row = await world.add(RIKU, phone="+81312345679", city="Nara")
    await world.sync()
    (review,) = await waiting_about(world, row.id)
    return row.id, ghl_id, review


async def waiting_about(world: World, record_id: str) -> list[Review]:
    return [one for one in await waiting(world) if one.subject.id == record_id]


@pytest.mark.both_databases
async def test_a_review_closes_by_itself_when_its_cause_is_gone(world: World) -> None:
    await world.ask("POST", "/ghl/settings", {"allow_duplicates": True})
    riku, ghl_id, _ = await doubted(world)
    event_id = await world.receive(confirmed())
    await world.handle(event_id)
    asked = {review.subject.kind for review in await waiting(world)}

    await world.edit_crm("rikuo@hinode.example", additionalEmails=[])
    await world.sync()
    outcomes = await world.handle(event_id)
    await world.sync()

    assert "contact" in asked
    assert await waiting(world) == []
    assert await linked_to(world, riku) == ghl_id
    assert [one.what for one in outcomes] in (["applied"], ["no-op"])
    assert len(await world.people()) == 2


async def test_somebody_who_is_kept_apart_becomes_a_contact_of_their_own(world: World) -> None:
    await world.ask("POST", "/ghl/settings", {"allow_duplicates": True})
    riku, _, review = await doubted(world)
    known = {one["id"] for one in await world.crm()}

    await resolve(world.context, review.id, decision(Way.APART))
    await world.sync()

    made = await linked_to(world, riku)
    assert made not in {None, *known}
    assert len(await world.crm()) == 3
    assert await waiting_about(world, riku) == []


async def test_where_ghl_makes_no_second_contact_that_is_said_once(world: World) -> None:
    riku, _, review = await doubted(world)
    await resolve(world.context, review.id, decision(Way.APART))
    await world.sync()

    (next_one,) = await waiting_about(world, riku)
    await resolve(world.context, next_one.id, decision(Way.DROP))
    counts = await world.sync()

    assert "GHL refuses a second one: allow duplicates there" in next_one.reason
    assert (counts.review, await waiting_about(world, riku)) == (0, [])
    assert await linked_to(world, riku) is None


async def test_somebody_who_is_linked_is_handled_at_once(world: World) -> None:
    riku, ghl_id, review = await doubted(world)

    resolved = await resolve(world.context, review.id, decision(Way.LINK, link_to=ghl_id))

    assert resolved.in_words() == f"{review.id} is resolved: link {ghl_id}"
    assert (await world.one_in_crm(RIKU))["city"] == "Nara"
    assert await linked_to(world, riku) == ghl_id
    assert await waiting_about(world, riku) == await waiting_about(world, ghl_id) == []


async def test_a_contact_of_ghl_is_linked_to_a_person_here(world: World) -> None:
    ghl_id = await make_in_crm(world, firstName="Riku", email=RIKU)
    riku = (await world.add(RIKU, city="Nara")).id
    await world.add(RIKU, city="Kobe")
    await world.handle(await world.notify("ContactCreate", ghl_id))
    (review,) = await waiting_about(world, ghl_id)

    await resolve(world.context, review.id, decision(Way.LINK, link_to=riku))

    assert await linked_to(world, riku) == ghl_id


async def test_what_is_not_there_is_linked_to_nothing(world: World) -> None:
    _, _, review = await doubted(world)

    with pytest.raises(NotFoundError):
        await resolve(world.context, review.id, decision(Way.LINK, link_to="nobody"))

    assert review.id in {one.id for one in await waiting(world)}


async def doubtful_guest(world: World) -> tuple[EventId, str, Review]:
    """Book as a guest whose e-mail two workspace contacts have."""
    first = await world.add(RIKU, city="Nara")
    await world.sync()
    await world.add(RIKU, city="Kobe")
    event_id = await world.receive(confirmed())
    await world.handle(event_id)
    (review,) = await waiting(world)
    assert str(review.subject) == f"event:{event_id}"
    return event_id, await linked_to(world, first.id) or "", review


@pytest.mark.both_databases
async def test_a_doubtful_guest_is_linked_and_the_booking_handled_again(world: World) -> None:
    event_id, ghl_id, review = await doubtful_guest(world)

    await resolve(world.context, review.id, decision(Way.LINK, link_to=ghl_id))

    assert await world.state_of(event_id) == "waiting"
    assert [one.what for one in await world.handle(event_id)] == ["applied"]
    assert len(await world.notes_of(RIKU)) == 1
    assert await waiting(world) == []


async def test_a_guest_who_is_only_in_ghl_comes_to_the_workspace(world: World) -> None:
    event_id, _, review = await doubtful_guest(world)
    other = await make_in_crm(world, firstName="Riku", email="r.sato@hinode.example")

    await resolve(world.context, review.id, decision(Way.LINK, link_to=other))
    await world.handle(event_id)

    assert len(await world.people()) == 3
    (guest,) = [one for one in await world.crm() if one["id"] == other]
    assert len(guest["notes"]) == 1


async def test_a_guest_who_is_kept_apart_is_somebody_new(world: World) -> None:
    await world.ask("POST", "/ghl/settings", {"allow_duplicates": True})
    event_id, ghl_id, review = await doubtful_guest(world)

    await resolve(world.context, review.id, decision(Way.APART))
    outcomes = await world.handle(event_id)

    assert [one.what for one in outcomes] == ["applied"]
    assert len(await world.people()) == 3
    (made,) = [one for one in await world.crm() if one["id"] != ghl_id]
    assert (len(made["notes"]), made["email"]) == (1, RIKU)
