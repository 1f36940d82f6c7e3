"""The rule `newest`: the newer edit wins where times prove it; else a person is asked."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

import pytest

from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.domain.shared.models import FieldName
from timerex_ghl.engine.contacts.pull_contacts import Scope, read_page

EMAIL = "riku@hinode.example"
MINUTE = timedelta(minutes=1)


class Story(NamedTuple):
    """At which minutes people edit, and how wrong GHL's clock is.

    Attributes:
        local: The city is edited in the workspace.
        remote: The city is edited in GHL.
        touched: A tag is edited in GHL.
        read: A run reads GHL's changes, and does not come to reconcile them.
        offset_s: How far ahead GHL's clock is.
        step_ms: GHL's times are rounded down to this.
    """

    local: float
    remote: float
    touched: float | None = None
    read: float | None = None
    offset_s: int = 0
    step_ms: int = 1


async def play(world: World, story: Story) -> None:
    """Let everything happen in its order, with GHL's clock going along with ours."""
    row = await world.add(EMAIL, city="Osaka")
    await world.sync()
    actions: list[tuple[float | None, Callable[[], Awaitable[object]]]] = [
        (story.local, lambda: world.edit(row.id, city="Nara")),
        (story.remote, lambda: world.edit_crm(EMAIL, city="Kobe")),
        (story.touched, lambda: world.edit_crm(EMAIL, tags=["vip"])),
        (story.read, lambda: read_page(world.context, Scope.INCREMENTAL, "killed")),
    ]
    due = sorted(((at, act) for at, act in actions if at is not None), key=lambda one: one[0])
    now = 0.0
    for at, act in due:
        world.clock.advance((at - now) * MINUTE)
        now = at
        clock = {"clock_offset_ms": int(at * 60_000) + story.offset_s * 1000}
        await world.ask("POST", "/ghl/settings", {**clock, "clock_step_ms": story.step_ms})
        await act()
    world.clock.advance(MINUTE)
    await world.sync(Scope.FULL)


@pytest.mark.parametrize(
    ("story", "winner"),
    [
        (Story(local=10, remote=5), "Nara"),
        (Story(local=10, remote=5, touched=15), None),
        (Story(local=10, remote=5, read=6, touched=15), "Nara"),
        (Story(local=5, remote=10), None),
        (Story(local=5, read=10, remote=15), "Kobe"),
        (Story(local=6, remote=5), None),
        (Story(local=5, remote=6, offset_s=-90), None),
        (Story(local=10, remote=5, offset_s=90), "Nara"),
        (Story(local=5, read=9, remote=10, offset_s=-90), "Kobe"),
        (Story(local=5.5, remote=5.9, step_ms=60_000), None),
        (Story(local=10, remote=5.9, step_ms=60_000), "Nara"),
    ],
)
async def test_the_newer_edit_wins_or_a_person_is_asked(
    world: World, story: Story, winner: str | None
) -> None:
    await play(world, story)

    (row,) = await world.people()
    cities = row.contact.values[FieldName("city")], (await world.one_in_crm(EMAIL))["city"]
    assert cities == ((winner, winner) if winner else ("Nara", "Kobe"))
    asked = await world.ledger.read(reviews.open_reviews, NAME)
    assert [str(review.subject) for review in asked] == (
        [] if winner else [f"contact:{row.id}:city"]
    )


@pytest.mark.both_databases
async def test_the_tolerance_is_a_setting(world: World) -> None:
    published = world.context.published
    settings = published.settings.model_copy(update={"newest_tolerance_s": 10})
    wider = published.model_copy(update={"settings": settings})
    object.__setattr__(world.context, "published", wider)

    await play(world, Story(local=6, remote=5))

    assert (await world.one_in_crm(EMAIL))["city"] == "Nara"
