"""The cost of a sync: a thousand contacts on each side, three hundred of them on both."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import Keyed, new_row
from timerex_ghl.demo.checker import disagreements
from timerex_ghl.domain.contacts.identity import keys_of
from timerex_ghl.domain.shared.models import Contact, ContactId, FieldName, WorkspaceContact
from timerex_ghl.engine.contacts.pull_contacts import OVERLAP, Scope

AHEAD = timedelta(minutes=10)
"""The workspace's edits are later than GHL's by this, so that the rule `newest` asks nobody."""

ALL, ON_BOTH, EDITS, CONFLICTS = 1000, 300, 100, 20


def person(number: int, **values: str | None) -> Keyed:
    given = {
        "first_name": "Hana",
        "last_name": f"Mori {number}",
        "email": f"hana.{number}@kumo.example",
        "phone": f"+818011{number:06d}",
        "city": "Nara",
        **values,
    }
    contact = Contact(
        values={FieldName(name): value for name, value in given.items()}, tags=frozenset()
    )
    return Keyed(new_row(contact, datetime.now(UTC) + AHEAD), keys_of(contact, "JP"))


def known_to_both(remote: dict[str, Any], number: int) -> Keyed:
    """Create a person who is also in GHL: half by the same e-mail, the others only by phone."""
    if number % 2:
        return person(number, email=remote["email"].upper(), phone=None, city=None)
    return person(number, email=None, phone=remote["phone"].replace("+81", "0"), city=None)


async def fill(world: World) -> None:
    await world.ask("POST", "/ghl/bulk", {"count": ALL})
    people = [known_to_both(one, n) for n, one in enumerate((await world.crm())[:ON_BOTH])]
    people += [person(number) for number in range(ON_BOTH, ALL)]
    await world.ledger.write(workspace_contacts.add_rows, NAME, people, datetime.now(UTC) + AHEAD)


async def edit_both(world: World) -> None:
    """Edit a hundred contacts on each side, twenty of them the same, in the same field."""
    dice = random.Random(20)
    here = {
        str(row.contact.values[FieldName("email")]).lower(): row for row in await world.people()
    }
    chosen = dice.sample(sorted(here), 2 * EDITS - CONFLICTS)
    there = {one["email"].lower(): one["id"] for one in await world.crm()}
    for email in chosen[-EDITS:]:
        await world.ask("PATCH", f"/ghl/contacts/{there[email]}", {"city": "Kobe"})
    world.clock.advance(AHEAD)
    for email in chosen[:EDITS]:
        await world.edit(here[email].id, city="Sendai")


async def differences(world: World) -> list[str]:
    return disagreements(await world.people(), await world.crm(), [])


async def process_all(world: World) -> None:
    """Run twice over our own writes, the second time after GHL's search lag."""
    await world.sync(scan="our own writes")
    world.clock.advance(OVERLAP)
    await world.sync(scan="settled")
    await world.calls()


@pytest.mark.slow
async def test_a_thousand_on_each_side_agree_at_the_fewest_calls(
    world: World,
) -> None:
    await fill(world)

    await world.sync(Scope.FULL, scan="full")

    assert await differences(world) == []
    assert len(await world.people()) == 2 * ALL - ON_BOTH

    await edit_both(world)
    await world.calls()
    counts = await world.sync(scan="incremental")
    writes = await world.writes()

    assert await differences(world) == []
    assert counts.review == counts.dead == counts.waiting == 0
    assert EDITS - CONFLICTS <= len(writes) <= EDITS

    await process_all(world)
    await world.sync(scan="unchanged")

    assert await world.calls() == ["POST /contacts/search"]

    row = (await world.people())[0]
    await one_edit_here(world, row)
    await one_edit_there(world, row.id)


async def one_edit_here(world: World, row: WorkspaceContact) -> None:
    await world.edit(row.id, address="1-2-3 Aoba")
    await world.sync(scan="edited here")

    calls = await world.calls()
    assert [call.partition("/")[0] for call in calls] == ["POST ", "GET ", "PUT "]


async def one_edit_there(world: World, contact_id: ContactId) -> None:
    email = str((await world.here(contact_id)).contact.values[FieldName("email")])
    await world.edit_crm(email.lower(), state="Nara")
    await world.sync(scan="edited there")

    calls = await world.calls()
    assert not [call for call in calls if not call.startswith(("POST /contacts/search", "GET "))]
    assert sum(call.startswith("GET ") for call in calls) <= 1  # we wrote to them moments ago
    assert (await world.here(contact_id)).contact.values[FieldName("state")] == "Nara"
