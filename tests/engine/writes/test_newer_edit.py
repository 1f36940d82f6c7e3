"""An edit made after a write that failed halfway, or whose answer was lost, is never undone."""

from dataclasses import replace

import pytest

from tests.engine.world import World, killed_at
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.domain.shared.models import ConflictRule, FieldName, WorkspaceContact

RIKU = "riku@hinode.example"
STOPS = [
    ("contact.update", "after-write"),
    ("contact.update", "after-outcome"),
    ("tags.add", "after-intent"),
    ("tags.add", "after-write"),
]
pytestmark = pytest.mark.both_databases


@pytest.fixture(params=[ConflictRule.GHL, ConflictRule.ASK])
def ruled(request: pytest.FixtureRequest, world: World) -> World:
    """Give every field the rule that would undo the edit, or ask about it."""
    published = world.context.published
    rules = tuple(
        one.model_copy(update={"conflict": request.param}) for one in published.settings.rules
    )
    settings = published.settings.model_copy(update={"rules": rules})
    changed = published.model_copy(update={"settings": settings})
    return replace(world, context=replace(world.context, published=changed))


async def assert_both_have(world: World, row: WorkspaceContact, **values: str) -> None:
    """Assert the values of both systems, and that nobody is asked."""
    here, there = (await world.here(row.id)).contact.values, await world.one_in_crm(RIKU)
    for field, value in values.items():
        assert (here[FieldName(field)], there[field]) == (value, value)
    asked = await world.ledger.read(reviews.open_of, world.context.connection, "conflict")
    assert asked == []


@pytest.mark.parametrize(("action", "moment"), STOPS)
async def test_an_edit_after_a_write_that_stopped_halfway_wins(
    ruled: World, action: str, moment: str
) -> None:
    row = await ruled.add(RIKU, city="Old")
    await ruled.sync()
    await ruled.edit(row.id, ("vip",), city="First")
    with killed_at(ruled, action, moment):
        await ruled.sync()
    await ruled.edit(row.id, city="Second")
    await ruled.edit_crm(RIKU, state="Tokyo")

    await ruled.sync(scan="later")

    await assert_both_have(ruled, row, city="Second", state="Tokyo")
    assert (await ruled.one_in_crm(RIKU))["tags"] == ["vip"]


async def test_an_edit_after_a_tag_that_ghl_refused_wins(ruled: World) -> None:
    row = await ruled.add(RIKU, city="Old")
    await ruled.sync()
    await ruled.edit(row.id, ("vip",), city="First")
    refuse_once = {"operation": "add-tags", "nth": 1, "kind": "status", "value": 503}
    await ruled.ask("POST", "/ghl/faults", refuse_once)
    await ruled.sync()
    await ruled.edit(row.id, city="Second")
    await ruled.edit_crm(RIKU, state="Tokyo")

    await ruled.sync(scan="later")

    await assert_both_have(ruled, row, city="Second", state="Tokyo")


@pytest.mark.parametrize("moment", ["after-write", "after-outcome"])
async def test_an_edit_after_a_creation_that_stopped_halfway_wins(
    ruled: World, moment: str
) -> None:
    row = await ruled.add(RIKU, city="First")
    await ruled.edit(row.id, ("vip",))
    with killed_at(ruled, "contact.create", moment):
        await ruled.sync()
    await ruled.edit(row.id, city="Second")
    await ruled.edit_crm(RIKU, state="Tokyo")

    await ruled.sync(scan="later")

    await assert_both_have(ruled, row, city="Second", state="Tokyo")


@pytest.mark.parametrize(("action", "moment"), STOPS)
async def test_an_edit_in_ghl_after_a_write_that_stopped_halfway_wins(
    world: World, action: str, moment: str
) -> None:
    row = await world.add(RIKU, city="Old", state="Osaka")
    await world.sync()
    await world.edit(row.id, ("vip",), city="First", state="Kyoto")
    with killed_at(world, action, moment):
        await world.sync()
    await world.edit_crm(RIKU, city="Second")

    await world.sync(scan="later")

    await assert_both_have(world, row, city="Second", state="Kyoto")
