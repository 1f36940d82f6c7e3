"""GHL's contacts are read page by page; a killed run is continued from its position."""

from datetime import UTC, datetime

import pytest

from tests.engine.world import NAME, World, killed_at
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.engine.contacts import pull_contacts
from timerex_ghl.engine.contacts.pull_contacts import Scope, list_changed, read_page

PEOPLE = 25
PAGE = 10


async def read_all(world: World, scope: Scope, scan: str) -> int:
    """Read to the end; return the number of calls."""
    await world.calls()
    while await read_page(world.context, scope, scan, limit=PAGE):
        pass
    return len(await world.calls())


async def known(world: World) -> int:
    return sum(key.kind == "ghl" for key in await list_changed(world.context))


@pytest.mark.both_databases
@pytest.mark.parametrize(("moment", "expected_calls"), [("before-save", 3), ("after-save", 2)])
async def test_a_full_scan_that_was_killed_goes_on_at_its_page(
    world: World, moment: str, expected_calls: int
) -> None:
    await world.ask("POST", "/ghl/bulk", {"count": PEOPLE})
    with killed_at(world, "page", moment, nth=2):
        await read_all(world, Scope.FULL, "killed")

    calls = await read_all(world, Scope.FULL, "killed")

    assert (calls, await known(world)) == (expected_calls, PEOPLE)


@pytest.mark.parametrize(("moment", "expected_calls"), [("before-save", 3), ("after-save", 2)])
async def test_an_incremental_scan_that_was_killed_goes_on_at_its_page(
    world: World, moment: str, expected_calls: int
) -> None:
    await read_all(world, Scope.FULL, "first")
    await world.ask("POST", "/ghl/bulk", {"count": PEOPLE})
    with killed_at(world, "page", moment, nth=2):
        await read_all(world, Scope.INCREMENTAL, "killed")

    calls = await read_all(world, Scope.INCREMENTAL, "the next run")

    assert (calls, await known(world)) == (expected_calls, PEOPLE)


async def test_what_was_read_is_read_again_while_the_search_may_lag(world: World) -> None:
    await world.ask("POST", "/ghl/bulk", {"count": PEOPLE})
    first = await read_all(world, Scope.FULL, "1")

    assert await read_all(world, Scope.INCREMENTAL, "2") == first


async def test_once_the_lag_is_past_a_run_without_changes_costs_one_call(
    world: World,
) -> None:
    await world.ask("POST", "/ghl/bulk", {"count": PEOPLE})
    await read_all(world, Scope.FULL, "1")
    world.clock.advance(pull_contacts.OVERLAP)
    await read_all(world, Scope.INCREMENTAL, "2")

    assert await read_all(world, Scope.INCREMENTAL, "3") == 1


async def test_a_change_after_the_lag_is_found_and_its_neighbours_are_read_again(
    world: World,
) -> None:
    await world.ask("POST", "/ghl/bulk", {"count": PEOPLE})
    await world.sync(Scope.FULL, scan="1")
    world.clock.advance(pull_contacts.OVERLAP)
    await world.sync(scan="2")
    email = (await world.crm())[3]["email"]
    await world.edit_crm(email.lower(), city="Sendai")

    counts = await world.sync(scan="3")

    assert counts.applied == 1
    assert await read_all(world, Scope.INCREMENTAL, "4") > 1


@pytest.mark.both_databases
async def test_a_full_scan_forgets_whom_ghl_no_longer_has(world: World) -> None:
    await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "email": "riku@hinode.example"})
    await read_all(world, Scope.FULL, "1")
    gone = (await world.crm())[0]["id"]
    await world.ask("DELETE", f"/ghl/contacts/{gone}")

    await read_all(world, Scope.FULL, "2")

    assert await known(world) == 0


async def test_whom_only_an_old_page_knows_is_made_anew(world: World) -> None:
    await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "email": "riku@hinode.example"})
    await read_all(world, Scope.FULL, "1")
    gone = (await world.crm())[0]["id"]
    await world.ask("DELETE", f"/ghl/contacts/{gone}")
    await world.add("riku@hinode.example", first_name="Riku", city="Nara")

    await world.sync(scan="2")

    assert (await world.one_in_crm("riku@hinode.example"))["city"] == "Nara"
    keys = Keys("riku@hinode.example", None)
    found = await world.ledger.read(ghl_contacts.find_by_keys, NAME, [keys])
    assert [each.contact.id for each in found] != [gone]


def test_times_are_kept_aware() -> None:
    place = pull_contacts.PullPosition().begin(Scope.FULL, "1", datetime(2026, 1, 5, tzinfo=UTC))

    assert pull_contacts.PullPosition.model_validate_json(place.model_dump_json()) == place
