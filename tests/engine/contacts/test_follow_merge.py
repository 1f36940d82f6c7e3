"""Contacts that are merged in GHL: their records move along, and nothing is deleted."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from tests.deliveries import confirmed
from tests.engine.activities.test_activity_sweeps import sweep
from tests.engine.activity_world import NAME, ActivityWorld
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox.inbox import events
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.activities.activity_fields import TEXT, TITLE
from timerex_ghl.domain.shared.actions import Conflict
from timerex_ghl.domain.shared.models import BookingId, ContactId, FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.pull_contacts import Scope
from timerex_ghl.engine.writes.record_conflict import record_conflict

RIKU, MASTER = "riku@hinode.example", "riku.sato@hinode.example"
PHONE = "+819012345678"
CITY = FieldName("city")


async def two_people(acts: ActivityWorld) -> tuple[ContactId, ContactId]:
    """Create one person twice on both sides, as only people can recognize."""
    one = await acts.person(RIKU)
    other = await acts.person(MASTER, phone=PHONE)
    await acts.write("note", one, text="Call back")
    await acts.write("task", one, title="Send the offer")
    await acts.process_all()
    return one, other


async def merge(acts: ActivityWorld, email: str, into: str) -> None:
    ids = await acts.crm_id(email), await acts.crm_id(into)
    await acts.world.ask("POST", f"/ghl/contacts/{ids[0]}/merge", {"into": ids[1]})


@pytest.mark.both_databases
async def test_a_merge_into_somebody_known_here_moves_notes_and_tasks(acts: ActivityWorld) -> None:
    one, other = await two_people(acts)
    crm_id, gone = await same_email(acts)
    await acts.world.ask("POST", f"/ghl/contacts/{gone}/merge", {"into": crm_id})

    await acts.process_all()
    await sweep(acts, "one")

    (note,), (task,) = await acts.all_here("note"), await acts.all_here("task")
    assert (note.values[TEXT], note.contact_id) == ("Call back", other)
    assert (task.values[TITLE], task.contact_id) == ("Send the offer", other)
    assert (await acts.world.here(one)).deleted
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []


@pytest.mark.both_databases
async def test_a_merge_into_another_email_is_followed_by_the_additional_one(
    acts: ActivityWorld,
) -> None:
    one, other = await two_people(acts)
    await merge(acts, RIKU, into=MASTER)

    await acts.process_all()
    await sweep(acts, "one")

    (note,), (task,) = await acts.all_here("note"), await acts.all_here("task")
    assert (note.contact_id, task.contact_id) == (other, other)
    assert (await acts.world.here(one)).deleted
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []


async def first_of(acts: ActivityWorld, email: str, but: str) -> str:
    return next(
        one["id"]
        for one in await acts.world.crm()
        if (one.get("email") or "").lower() == email and one["id"] != but
    )


ORDERS = pytest.mark.parametrize("is_reversed", [False, True], ids=["in-order", "reversed"])
"""A merge sends two webhooks, which may arrive in either order."""


@ORDERS
async def test_a_merge_into_somebody_new_here_keeps_the_person(
    acts: ActivityWorld, *, is_reversed: bool
) -> None:
    one = await acts.person(RIKU)
    await acts.world.receive(confirmed(email=RIKU))
    await acts.write("note", one, text="Call back")
    await acts.process_all()
    await acts.world.ask("POST", "/ghl/webhook", {"url": None})
    crm_id = await acts.crm_id(RIKU)
    made = (await acts.world.ask("POST", "/ghl/contacts", {"phone": PHONE}))["contact"]["id"]
    await acts.world.ask("POST", "/ghl/webhook", {"url": acts.endpoint.url("/ghl")})
    await acts.world.ask("POST", f"/ghl/contacts/{crm_id}/merge", {"into": made})

    await acts.finish_in_order(is_reversed=is_reversed)
    await sweep(acts, "one")

    assert not (await acts.world.here(one)).deleted
    (note,) = await acts.all_here("note")
    assert note.contact_id == one
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []
    assert await events_in(acts, "review") == []
    row = await acts.ledger.read(bookings.get_booking, NAME, BookingId("b1"))
    assert row is not None
    assert row.contact_id == one


@pytest.mark.both_databases
async def test_a_run_follows_a_merge_that_no_webhook_reported_yet(acts: ActivityWorld) -> None:
    one = await acts.person(RIKU)
    await acts.world.ask("POST", "/ghl/webhook", {"url": None})
    crm_id = await acts.crm_id(RIKU)
    made = (await acts.world.ask("POST", "/ghl/contacts", {"phone": PHONE}))["contact"]["id"]
    await acts.world.ask("POST", f"/ghl/contacts/{crm_id}/merge", {"into": made})
    await acts.world.sync(Scope.FULL)

    assert await acts.ledger.read(reviews.open_reviews, NAME) == []
    await acts.world.handle(await acts.world.notify("ContactDelete", crm_id))
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []
    link = await acts.ledger.read(links.link_of_local, NAME, "contact", one)
    assert link is not None
    assert link.remote_id == made


@ORDERS
async def test_a_merge_closes_the_conflicts_of_the_contact_that_is_gone(
    acts: ActivityWorld, *, is_reversed: bool
) -> None:
    one, other = await two_people(acts)
    crm_id, gone = await same_email(acts)
    conflict = Conflict(field=CITY, workspace="Oita", ghl="Beppu", base=None, winner=None)
    for contact_id in (one, other):
        ref = RecordRef.contact(contact_id)
        await acts.ledger.write(record_conflict, NAME, ref, conflict, "a rule", datetime.now(UTC))
    await acts.world.ask("POST", f"/ghl/contacts/{gone}/merge", {"into": crm_id})

    await acts.finish_in_order(is_reversed=is_reversed)

    assert (await acts.world.here(one)).deleted
    assert await events_in(acts, "review") == []
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []


async def same_email(acts: ActivityWorld) -> tuple[str, str]:
    """Set the same e-mail on both contacts in GHL; return their ids there, MASTER's first."""
    crm_id = await acts.crm_id(MASTER)
    await acts.world.ask("PATCH", f"/ghl/contacts/{crm_id}", {"email": RIKU.upper()})
    await acts.process_all()
    return crm_id, await first_of(acts, RIKU, crm_id)


async def events_in(acts: ActivityWorld, state: str) -> list[str]:
    wanted = select(events.c.id).where(events.c.connection == NAME, events.c.state == state)
    return [*await acts.ledger.read(lambda tx: tx.scalars(wanted))]


async def test_a_contact_that_is_gone_for_good_takes_no_note_along(acts: ActivityWorld) -> None:
    one = await acts.person(RIKU)
    await acts.write("note", one, text="Call back")
    await acts.process_all()

    await acts.world.ask("DELETE", f"/ghl/contacts/{await acts.crm_id(RIKU)}")
    await acts.process_all()
    await sweep(acts, "one")

    assert [note.contact_id for note in await acts.all_here("note")] == [one]
    assert [review.kind for review in await acts.ledger.read(reviews.open_reviews, NAME)] == [
        "gone"
    ]


async def test_what_was_sent_without_an_answer_is_found_on_the_contact_that_stays(
    acts: ActivityWorld,
) -> None:
    one = await acts.person(RIKU)
    await acts.write("note", one, text="Call back")
    order = {"operation": "create-note", "kind": "drop_after_commit"}
    await acts.world.ask("POST", "/ghl/faults", order)
    await acts.try_once()
    await acts.world.ask("POST", "/ghl/webhook", {"url": None})
    made = (await acts.world.ask("POST", "/ghl/contacts", {"phone": PHONE}))["contact"]["id"]
    await acts.world.ask("POST", "/ghl/webhook", {"url": acts.endpoint.url("/ghl")})
    crm_id = await acts.crm_id(RIKU)
    await acts.world.ask("POST", f"/ghl/contacts/{crm_id}/merge", {"into": made})
    await acts.finish_deliveries()

    for _ in range(3):
        await acts.process_all()
        await sweep(acts, "one")

    assert len(await acts.notes(RIKU)) == 1
    assert len(await acts.all_here("note")) == 1


async def test_what_is_written_before_the_merge_is_received_reaches_the_contact_that_stays(
    acts: ActivityWorld,
) -> None:
    one, other = await two_people(acts)
    crm_id, gone = await same_email(acts)
    await acts.world.ask("POST", f"/ghl/contacts/{gone}/merge", {"into": crm_id})
    await acts.write("note", one, text="Written just now")

    await acts.try_once()
    await acts.process_all()

    said = {str(note["bodyText"]).partition("\n\n[")[0] for note in await acts.notes(RIKU)}
    assert said == {"Call back", "Written just now"}
    assert {row.contact_id for row in await acts.all_here("note")} == {other}
