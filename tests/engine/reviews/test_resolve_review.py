"""A person resolves a review: once, on both sides, and only the fields it is about."""

import asyncio
from dataclasses import replace

import pytest

from tests.deliveries import confirmed
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import audit, reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.reviews.review_decisions import Decision, Way
from timerex_ghl.domain.shared.errors import ReviewNeededError, SettingsError
from timerex_ghl.domain.shared.models import ConflictRule, ContactId, FieldName
from timerex_ghl.engine.reviews.resolve_review import resolve
from timerex_ghl.engine.writes.recovery import LOOK_AGAIN

RIKU = "riku@hinode.example"
CITY, STATE = FieldName("city"), FieldName("state")


def decision(way: Way = Way.KEEP, by: str = "kana", **more: object) -> Decision:
    return Decision.model_validate({"way": way, "by": by, **more})


def asking(world: World) -> World:
    """Let every conflict open a review."""
    settings = world.context.settings
    rules = tuple(rule.model_copy(update={"conflict": ConflictRule.ASK}) for rule in settings.rules)
    ruled = settings.model_copy(update={"rules": rules})
    version = world.context.published.model_copy(update={"settings": ruled})
    return replace(world, context=replace(world.context, published=version))


async def disputed(world: World) -> tuple[World, ContactId]:
    """Change city and state of one contact differently on both sides."""
    world = asking(world)
    row = await world.add(RIKU, city="Tokyo", state="Tokyo")
    await world.sync()
    await world.edit(row.id, city="Nara", state="Nara")
    await world.edit_crm(RIKU, city="Kobe", state="Hyogo")
    await world.sync()
    await world.calls()
    return world, row.id


async def waiting(world: World) -> list[Review]:
    return await world.ledger.read(reviews.open_reviews, NAME)


async def the_review_of(world: World, field: FieldName) -> Review:
    return next(one for one in await waiting(world) if one.subject.field == field)


async def both(world: World, contact_id: ContactId, field: FieldName) -> tuple[object, object]:
    row = await world.here(contact_id)
    return row.contact.values[field], (await world.one_in_crm(RIKU)).get(field)


async def reported(world: World) -> list[str]:
    entries = await world.ledger.read(audit.entries, NAME, 50)
    return [entry.what for entry in entries if entry.what.startswith("review")]


@pytest.mark.parametrize(("side", "city"), [("workspace", "Nara"), ("ghl", "Kobe")])
async def test_a_side_that_is_kept_stands_on_both_and_other_fields_go_on_waiting(
    world: World, side: str, city: str
) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)

    resolved = await resolve(world.context, review.id, decision(keep=side))

    assert resolved.in_words() == f"{review.id} is resolved: keep {side}"
    assert await both(world, riku, CITY) == (city, city)
    assert await both(world, riku, STATE) == ("Nara", "Hyogo")
    assert [str(one.subject) for one in await waiting(world)] == [f"contact:{riku}:state"]


async def test_fields_can_be_resolved_one_by_one_at_once(world: World) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)

    await resolve(world.context, review.id, decision(fields={CITY: "ghl", STATE: "workspace"}))

    assert await both(world, riku, CITY) == ("Kobe", "Kobe")
    assert await both(world, riku, STATE) == ("Nara", "Nara")
    assert await waiting(world) == []


async def test_a_typed_value_stands_on_both_systems(world: World) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)

    await resolve(world.context, review.id, decision(values={CITY: "Osaka"}))

    assert await both(world, riku, CITY) == ("Osaka", "Osaka")


async def test_values_that_changed_meanwhile_are_not_overwritten(world: World) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)
    await world.edit_crm(RIKU, city="Himeji")
    await world.calls()

    with pytest.raises(ReviewNeededError, match="nothing was written"):
        await resolve(world.context, review.id, decision(keep="workspace"))

    assert await world.writes() == []
    assert await both(world, riku, CITY) == ("Nara", "Himeji")
    assert review.id in {one.id for one in await waiting(world)}


async def test_two_people_have_one_effect_and_two_audit_rows(world: World) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)

    first = await resolve(world.context, review.id, decision(keep="workspace"))
    writes = await world.writes()
    second = await resolve(world.context, review.id, decision(keep="ghl", by="noa"))

    assert (first.is_first, second.is_first) == (True, False)
    assert f"{review.id} was already resolved: keep workspace, by kana" in second.in_words()
    assert (len(writes), await world.writes()) == (1, [])
    assert await both(world, riku, CITY) == ("Nara", "Nara")
    assert await reported(world) == ["review was already resolved", "review resolved"]


async def test_two_people_at_the_same_moment_have_one_effect(world: World) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)

    both_of_them = await asyncio.gather(
        resolve(world.context, review.id, decision(keep="workspace", by="kana")),
        resolve(world.context, review.id, decision(keep="ghl", by="noa")),
    )

    assert sorted(one.is_first for one in both_of_them) == [False, True]
    here, there = await both(world, riku, CITY)
    assert here == there
    assert sorted(await reported(world)) == ["review resolved", "review was already resolved"]


async def test_a_conflict_that_is_none_any_more_is_closed_by_the_next_run(world: World) -> None:
    world, riku = await disputed(world)
    await world.edit(riku, city="Kobe", state="Hyogo")

    await world.sync()

    assert await waiting(world) == []


async def doubted(world: World) -> tuple[ContactId, list[str], Review]:
    """Create a person who could be either of two contacts."""
    for phone in ("+81312345678", "+81312345679"):
        await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "phone": phone})
    await world.ask("PATCH", f"/ghl/contacts/{(await world.crm())[0]['id']}", {"email": RIKU})
    await world.sync()  # both are in the workspace now; remove them there
    ids = [one["id"] for one in await world.crm()]
    row = await world.add(RIKU, phone="+81312345679")
    await world.sync()
    (review,) = await waiting(world)
    return row.id, ids, review


async def test_a_link_to_somebody_elses_contact_is_refused(world: World) -> None:
    contact_id, ids, review = await doubted(world)

    with pytest.raises(SettingsError, match="already"):
        await resolve(world.context, review.id, decision(Way.LINK, link_to=ids[0]))

    assert [one.id for one in await waiting(world)] == [review.id]
    assert (await world.here(contact_id)).version == 1


async def test_a_contact_that_is_gone_can_be_another_one(world: World) -> None:
    row = await world.add(RIKU, city="Nara")
    await world.sync()
    await world.ask("DELETE", f"/ghl/contacts/{(await world.one_in_crm(RIKU))['id']}")
    await world.edit(row.id, city="Kobe")
    await world.sync()
    (review,) = await waiting(world)
    made = await world.ask("POST", "/ghl/contacts", {"firstName": "R", "phone": "+81312345678"})

    await resolve(world.context, review.id, decision(Way.LINK, link_to=made["contact"]["id"]))

    assert await waiting(world) == []
    linked = next(one for one in await world.crm() if one["id"] == made["contact"]["id"])
    assert linked["city"] == "Kobe"


async def test_an_event_that_was_given_up_waits_again(world: World) -> None:
    event_id = await world.receive(confirmed())
    await world.ask(
        "POST", "/ghl/faults", {"operation": "create-contact", "kind": "status", "value": 422}
    )
    await world.handle(event_id)
    (review,) = await waiting(world)

    await resolve(world.context, review.id, decision(Way.RETRY))

    event = await world.ledger.read(inbox.read_event, event_id)
    assert event is not None
    assert (event.state, event.attempts) == ("waiting", 0)
    world.clock.advance(LOOK_AGAIN)  # what was refused may have been made, and not show yet
    assert [one.what for one in await world.handle(event_id)] == ["applied"]


async def test_what_does_not_fit_is_refused_in_one_line(world: World) -> None:
    world, _ = await disputed(world)
    review = await the_review_of(world, CITY)

    with pytest.raises(SettingsError, match="can be resolved by keep, not by retry"):
        await resolve(world.context, review.id, decision(Way.RETRY))
    with pytest.raises(SettingsError, match="aoba has no review r_nonsense"):
        await resolve(world.context, "r_nonsense", decision(Way.RETRY))
