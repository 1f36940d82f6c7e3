from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import Snapshot, digest_of
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    Contact,
    ContactId,
    GhlContact,
    GhlContactId,
    GhlField,
    Value,
)
from timerex_ghl.domain.shared.newest import ChangeTime
from timerex_ghl.domain.shared.record_ref import RecordRef

AOBA, HINODE = ConnectionName("aoba"), ConnectionName("hinode")
KEYS = Keys("riku@hinode.example", "+819012345678")
LATER = make.NOW + timedelta(hours=1)
RIKU = GhlContactId("ghl-riku")


async def save(
    ledger: Ledger,
    *contacts: GhlContact,
    keys: Keys = KEYS,
    digest: str = "d1",
    read_at: datetime = make.NOW,
    connection: ConnectionName = AOBA,
) -> None:
    snapshots = [Snapshot(contact, keys, digest) for contact in contacts]
    await ledger.write(ghl_contacts.save_snapshots, connection, snapshots, read_at)


async def link(
    ledger: Ledger, ghl_id: str, digest: str | None, connection: ConnectionName = AOBA
) -> None:
    pair = Link(
        connection=connection,
        kind="contact",
        local_id=f"c_{ghl_id}",
        remote_id=ghl_id,
        digest=digest,
    )
    await ledger.write(links.save_links, [pair])


async def set_aside(ledger: Ledger, ghl_id: str, found: str) -> None:
    def work(tx: Connection) -> None:
        reviews.open_review(
            tx,
            connection=AOBA,
            kind="identity",
            subject=RecordRef.ghl_contact(GhlContactId(ghl_id)),
            reason="two could be this person",
            detail={},
            record_state=found,
            now=make.NOW,
        )

    await ledger.write(work)


async def read_city(ledger: Ledger) -> Value:
    found = await ledger.read(ghl_contacts.get_snapshots, AOBA, [RIKU])
    return found[RIKU].contact.values[GhlField("city")]


@pytest.mark.parametrize("tags", [None, (), ("vip", "予約")])
async def test_a_snapshot_reads_back_as_read(ledger: Ledger, tags: tuple[str, ...] | None) -> None:
    contact = make.ghl_contact(
        {"firstName": "陸", "phone": None, "customFields.x1": ("tea", "go")}, tags=tags
    )
    await save(ledger, contact, read_at=LATER)

    found = await ledger.read(ghl_contacts.get_snapshots, AOBA, [contact.id, GhlContactId("none")])

    read, read_at, _ = found[contact.id]
    assert [*found] == [contact.id]
    assert read == contact.model_copy(update={"created_at": None})
    assert read_at == LATER


async def test_nothing_is_saved_of_an_empty_page(ledger: Ledger) -> None:
    await save(ledger)

    assert await ledger.read(ghl_contacts.changed_snapshots, AOBA) == []


async def test_a_newer_state_replaces_the_earlier_one(ledger: Ledger) -> None:
    await save(ledger, make.ghl_contact(city="Sendai"))
    new = Keys("riku@aoba.example", None)

    await save(ledger, make.ghl_contact(city="Kobe", updated_at=LATER), keys=new, digest="d2")

    assert await read_city(ledger) == "Kobe"
    assert await ledger.read(ghl_contacts.digest_now, AOBA, RIKU) == "d2"
    assert await ledger.read(ghl_contacts.find_by_keys, AOBA, [KEYS]) == []
    (found,) = await ledger.read(ghl_contacts.find_by_keys, AOBA, [new])
    assert found.contact.id == RIKU


async def test_a_state_older_than_the_kept_one_is_dropped(ledger: Ledger) -> None:
    await save(ledger, make.ghl_contact(city="Kobe", updated_at=LATER), digest="d2")

    await save(ledger, make.ghl_contact(city="Sendai"), read_at=LATER)

    assert await read_city(ledger) == "Kobe"
    assert await ledger.read(ghl_contacts.digest_now, AOBA, RIKU) == "d2"


async def test_one_lagging_contact_does_not_delay_its_page(ledger: Ledger) -> None:
    yui = make.ghl_contact(id_="ghl-yui", city="Sendai")
    await save(ledger, make.ghl_contact(city="Kobe", updated_at=LATER), yui)

    moved = yui.model_copy(update={"values": {**yui.values, "city": "Nara"}})
    await save(ledger, make.ghl_contact(city="Sendai"), moved)

    found = await ledger.read(ghl_contacts.get_snapshots, AOBA, [RIKU, yui.id])
    assert found[RIKU].contact.updated_at == LATER
    assert found[yui.id].contact == moved.model_copy(update={"created_at": None})


@pytest.mark.parametrize(
    ("kept", "new"),
    [(make.NOW, make.NOW), (None, make.NOW), (make.NOW, None), (None, None)],
    ids=["same time", "kept unknown", "new unknown", "both unknown"],
)
async def test_what_is_not_known_to_be_older_is_kept(
    ledger: Ledger, kept: datetime | None, new: datetime | None
) -> None:
    await save(ledger, make.ghl_contact(city="Sendai", updated_at=kept))

    await save(ledger, make.ghl_contact(city="Kobe", updated_at=new))

    assert await read_city(ledger) == "Kobe"


async def test_a_page_may_show_a_contact_twice(ledger: Ledger) -> None:
    newer = make.ghl_contact(city="Kobe", updated_at=LATER)

    await save(ledger, newer, make.ghl_contact(city="Sendai"), newer)

    assert await read_city(ledger) == "Kobe"


async def test_each_key_finds_by_itself(ledger: Ledger) -> None:
    await save(ledger, make.ghl_contact(id_="g1"), keys=Keys(KEYS.email, None))
    await save(ledger, make.ghl_contact(id_="g2"), keys=Keys(None, KEYS.phone))
    await save(ledger, make.ghl_contact(id_="g3"), keys=Keys(None, None))
    await save(ledger, make.ghl_contact(id_="g4"), connection=HINODE)

    found = await ledger.read(ghl_contacts.find_by_keys, AOBA, [KEYS])

    assert [each.contact.id for each in found] == ["g1", "g2"]
    assert await ledger.read(ghl_contacts.find_by_keys, AOBA, [Keys(None, None)]) == []


async def test_additional_keys_find_as_the_contact_was_last_read(ledger: Ledger) -> None:
    aoi, office = "aoi@hinode.example", "+81312345678"
    more = Keys(KEYS.email, None, frozenset({aoi}), frozenset({office}))
    await save(ledger, make.ghl_contact(), keys=more)
    older = make.ghl_contact(updated_at=make.NOW - timedelta(hours=1))
    await save(ledger, older, keys=KEYS)

    by_email = await ledger.read(ghl_contacts.find_by_keys, AOBA, [Keys(aoi, None)])
    by_phone = await ledger.read(ghl_contacts.find_by_keys, AOBA, [Keys(None, office)])
    elsewhere = await ledger.read(ghl_contacts.find_by_keys, HINODE, [more])
    await save(ledger, make.ghl_contact(updated_at=LATER), keys=KEYS)
    after = await ledger.read(ghl_contacts.find_by_keys, AOBA, [Keys(aoi, office)])

    assert [one.keys for one in (*by_email, *by_phone)] == [more, more]
    assert elsewhere == after == []


async def test_connections_do_not_share_snapshots(ledger: Ledger) -> None:
    await save(ledger, make.ghl_contact(city="Sendai"))
    await save(ledger, make.ghl_contact(city="Kobe"), connection=HINODE, digest="d2")

    assert await read_city(ledger) == "Sendai"
    assert await ledger.read(ghl_contacts.digest_now, HINODE, RIKU) == "d2"


async def test_who_is_not_linked_or_reads_differently_is_work(ledger: Ledger) -> None:
    ids = ["new", "changed", "in-sync", "never-in-sync"]
    await save(ledger, *(make.ghl_contact(id_=one) for one in ids))
    await save(ledger, make.ghl_contact(id_="elsewhere"), connection=HINODE)
    await link(ledger, "changed", "d0")
    await link(ledger, "in-sync", "d1")
    await link(ledger, "never-in-sync", None)

    work = await ledger.read(ghl_contacts.changed_snapshots, AOBA)

    assert sorted(work) == ["changed", "never-in-sync", "new"]


async def test_a_link_of_another_connection_does_not_count(ledger: Ledger) -> None:
    await save(ledger, make.ghl_contact())
    await link(ledger, RIKU, "d1", HINODE)

    assert await ledger.read(ghl_contacts.changed_snapshots, AOBA) == [RIKU]


async def test_reading_the_same_again_makes_no_work(ledger: Ledger) -> None:
    await save(ledger, make.ghl_contact())
    await link(ledger, RIKU, "d1")

    await save(ledger, make.ghl_contact(updated_at=LATER), read_at=LATER)

    assert await ledger.read(ghl_contacts.changed_snapshots, AOBA) == []


async def test_who_waits_for_a_person_is_no_work_until_changed(ledger: Ledger) -> None:
    await save(ledger, make.ghl_contact())
    await set_aside(ledger, RIKU, "d1")

    assert await ledger.read(ghl_contacts.changed_snapshots, AOBA) == []

    await save(ledger, make.ghl_contact(updated_at=LATER), digest="d2")
    assert await ledger.read(ghl_contacts.changed_snapshots, AOBA) == [RIKU]


SAME = make.contact({"city": "Sendai", "email": None}, tags=("a", "b"))


@pytest.mark.parametrize(
    "other",
    [
        make.contact({"email": None, "city": "Sendai"}, tags=("b", "a")),
        make.contact({"city": "Sendai", "email": None}, tags=("a", "b"), updated_at=LATER),
    ],
    ids=["order", "time"],
)
def test_equal_content_has_an_equal_digest(other: Contact) -> None:
    assert digest_of(SAME) == digest_of(other)
    assert len(digest_of(SAME)) == 32


@pytest.mark.parametrize(
    "other",
    [
        make.contact({"city": "Kobe", "email": None}, tags=("a", "b")),
        make.contact({"city": "Sendai"}, tags=("a", "b")),
        make.contact({"city": "Sendai", "email": ""}, tags=("a", "b")),
        make.contact({"city": ("Sendai",), "email": None}, tags=("a", "b")),
        make.contact({"city": "Sendai", "email": None}, tags=("a",)),
        make.contact({"city": "Sendai", "email": None}, tags=None),
        make.contact({"city": "Sendai", "email": None}, tags=()),
    ],
    ids=["value", "absent", "empty", "list", "tag", "tags unknown", "no tags"],
)
def test_other_content_has_another_digest(other: Contact) -> None:
    assert digest_of(SAME) != digest_of(other)


async def test_a_reading_has_when_fields_were_changed(ledger: Ledger) -> None:
    late = LATER + timedelta(hours=1)
    await save(ledger, make.ghl_contact(city="Kobe", firstName="Riku"))
    await save(ledger, make.ghl_contact(city="Nara", firstName="Riku"), read_at=LATER)
    await save(ledger, make.ghl_contact(city="Nara", firstName="Riku"), read_at=late)

    found = await ledger.read(ghl_contacts.get_readings, AOBA, [RIKU])

    assert found[RIKU].read_at == late
    assert found[RIKU].values[GhlField("city")] == "Nara"
    assert found[RIKU].changed == {GhlField("city"): ChangeTime(make.NOW, LATER)}


async def test_a_full_scan_forgets_whom_ghl_no_longer_has_unless_a_living_contact_is_linked(
    ledger: Ledger,
) -> None:
    people: dict[str, ContactId] = {}
    for name in ("unlinked", "living", "deleted", "read again"):
        await save(ledger, make.ghl_contact(id_=name))
    for name in ("living", "deleted"):
        row = await ledger.write(
            workspace_contacts.add_contact, AOBA, make.contact(), KEYS, make.NOW
        )
        pair = Link(connection=AOBA, kind="contact", local_id=row.id, remote_id=name)
        await ledger.write(links.save_links, [pair])
        people[name] = row.id
    await ledger.write(workspace_contacts.delete_contact, AOBA, people["deleted"], make.NOW)
    await save(ledger, make.ghl_contact(id_="read again"), read_at=LATER)

    await ledger.write(ghl_contacts.forget_unseen, AOBA, LATER)

    ids = [GhlContactId(name) for name in ("unlinked", "living", "deleted", "read again")]
    assert {*await ledger.read(ghl_contacts.get_snapshots, AOBA, ids)} == {"living", "read again"}
    assert await ledger.read(links.link_of_local, AOBA, "contact", people["deleted"]) is not None
