"""Every method over real HTTP."""

import httpx
import pytest

from tests.adapters.ghl.line import EVERY_SCOPE
from tests.adapters.ghl.methods import values
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import Unlimited
from timerex_ghl.domain.shared.errors import DuplicateContactError, NotFoundError
from timerex_ghl.domain.shared.models import GhlContactId, GhlField, LocationId
from timerex_ghl.sandbox.server import running_sandbox


async def test_every_method_is_understood_by_the_sandbox() -> None:
    async with running_sandbox() as info, httpx.AsyncClient(verify=NO_TLS) as http:
        ghl = GhlClient(
            http,
            PrivateToken(info.ghl.private_token, EVERY_SCOPE),
            Unlimited(),
            base_url=info.ghl.base_url,
            location_id=LocationId(info.ghl.location_id),
        )
        assert (await ghl.get_location()).id == info.ghl.location_id
        assert all(one.id and one.key for one in await ghl.list_custom_fields())

        made = await ghl.create_contact(
            values(
                firstName="Riku", email="riku@hinode.example", phone="+81312345678", address1="1-1"
            )
        )
        with pytest.raises(DuplicateContactError) as refused:
            await ghl.create_contact(values(email="riku@hinode.example"))
        assert refused.value.contact_id == made.id

        changed = await ghl.update_contact(made.id, values(firstName=None, city="Sendai"))
        assert changed.values[GhlField("firstName")] is None
        assert changed.values[GhlField("city")] == "Sendai"
        await tags_are_understood(ghl, made.id)

        read = await ghl.get_contact(made.id)
        by_email = await ghl.find_duplicate(email="riku@hinode.example")
        by_phone = await ghl.find_duplicate(phone="+81312345678")
        page = await ghl.search_contacts(updated_since=read.created_at)
        (searched,) = (one for one in page.contacts if one.id == made.id)
        assert by_email == by_phone == read
        assert (searched.values, searched.tags) == (read.values, read.tags)

        await notes_are_understood(ghl, made.id)
        await ghl.delete_contact(made.id)
        with pytest.raises(NotFoundError):
            await ghl.get_contact(made.id)
        assert await ghl.find_duplicate(email="riku@hinode.example") is None


async def tags_are_understood(ghl: GhlClient, contact_id: GhlContactId) -> None:
    assert await ghl.add_tags(contact_id, {"VIP", "booked"}) == {"vip", "booked"}
    assert await ghl.remove_tags(contact_id, {"booked"}) == {"vip"}


async def notes_are_understood(ghl: GhlClient, contact_id: GhlContactId) -> None:
    text = "Tea & talk\n<script>alert(1)</script> &lt;b&gt; &amp;amp; 1 < 2\nTimeRex booking b1"
    note = await ghl.create_note(contact_id, text)
    assert note.text == text
    assert (await ghl.get_note(contact_id, note.id)).text == text
    assert (await ghl.update_note(contact_id, note.id, "Moved <i>")).text == "Moved <i>"
    assert [one.text for one in await ghl.list_notes(contact_id)] == ["Moved <i>"]
    await ghl.delete_note(contact_id, note.id)
    assert await ghl.list_notes(contact_id) == []
    with pytest.raises(NotFoundError):
        await ghl.get_note(contact_id, note.id)
