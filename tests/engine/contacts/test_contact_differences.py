"""A contact's fields that differ for good are shown with a reason, until the cause is gone."""

from dataclasses import replace

import pytest

from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.sync import differences
from timerex_ghl.domain.shared.models import FieldName
from timerex_ghl.orchestration.difference_report import read_differences

EMAIL = "riku@hinode.example"
CITY, COMPANY = FieldName("city"), FieldName("company")


async def shown(world: World) -> dict[str, str]:
    """Return the reasons of the differing fields of the only record that has any."""
    found = await world.ledger.read(differences.page_of_differences, NAME)
    assert len(found) <= 1
    return {**found[0].differences} if found else {}


def with_rule(world: World, field: FieldName, **changes: object) -> World:
    """Publish the next version, with another rule for a field."""
    published = world.context.published
    rules = tuple(
        rule.model_copy(update=changes) if rule.field == field else rule
        for rule in published.settings.rules
    )
    settings = published.settings.model_copy(update={"rules": rules})
    version = published.model_copy(update={"settings": settings, "version": published.version + 1})
    return replace(world, context=replace(world.context, published=version))


@pytest.mark.both_databases
@pytest.mark.parametrize("side", ["workspace", "ghl"])
async def test_an_emptied_value_is_shown_until_the_mapping_lets_it_travel(
    world: World, side: str
) -> None:
    row = await world.add(EMAIL, city="Osaka")
    await world.sync()
    if side == "workspace":
        await world.edit(row.id, city=None)
    else:
        await world.edit_crm(EMAIL, city="")

    for _ in range(2):
        await world.sync()
        assert await shown(world) == {CITY: "emptied"}
        assert "- emptied: 1" in await read_differences(world.context, ["contact"])
    await world.calls()
    after = with_rule(world, CITY, empty_wipes=True)
    await after.sync()

    assert await shown(after) == {}
    assert await read_differences(after.context, ["contact"]) == []
    assert not (await after.here(row.id)).contact.values[CITY]
    assert not (await after.one_in_crm(EMAIL)).get("city")


async def test_a_field_that_ghl_takes_on_creation_only_is_shown_until_both_agree(
    world: World,
) -> None:
    row = await world.add(EMAIL, company="Aoba")
    await world.sync()
    assert await shown(world) == {}

    await world.edit(row.id, company="Hinode")
    await world.sync()
    assert await shown(world) == {COMPANY: "create only"}
    await world.edit(row.id, company="Aoba")
    await world.sync()

    assert await shown(world) == {}


async def test_other_rules_are_applied_once_and_cost_no_call_where_nothing_differs(
    world: World,
) -> None:
    row = await world.add(EMAIL, city="Osaka", company="Aoba")
    await world.add("yui@hinode.example", city="Kobe")
    await world.sync()
    await world.edit(row.id, company="Hinode")
    await world.sync()
    after = with_rule(world, CITY, empty_wipes=True)

    counts = await after.sync()
    again = await after.sync()

    assert (counts.no_op, again.no_op) == (1, 0), "the contact that differs, once"
    assert await shown(after) == {COMPANY: "create only"}
