"""Edits of contacts: row, event and audit entry are one unit of work."""

from typing import Any

import pytest
from sqlalchemy import Connection, text

from tests import make
from tests.adapters.database_events import failing_statements
from tests.gateway.given import NAME, settings_with
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.contacts.contact_entry import EntryError
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, FieldName, WorkspaceContact
from timerex_ghl.workspace import contact_edits
from timerex_ghl.workspace.contact_edits import DuplicatePersonError
from timerex_ghl.workspace.edits import Editor, OtherVersionError, UnknownRecordError

SETTINGS = settings_with().model_copy(
    update={"rules": (make.rule("custom.likes", "customFields.f1"),)}
)
KANA = Editor(SETTINGS, "token:t_1")
HINODE = Editor(SETTINGS.model_copy(update={"name": ConnectionName("hinode")}), "token:t_2")


def entry(
    *,
    tags_added: tuple[str, ...] = (),
    tags_removed: tuple[str, ...] = (),
    likes: Any = None,
    **values: Any,
) -> WorkspaceChange:
    custom = {} if likes is None else {FieldName("custom.likes"): likes}
    return WorkspaceChange(
        values={**{FieldName(name): value for name, value in values.items()}, **custom},
        tags_added=frozenset(tags_added),
        tags_removed=frozenset(tags_removed),
    )


RIKU = entry(first_name="陸", email="Riku@Hinode.example", phone="090-1234-5678", city=None)


async def add(
    ledger: Ledger, given: WorkspaceChange = RIKU, editor: Editor = KANA
) -> WorkspaceContact:
    return await ledger.write(contact_edits.add_contact, editor, given, make.NOW)


async def change(
    ledger: Ledger, contact_id: str, given: WorkspaceChange, *versions: int, editor: Editor = KANA
) -> WorkspaceContact:
    return await ledger.write(
        contact_edits.change_contact,
        editor,
        ContactId(contact_id),
        given,
        make.NOW,
        versions=versions or None,
    )


async def stored_events(ledger: Ledger) -> list[tuple[str, ...]]:
    def read(tx: Connection) -> list[tuple[str, ...]]:
        statement = "SELECT source, type, record, dedupe_key, body, state FROM inbox ORDER BY seq"
        return [tuple(row) for row in tx.execute(text(statement))]

    return await ledger.read(read)


def event(row: WorkspaceContact) -> tuple[str, ...]:
    record, version = f"contact:{row.id}", row.version
    return (
        "workspace", "contact changed", record, f"{record}:{version}",
        f'{{"version": {version}}}', "waiting",
    )  # fmt: skip


async def test_an_added_person_is_found_by_their_keys_and_waits_to_be_handled(
    ledger: Ledger,
) -> None:
    row = await add(ledger)

    stored = await ledger.read(workspace_contacts.get_contacts, NAME, [row.id])
    assert stored[row.id].keys == Keys("riku@hinode.example", "+819012345678")
    assert stored[row.id].row.contact.values == {
        "first_name": "陸", "email": "Riku@Hinode.example", "phone": "090-1234-5678",
    }  # fmt: skip
    assert await stored_events(ledger) == [event(row)]


async def test_a_change_touches_what_it_names_and_waits_to_be_handled(ledger: Ledger) -> None:
    row = await add(ledger, entry(first_name="陸", email="r@a.example", tags_added=("VIP", "old")))

    changed = await change(
        ledger, row.id, entry(city="Sendai", email=None, tags_added=("new",), tags_removed=("old",))
    )

    assert changed.version == 2
    assert changed.contact.values == {"first_name": "陸", "email": None, "city": "Sendai"}
    assert changed.contact.tags == {"vip", "new"}
    assert await stored_events(ledger) == [event(row), event(changed)]


async def test_a_change_of_nothing_leaves_nothing_behind(ledger: Ledger) -> None:
    row = await add(ledger)

    same = entry(first_name=" 陸 ", email="Riku@Hinode.example", tags_removed=("never",))
    assert (await change(ledger, row.id, same)).version == 1

    assert await stored_events(ledger) == [event(row)]
    assert len(await ledger.read(audit.entries, NAME, 10)) == 1


async def test_null_for_a_field_nobody_entered_is_a_change_once(ledger: Ledger) -> None:
    row = await add(ledger)

    assert (await change(ledger, row.id, entry(website=None))).version == 2
    assert (await change(ledger, row.id, entry(website=None))).version == 2


async def test_an_event_that_cannot_be_stored_undoes_the_row(ledger: Ledger) -> None:
    row = await add(ledger)

    for work in (
        lambda: add(ledger, entry(first_name="葵")),
        lambda: change(ledger, row.id, entry(city="Sendai")),
    ):
        with (
            failing_statements("INSERT INTO inbox", ZeroDivisionError()),
            pytest.raises(ZeroDivisionError),
        ):
            await work()

    assert await ledger.read(workspace_contacts.list_contacts, NAME) == [
        await ledger.read(workspace_contacts.get_contact, NAME, row.id)
    ]
    assert (await ledger.read(workspace_contacts.get_contact, NAME, row.id) or row).version == 1
    assert await stored_events(ledger) == [event(row)]
    assert len(await ledger.read(audit.entries, NAME, 10)) == 1


async def test_the_audit_names_fields_and_the_editor_and_no_value(ledger: Ledger) -> None:
    row = await add(ledger)
    await change(ledger, row.id, entry(city="Sendai", tags_added=("vip",)))
    await ledger.write(
        contact_edits.delete_contact, KANA, row.id, make.NOW, versions=frozenset({2})
    )

    entries = await ledger.read(audit.entries, NAME, 10)

    assert [(each.what, each.detail) for each in reversed(entries)] == [
        (
            "contact added",
            {"by": "token:t_1", "fields": "email, first_name, phone", "version": 1},
        ),
        ("contact changed", {"by": "token:t_1", "fields": "city, tags", "version": 2}),
        ("contact deleted", {"by": "token:t_1", "fields": "", "version": 3}),
    ]
    assert {str(each.subject) for each in entries} == {f"contact:{row.id}"}


@pytest.mark.parametrize(
    "given",
    [
        entry(first_name="Somebody", email="riku@hinode.example"),
        entry(first_name="Somebody", phone="+81 90 1234 5678"),
        entry(email="riku@hinode.example", phone="080-1234-5678"),
    ],
    ids=["e-mail", "phone", "e-mail and another phone"],
)
async def test_nobody_is_added_twice(ledger: Ledger, given: WorkspaceChange) -> None:
    row = await add(ledger)

    with pytest.raises(DuplicatePersonError) as refused:
        await add(ledger, given)

    assert refused.value.contact_ids == (row.id,)
    assert "@" not in str(refused.value)


async def test_colleagues_with_one_phone_are_two_people(ledger: Ledger) -> None:
    row = await add(ledger)

    other = await add(ledger, entry(email="new@hinode.example", phone="０９０ー１２３４ー５６７８"))
    moved = await change(ledger, row.id, entry(phone="+81 90 1234 5678", city="Nara"))

    assert other.id != row.id
    assert moved.version == 2


async def test_nobody_takes_another_one_s_e_mail(ledger: Ledger) -> None:
    row = await add(ledger)
    other = await add(ledger, entry(first_name="葵"))

    with pytest.raises(DuplicatePersonError) as refused:
        await change(ledger, other.id, entry(email="riku@hinode.example"))

    assert refused.value.contact_ids == (row.id,)


async def test_two_who_share_a_phone_already_can_still_be_edited(ledger: Ledger) -> None:
    row = await add(ledger)
    twin = make.contact({"first_name": "海", "phone": "090-1234-5678"})
    await ledger.write(
        workspace_contacts.add_contact, NAME, twin, Keys(None, "+819012345678"), make.NOW
    )

    assert (await change(ledger, row.id, entry(city="Sendai"))).version == 2


async def test_one_s_own_e_mail_can_be_spelled_anew(ledger: Ledger) -> None:
    row = await add(ledger)

    assert (await change(ledger, row.id, entry(email="riku@hinode.example"))).version == 2


async def test_the_same_person_may_stand_in_another_connection(ledger: Ledger) -> None:
    row = await add(ledger)

    assert (await add(ledger, editor=HINODE)).id != row.id


async def test_an_edit_for_another_version_is_refused_and_reported_which(ledger: Ledger) -> None:
    row = await add(ledger)
    await change(ledger, row.id, entry(city="Sendai"), 1)

    with pytest.raises(OtherVersionError) as refused:
        await change(ledger, row.id, entry(city="Nara"), 1, 3)

    assert refused.value.version == 2


async def test_nobody_reaches_another_connection_s_people(ledger: Ledger) -> None:
    row = await add(ledger)

    with pytest.raises(UnknownRecordError):
        await change(ledger, row.id, entry(city="Sendai"), editor=HINODE)
    with pytest.raises(UnknownRecordError):
        await ledger.write(contact_edits.delete_contact, HINODE, row.id, make.NOW, versions=None)


async def test_somebody_deleted_is_gone_here_and_stays_linked(ledger: Ledger) -> None:
    row = await add(ledger)
    pair = Link(connection=NAME, kind="contact", local_id=row.id, remote_id="ghl-riku")
    await ledger.write(links.save_links, [pair])

    await ledger.write(contact_edits.delete_contact, KANA, row.id, make.NOW, versions=None)

    with pytest.raises(UnknownRecordError):
        await change(ledger, row.id, entry(city="Sendai"))
    assert await ledger.read(workspace_contacts.list_contacts, NAME) == []
    assert await ledger.read(links.link_of_remote, NAME, "contact", "ghl-riku") == pair
    assert await stored_events(ledger) == [event(row)]
    assert (await add(ledger)).id != row.id


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (entry(city="Sendai"), "email"),
        (entry(first_name="陸", emial="x"), "emial"),
        (entry(first_name="陸", tags_added=("a",), tags_removed=("A",)), "tags_removed"),
        (entry(first_name="陸", likes="\0"), "custom.likes"),
    ],
)
async def test_what_cannot_be_taken_leaves_nothing(
    ledger: Ledger, given: WorkspaceChange, field: str
) -> None:
    with pytest.raises(EntryError) as refused:
        await add(ledger, given)

    assert [fault.field for fault in refused.value.faults] == [field]
    assert await ledger.read(workspace_contacts.list_contacts, NAME) == []
    assert await stored_events(ledger) == []


async def test_a_field_of_the_mapping_is_kept(ledger: Ledger) -> None:
    row = await add(ledger, entry(first_name="陸", likes=("tea", "go")))

    assert row.contact.values[FieldName("custom.likes")] == ("tea", "go")


async def test_an_event_is_stored_as_one_that_waits(ledger: Ledger) -> None:
    await add(ledger)

    assert len(await ledger.read(inbox.waiting_events, NAME, make.NOW)) == 1
