"""Who the guest of a booking is: an e-mail decides, a shared phone makes one person of nobody."""

from typing import Any

import pytest

from tests.deliveries import confirmed
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts
from timerex_ghl.adapters.ledger.tables.contacts.withheld_values import withheld_of
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.shared.models import FieldName
from timerex_ghl.domain.shared.outcome import Outcome

RIKU, KENJI, AOI = "riku@hinode.example", "kenji@hinode.example", "aoi@hinode.example"
EMAIL, PHONE = FieldName("email"), FieldName("phone")
OFFICE, PLAIN = "03-1234-5678", "+81312345678"


def with_phone(world: World) -> World:
    """Map a form's answer to the phone."""
    rules = [
        rule.model_copy(update={"answer_label": "Phone"}) if rule.field == "phone" else rule
        for rule in world.context.settings.rules
    ]
    return world.with_settings(rules=tuple(rules))


def booking(id_: str = "b1", email: str = RIKU, phone: str = OFFICE, **more: object) -> Any:
    body = confirmed(id_, email, **more)
    body["event"]["form"].append({"field_type": "text", "label": "Phone", "value": phone})
    return body


async def book(world: World, body: dict[str, Any]) -> Outcome:
    (outcome,) = await world.handle(await world.receive(body))
    return outcome


async def allow_duplicates(world: World) -> None:
    await world.ask("POST", "/ghl/settings", {"allow_duplicates": True})


@pytest.mark.both_databases
@pytest.mark.parametrize("phone", [OFFICE, "03-1234-5678 ext. 12"])
async def test_a_guest_with_a_colleagues_number_is_a_contact_of_their_own(
    world: World, phone: str
) -> None:
    await allow_duplicates(world)
    await world.add(KENJI, first_name="Kenji", phone=OFFICE)
    await world.sync()

    outcome = await book(with_phone(world), booking(phone=phone))

    riku, kenji = await world.one_in_crm(RIKU), await world.one_in_crm(KENJI)
    assert outcome.what == "applied"
    assert (riku["tags"], len(riku["notes"]), riku["phone"]) == (["timerex booked"], 1, PLAIN)
    assert (kenji["tags"], kenji["notes"]) == ([], [])
    assert len(await world.people()) == 2


async def test_a_guest_is_the_contact_with_the_email_though_three_have_the_phone(
    world: World,
) -> None:
    await allow_duplicates(world)
    for number, email in enumerate((KENJI, RIKU, AOI)):
        person = {"email": email, "phone": OFFICE, "firstName": f"Person {number}"}
        await world.ask("POST", "/ghl/contacts", person)

    outcome = await book(with_phone(world), booking())

    assert outcome.what == "applied"
    assert len(await world.notes_of(RIKU)) == 1
    assert len(await world.crm()) == 3


@pytest.mark.both_databases
async def test_a_guest_is_the_contact_with_the_email_though_a_known_one_has_the_phone(
    world: World,
) -> None:
    world = with_phone(world)
    await world.add(None, first_name="Kana", phone=OFFICE)
    await world.sync()
    await world.ask("POST", "/ghl/contacts", {"firstName": "Riku", "email": RIKU})

    (outcome,) = await world.handle(await world.receive(booking(email=RIKU)))

    assert outcome.what == "applied"
    assert len(await world.notes_of(RIKU)) == 1
    assert len(await world.people()) == len(await world.crm()) == 2


@pytest.mark.both_databases
@pytest.mark.parametrize("is_read_before", [False, True])
async def test_a_guest_with_the_additional_email_of_a_known_contact_is_that_contact(
    world: World, *, is_read_before: bool
) -> None:
    await world.add(KENJI, first_name="Kenji")
    await world.sync()
    await world.edit_crm(KENJI, additionalEmails=[AOI.upper()])
    if is_read_before:
        await world.sync()

    outcome = await book(world, confirmed(email=AOI, guest_name="Aoi Tanaka"))
    again = await book(world, confirmed("b2", AOI, guest_name="Aoi Tanaka"))

    assert (outcome.what, again.what) == ("applied", "applied")
    assert len(await world.people()) == len(await world.crm()) == 1
    assert len(await world.notes_of(KENJI)) == 2
    assert (await world.one_in_crm(KENJI))["email"] == KENJI


async def test_a_guest_whose_email_several_contacts_have_is_a_review(world: World) -> None:
    await allow_duplicates(world)
    await world.add(KENJI, first_name="Kenji")
    await world.add(RIKU, first_name="Riku")
    await world.sync()
    await world.edit_crm(KENJI, additionalEmails=[RIKU])
    await world.sync()

    outcome = await book(world, confirmed())

    (review,) = await world.ledger.read(reviews.open_reviews, NAME)
    assert (outcome.what, review.kind) == ("review", "identity")
    assert [*await world.notes_of(RIKU), *await world.notes_of(KENJI)] == []


async def test_a_guest_without_an_email_is_whoever_alone_has_the_phone(world: World) -> None:
    await world.add(RIKU, first_name="Riku", phone=OFFICE)
    await world.sync()
    body = booking()
    body["event"]["form"] = [
        one for one in body["event"]["form"] if "email" not in one["field_type"]
    ]

    outcome = await book(with_phone(world), body)

    assert outcome.what == "applied"
    assert len(await world.notes_of(RIKU)) == len(await world.people()) == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("is_read_before", [False, True])
async def test_where_ghl_wants_a_phone_once_the_guest_is_a_contact_without_it(
    world: World, *, is_read_before: bool
) -> None:
    kenji = {"email": KENJI, "phone": OFFICE, "firstName": "Kenji"}
    holder = (await world.ask("POST", "/ghl/contacts", kenji))["contact"]["id"]
    if is_read_before:
        await world.sync()
    await world.calls()

    outcome = await book(with_phone(world), booking())
    attempts = [one for one in await world.writes() if one == "POST /contacts/"]
    again = await book(with_phone(world), booking("b2"))

    riku = await world.one_in_crm(RIKU)
    (row,) = [one for one in await world.people() if one.contact.values[EMAIL] == RIKU]
    (difference,) = await world.ledger.read(withheld_of, NAME, [row.id])
    assert (outcome.what, again.what) == ("applied", "applied")
    assert riku.get("phone") is None
    assert row.contact.values[PHONE] == OFFICE
    assert (difference.contact_id, difference.field) == (row.id, PHONE)
    assert difference.ghl_id == holder
    link = await world.ledger.read(links.link_of_local, NAME, "contact", row.id)
    assert link is not None
    assert link.differences == {PHONE: "taken"}
    assert len(attempts) == (1 if is_read_before else 2), "a known refusal is not asked for again"
    notes = await world.notes_of(RIKU)
    assert len(notes) == 2
    assert all(f"Phone: {OFFICE} (not on this contact: another contact has it)" in n for n in notes)
    assert await world.ledger.read(reviews.open_reviews, NAME) == []


async def test_a_phone_that_becomes_free_reaches_the_contact(world: World) -> None:
    await world.add(KENJI, first_name="Kenji", phone=OFFICE)
    await world.sync()
    riku = await world.add(RIKU, first_name="Riku", phone=OFFICE)
    await world.sync()
    await world.edit_crm(KENJI, city="Nara")
    await world.sync()
    await world.calls()
    quiet = await world.sync()
    writes = await world.writes()

    await world.edit_crm(KENJI, phone="03-1234-9999")
    await world.sync()

    assert (quiet.review, quiet.waiting, writes) == (0, 0, [])
    assert (await world.one_in_crm(RIKU))["phone"] == PLAIN
    assert (await world.here(riku.id)).contact.values[PHONE] == OFFICE
    assert await world.ledger.read(withheld_of, NAME, [riku.id]) == []
    link = await world.ledger.read(links.link_of_local, NAME, "contact", riku.id)
    assert link is not None
    assert link.differences == {}
    assert (await world.sync()).in_words() == "nothing to do; 0 writes to GHL"


async def test_a_phone_that_an_edit_may_not_take_does_not_keep_back_the_rest(world: World) -> None:
    await world.add(KENJI, first_name="Kenji", phone=OFFICE)
    riku = await world.add(RIKU, first_name="Riku")
    await world.sync()

    await world.edit(riku.id, phone=OFFICE, city="Nara")
    counts = await world.sync()

    contact = await world.one_in_crm(RIKU)
    (difference,) = await world.ledger.read(withheld_of, NAME, [riku.id])
    assert (counts.review, contact["city"], contact.get("phone")) == (0, "Nara", None)
    assert difference.contact_id == riku.id


async def test_without_an_email_a_taken_phone_is_a_review(world: World) -> None:
    await world.add(KENJI, first_name="Kenji", phone=OFFICE)
    await world.sync()
    await world.ledger.write(ghl_contacts.forget, NAME, (await world.one_in_crm(KENJI))["id"])
    await world.add(None, first_name="Aoi", phone=f"{OFFICE} ext. 12")

    counts = await world.sync()

    assert len(await world.crm()) == 1
    assert counts.review == 1


@pytest.mark.parametrize(
    ("name", "is_named"),
    [("Hana Sato", True), ("Riku Sato", False), ("SATO RIKU", False), ("ＲＩＫＵ　Sato", False)],
)
async def test_a_note_names_a_guest_whose_contact_has_another_name(
    world: World, name: str, *, is_named: bool
) -> None:
    await world.add(RIKU, first_name="Riku", last_name="Sato")
    event = await world.receive(confirmed(guest_name=name))

    await world.handle(event)
    await world.calls()
    await world.handle(event, replay=True)

    (note,) = await world.notes_of(RIKU)
    assert (f"\nGuest: {name}\n" in note) is is_named
    assert await world.writes() == []
    assert len(await world.people()) == 1
