from datetime import timedelta

import pytest
from sqlalchemy import Connection

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.changed_contacts import changed_contacts
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import StaleVersionError
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.errors import SkippableError
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, FieldName, WorkspaceContact
from timerex_ghl.domain.shared.record_ref import RecordRef

AOBA, HINODE = ConnectionName("aoba"), ConnectionName("hinode")
KEYS = Keys("riku@hinode.example", "+819012345678")
NOBODY = Keys(None, None)
LATER = make.NOW + timedelta(hours=1)
TO_SENDAI = WorkspaceChange(values={FieldName("city"): "Sendai"})


async def add(
    ledger: Ledger, keys: Keys = KEYS, connection: ConnectionName = AOBA
) -> WorkspaceContact:
    return await ledger.write(
        workspace_contacts.add_contact, connection, make.contact(), keys, make.NOW
    )


async def link(ledger: Ledger, row: WorkspaceContact) -> None:
    pair = Link(
        connection=AOBA,
        kind="contact",
        local_id=row.id,
        remote_id=f"ghl-{row.id}",
        local_version=row.version,
    )
    await ledger.write(links.save_links, [pair])


async def set_aside(ledger: Ledger, row: WorkspaceContact) -> str:
    def work(tx: Connection) -> str:
        opened = reviews.open_review(
            tx,
            connection=AOBA,
            kind="identity",
            subject=RecordRef.contact(row.id),
            reason="two could be this person",
            detail={},
            record_state=str(row.version),
            now=make.NOW,
        )
        return opened.id

    return await ledger.write(work)


async def test_an_added_person_reads_back_as_added(ledger: Ledger) -> None:
    person = make.contact(
        {"first_name": "陸", "custom.likes": ("tea", "go"), "city": None, "note": 'O"Brien\\'},
        tags={"vip", "予約"},
    )

    added = await ledger.write(workspace_contacts.add_contact, AOBA, person, KEYS, make.NOW)

    filled = dict.fromkeys(map(FieldName, ("first_name", "custom.likes", "note")), make.NOW)
    assert added == WorkspaceContact(id=added.id, version=1, contact=person, changed_at=filled)
    assert await ledger.read(workspace_contacts.get_contact, AOBA, added.id) == added


async def test_tags_that_were_not_received_stay_unknown(ledger: Ledger) -> None:
    person = make.contact(tags=None)

    added = await ledger.write(workspace_contacts.add_contact, AOBA, person, KEYS, make.NOW)

    read = await ledger.read(workspace_contacts.get_contact, AOBA, added.id)
    assert read is not None
    assert read.contact.tags is None


async def test_a_change_touches_only_what_it_names(ledger: Ledger) -> None:
    added = await add(ledger)
    change = WorkspaceChange(
        values={FieldName("city"): "Sendai", FieldName("last_name"): None},
        tags_added=frozenset({"vip"}),
    )

    changed = await ledger.write(
        workspace_contacts.change_contact, AOBA, added.id, change, KEYS, LATER
    )

    assert changed.version == 2
    assert changed.contact == make.contact(
        last_name=None, city="Sendai", tags={"vip"}, updated_at=LATER
    )
    edited = dict.fromkeys(change.values, LATER)
    assert changed.changed_at == {**added.changed_at, **edited}
    assert await ledger.read(workspace_contacts.get_contact, AOBA, added.id) == changed


async def test_a_change_of_another_version_is_refused(ledger: Ledger) -> None:
    added = await add(ledger)
    change = TO_SENDAI
    changed = await ledger.write(
        workspace_contacts.change_contact, AOBA, added.id, change, KEYS, LATER, expected_version=1
    )

    with pytest.raises(StaleVersionError):
        await ledger.write(
            workspace_contacts.change_contact,
            AOBA,
            added.id,
            change,
            KEYS,
            LATER,
            expected_version=1,
        )

    assert await ledger.read(workspace_contacts.get_contact, AOBA, added.id) == changed


async def test_nobody_is_changed_through_another_connection(ledger: Ledger) -> None:
    added = await add(ledger)

    with pytest.raises(SkippableError):
        await ledger.write(
            workspace_contacts.change_contact, HINODE, added.id, TO_SENDAI, KEYS, LATER
        )
    await ledger.write(workspace_contacts.delete_contact, HINODE, added.id, LATER)

    assert await ledger.read(workspace_contacts.get_contact, HINODE, added.id) is None
    assert await ledger.read(workspace_contacts.get_contact, AOBA, added.id) == added


async def test_each_key_finds_by_itself(ledger: Ledger) -> None:
    by_email = await add(ledger, Keys(KEYS.email, None))
    by_phone = await add(ledger, Keys(None, KEYS.phone))
    await add(ledger, Keys("yui@hinode.example", "+819000000000"))
    await add(ledger, KEYS, HINODE)

    assert await ledger.read(workspace_contacts.find_contacts, AOBA, KEYS) == (
        [by_email],
        [by_phone],
    )


async def test_a_missing_key_finds_nobody(ledger: Ledger) -> None:
    await add(ledger, NOBODY)

    assert await ledger.read(workspace_contacts.find_contacts, AOBA, NOBODY) == ([], [])


async def test_a_changed_key_finds_and_the_old_one_no_longer(ledger: Ledger) -> None:
    added = await add(ledger)
    new = Keys("riku@aoba.example", None)

    changed = await ledger.write(
        workspace_contacts.change_contact, AOBA, added.id, TO_SENDAI, new, LATER
    )

    assert await ledger.read(workspace_contacts.find_contacts, AOBA, KEYS) == ([], [])
    assert await ledger.read(workspace_contacts.find_contacts, AOBA, new) == ([changed], [])


async def test_a_tombstone_is_read_but_neither_found_nor_listed_nor_changed(
    ledger: Ledger,
) -> None:
    added = await add(ledger)

    await ledger.write(workspace_contacts.delete_contact, AOBA, added.id, LATER)
    await ledger.write(workspace_contacts.delete_contact, AOBA, added.id, LATER)

    row = await ledger.read(workspace_contacts.get_contact, AOBA, added.id)
    assert row is not None
    assert (row.deleted, row.version) == (True, 2)
    assert await ledger.read(workspace_contacts.find_contacts, AOBA, KEYS) == ([], [])
    assert await ledger.read(workspace_contacts.list_contacts, AOBA) == []
    with pytest.raises(SkippableError):
        await ledger.write(
            workspace_contacts.change_contact, AOBA, added.id, TO_SENDAI, KEYS, LATER
        )


async def test_pages_list_everybody_once(ledger: Ledger) -> None:
    added = {(await add(ledger)).id for _ in range(5)}
    await add(ledger, connection=HINODE)

    listed: list[ContactId] = []
    while page := await ledger.read(
        workspace_contacts.list_contacts, AOBA, after=listed[-1] if listed else None, limit=2
    ):
        assert len(page) <= 2
        listed += [row.id for row in page]

    assert len(listed) == 5
    assert set(listed) == added


async def test_who_is_not_linked_or_changed_since_is_work(ledger: Ledger) -> None:
    new, changed, in_sync, deleted = [await add(ledger) for _ in range(4)]
    await add(ledger, connection=HINODE)
    await link(ledger, changed)
    await link(ledger, in_sync)
    await ledger.write(workspace_contacts.change_contact, AOBA, changed.id, TO_SENDAI, KEYS, LATER)
    await ledger.write(workspace_contacts.delete_contact, AOBA, deleted.id, LATER)

    work = await ledger.read(changed_contacts, AOBA)

    assert set(work) == {new.id, changed.id}
    assert len(work) == 2


async def test_a_link_that_was_never_in_sync_is_work(ledger: Ledger) -> None:
    added = await add(ledger)
    pair = Link(connection=AOBA, kind="contact", local_id=added.id, remote_id="ghl-riku")
    await ledger.write(links.save_links, [pair])

    assert await ledger.read(changed_contacts, AOBA) == [added.id]


async def test_links_of_another_connection_or_kind_do_not_count(ledger: Ledger) -> None:
    added = await add(ledger)
    for connection, kind in ((HINODE, "contact"), (AOBA, "booking-note")):
        pair = Link.model_validate(
            {
                "connection": connection,
                "kind": kind,
                "local_id": added.id,
                "remote_id": "x",
                "local_version": added.version,
            }
        )
        await ledger.write(links.save_links, [pair])

    assert await ledger.read(changed_contacts, AOBA) == [added.id]


async def test_who_waits_for_a_person_is_no_work_until_changed(ledger: Ledger) -> None:
    added = await add(ledger)
    await set_aside(ledger, added)

    assert await ledger.read(changed_contacts, AOBA) == []

    await ledger.write(workspace_contacts.change_contact, AOBA, added.id, TO_SENDAI, KEYS, LATER)
    assert await ledger.read(changed_contacts, AOBA) == [added.id]


async def test_a_resolved_review_makes_work_again(ledger: Ledger) -> None:
    added = await add(ledger)
    review_id = await set_aside(ledger, added)

    await ledger.write(
        reviews.resolve_review, review_id, decision="try again", by="mori", now=LATER
    )

    assert await ledger.read(changed_contacts, AOBA) == [added.id]
