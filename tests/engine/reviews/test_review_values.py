"""Values that a person types or chooses are written to both sides, or nothing is written."""

from dataclasses import replace

import pytest

from tests.deliveries import confirmed
from tests.engine.reviews.test_resolve_review import (
    CITY,
    RIKU,
    STATE,
    both,
    decision,
    disputed,
    reported,
    the_review_of,
    waiting,
)
from tests.engine.world import NAME, World, killed_at
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.shared.errors import ReviewNeededError, SettingsError
from timerex_ghl.domain.shared.models import Direction, FieldName
from timerex_ghl.engine.reviews.resolve_review import resolve

EMAIL = FieldName("email")


async def as_resolved(world: World, review: Review) -> tuple[str | None, str | None]:
    after = await world.ledger.read(reviews.get_review, review.id)
    assert after is not None
    return after.resolved_by, after.decision


@pytest.mark.parametrize(
    "typed", ["Osaka", pytest.param("Kobe", id="GHL's"), pytest.param("Tokyo", id="the old one")]
)
async def test_what_was_typed_in_stands_whatever_it_equals(world: World, typed: str) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)

    await resolve(world.context, review.id, decision(values={CITY: typed}))
    await world.sync()

    assert await both(world, riku, CITY) == (typed, typed)
    assert await as_resolved(world, review) == ("kana", "keep city: typed in")
    assert await reported(world) == ["review resolved"]


async def test_a_typed_value_overwrites_nothing_that_was_not_shown(world: World) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)
    before = await world.here(riku)
    await world.edit_crm(RIKU, city="Himeji")
    await world.calls()

    with pytest.raises(ReviewNeededError, match="nothing was written, look again"):
        await resolve(world.context, review.id, decision(values={CITY: "Osaka"}))

    assert await world.writes() == []
    assert await world.here(riku) == before
    asked_anew = await the_review_of(world, CITY)
    assert asked_anew.id == review.id
    assert (asked_anew.detail["workspace"], asked_anew.detail["ghl"]) == ("Nara", "Himeji")


async def test_the_question_that_was_brought_up_to_date_can_be_answered(world: World) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)
    await world.edit(riku, city="Uji")
    with pytest.raises(ReviewNeededError):
        await resolve(world.context, review.id, decision(keep="workspace"))

    await resolve(world.context, review.id, decision(keep="workspace"))

    assert await both(world, riku, CITY) == ("Uji", "Uji")


async def test_a_review_is_not_resolved_by_a_word_about_another_field(world: World) -> None:
    world, _ = await disputed(world)
    review = await the_review_of(world, CITY)

    with pytest.raises(SettingsError, match="this review is about city"):
        await resolve(world.context, review.id, decision(fields={STATE: "ghl"}))

    assert len(await waiting(world)) == 2
    assert await world.writes() == []


async def test_a_side_that_may_not_write_a_field_cannot_be_kept(world: World) -> None:
    world, _ = await disputed(world)
    review = await the_review_of(world, CITY)
    settings = world.context.settings
    rules = tuple(
        rule.model_copy(update={"direction": Direction.TO_WORKSPACE})
        if rule.field == CITY
        else rule
        for rule in settings.rules
    )
    one_way = settings.model_copy(update={"rules": rules})
    version = world.context.published.model_copy(update={"settings": one_way})

    with pytest.raises(SettingsError, match="city syncs one way only: keep ghl"):
        await resolve(
            replace(world.context, published=version), review.id, decision(keep="workspace")
        )

    assert await world.writes() == []


async def test_somebody_without_a_key_gets_the_one_that_is_typed_in(world: World) -> None:
    row = await world.add(None, city="Nara")
    await world.sync()
    (review,) = await waiting(world)

    await resolve(world.context, review.id, decision(values={EMAIL: RIKU}))

    assert (await world.one_in_crm(RIKU))["city"] == "Nara"
    assert (await world.here(row.id)).contact.values[EMAIL] == RIKU
    assert await as_resolved(world, review) == ("kana", "keep email: typed in")


async def test_somebody_who_changed_since_is_looked_at_again(world: World) -> None:
    row = await world.add(None, city="Nara")
    await world.sync()
    (review,) = await waiting(world)
    await world.edit(row.id, city="Kobe")

    with pytest.raises(ReviewNeededError, match="changed since the review opened"):
        await resolve(world.context, review.id, decision(values={EMAIL: RIKU}))

    assert await world.crm() == []


async def test_a_guest_without_a_key_gets_one_and_the_booking_is_handled(world: World) -> None:
    event_id = await world.receive(confirmed(email=""))
    await world.handle(event_id)
    (review,) = await waiting(world)

    await resolve(world.context, review.id, decision(values={EMAIL: RIKU}))

    assert (review.kind, review.subject.kind, review.events) == ("no-key", "contact", [event_id])
    assert [one.what for one in await world.handle(event_id)] == ["applied"]
    assert len(await world.notes_of(RIKU)) == 1
    assert await waiting(world) == []


@pytest.mark.parametrize("moment", ["after-intent", "after-write"])
async def test_a_crash_while_resolving_is_mended_and_doubles_nothing(
    world: World, moment: str
) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)
    with killed_at(world, "contact.update", moment):
        await resolve(world.context, review.id, decision(keep="workspace"))

    await world.sync()
    if moment == "after-intent":
        await resolve(world.context, review.id, decision(keep="workspace"))

    assert await both(world, riku, CITY) == ("Nara", "Nara")
    assert len([call for call in await world.writes() if call.startswith("PUT ")]) == 1
    assert review.id not in {one.id for one in await waiting(world)}


async def test_a_run_that_was_faster_is_said_to_be(world: World) -> None:
    world, riku = await disputed(world)
    review = await the_review_of(world, CITY)
    await world.edit(riku, city="Kobe")
    await world.sync()

    resolved = await resolve(world.context, review.id, decision(keep="workspace"))

    assert not resolved.is_first
    assert f"{review.id} was already resolved: went through, by a later run" in resolved.in_words()
    assert len(await world.ledger.read(reviews.open_reviews, NAME)) == 1
