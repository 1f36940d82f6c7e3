"""A merge whose survivor kept none of the person's keys: our own records name the survivor."""

import pytest

from tests.deliveries import confirmed
from tests.engine.activities.test_activity_sweeps import sweep
from tests.engine.activity_world import NAME, ActivityWorld
from tests.engine.calendar_world import CalendarWorld
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.activities.activity_fields import TEXT
from timerex_ghl.domain.shared.models import ContactId
from timerex_ghl.engine.contacts.pull_contacts import Scope

RIKU, MASTER = "riku@hinode.example", "office@hinode.example"
OWN_KEYS: dict[str, object] = {
    "email": MASTER,
    "additionalEmails": [],
    "phone": None,
    "additionalPhones": [],
}
pytestmark = pytest.mark.both_databases


async def merge_without_keys(acts: ActivityWorld, into: str) -> str:
    """Merge Riku's contact into another one that keeps none of Riku's keys; return its old id."""
    gone = await acts.crm_id(RIKU)
    await acts.world.ask("POST", f"/ghl/contacts/{gone}/merge", {"into": into})
    await acts.world.ask("PATCH", f"/ghl/contacts/{into}", OWN_KEYS)
    return gone


async def made_unseen(acts: ActivityWorld) -> str:
    """Create a contact in GHL whose webhook is lost."""
    await acts.world.ask("POST", "/ghl/webhook", {"url": None})
    made = (await acts.world.ask("POST", "/ghl/contacts", {"email": MASTER}))["contact"]["id"]
    await acts.world.ask("POST", "/ghl/webhook", {"url": acts.endpoint.url("/ghl")})
    return made


async def ghl_id_of(acts: ActivityWorld, contact_id: ContactId) -> str | None:
    link = await acts.ledger.read(links.link_of_local, NAME, "contact", contact_id)
    return link.remote_id if link else None


async def test_a_task_of_the_contact_names_the_survivor(acts: ActivityWorld) -> None:
    one = await acts.person(RIKU)
    await acts.write("task", one, title="Send the offer")
    await acts.process_all()
    survivor = await made_unseen(acts)
    await merge_without_keys(acts, survivor)

    await acts.process_all()

    owners = {row.contact_id for row in await acts.all_here("task")}
    assert [await ghl_id_of(acts, owner) for owner in owners] == [survivor]
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []


async def test_a_note_that_moved_names_the_contact_it_moved_to(
    acts: ActivityWorld,
) -> None:
    one = await acts.person(RIKU)
    await acts.write("note", one, text="Call back")
    await acts.process_all()
    other = await acts.person(MASTER)
    await merge_without_keys(acts, await acts.crm_id(MASTER))
    await acts.process_all()
    before = [review.kind for review in await acts.ledger.read(reviews.open_reviews, NAME)]

    await sweep(acts, "one")
    await acts.process_all()

    (note,) = await acts.all_here("note")
    assert before == ["gone"], "nothing named the survivor so far"
    assert (note.values[TEXT], note.contact_id) == ("Call back", other)
    assert (await acts.world.here(one)).deleted
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []


async def test_a_contact_that_is_gone_for_good_is_asked_about(acts: ActivityWorld) -> None:
    one = await acts.person(RIKU)
    await acts.write("task", one, title="Send the offer")
    await acts.process_all()
    await acts.world.ask("DELETE", f"/ghl/contacts/{await acts.crm_id(RIKU)}")

    await acts.process_all()

    (review,) = await acts.ledger.read(reviews.open_reviews, NAME)
    assert (review.kind, review.subject.id) == ("gone", one)


async def test_without_the_right_to_search_tasks_a_person_is_asked(acts: ActivityWorld) -> None:
    one = await acts.person(RIKU)
    await acts.write("task", one, title="Send the offer")
    await acts.process_all()
    await merge_without_keys(acts, await made_unseen(acts))
    scopes = ["contacts.readonly", "contacts.write", "locations.readonly"]
    minted = await acts.world.ask("POST", "/ghl/tokens", {"scopes": scopes})
    ghl = acts.world.context.ghl
    ghl.auth = PrivateToken(minted["access_token"], frozenset(scopes))

    await acts.process_all()

    (review,) = await acts.ledger.read(reviews.open_reviews, NAME)
    assert (review.kind, review.subject.id) == ("gone", one)


async def test_an_appointment_of_the_contact_names_the_survivor(calendar: CalendarWorld) -> None:
    world = calendar.world
    await calendar.receive(confirmed())
    (riku,) = await world.people()
    gone = (await world.one_in_crm(RIKU))["id"]
    survivor = (await world.ask("POST", "/ghl/contacts", {"email": MASTER}))["contact"]["id"]
    await world.ask("POST", f"/ghl/contacts/{gone}/merge", {"into": survivor})
    await world.ask("PATCH", f"/ghl/contacts/{survivor}", OWN_KEYS)

    await world.handle(await world.notify("ContactDelete", gone))
    await world.sync(Scope.FULL)

    link = await world.ledger.read(links.link_of_local, NAME, "contact", riku.id)
    assert link is not None
    assert link.remote_id == survivor
    assert await world.ledger.read(reviews.open_reviews, NAME) == []
