"""A contact that was deleted in GHL and made again there: what it never had was not taken away."""

import pytest

from tests.engine.world import World

RIKU = "riku@hinode.example"


@pytest.mark.xfail(
    strict=True, reason="the base keeps the tags that the contact made again never had"
)
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
