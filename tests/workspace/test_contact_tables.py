"""Importing a table of contacts: judged, written, repeated, interrupted."""

import json
from collections.abc import Sequence
from pathlib import Path
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
from timerex_ghl.domain.contacts.identity import keys_of
from timerex_ghl.domain.contacts.table_columns import map_columns
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import ContactId, FieldName
from timerex_ghl.workspace import contact_edits
from timerex_ghl.workspace.contact_csv import PeopleTable, Row, read_table
from timerex_ghl.workspace.contact_tables import (
    BATCH,
    Imported,
    export_people,
    import_people,
    write_refused,
)
from timerex_ghl.workspace.edits import Editor

SETTINGS = settings_with().model_copy(
    update={"rules": (make.rule("custom.likes", "customFields.f1"),)}
)
KANA = Editor(SETTINGS, "import:kana")
RIKU = "riku@hinode.example"


def table_of(headers: str, *rows: str) -> PeopleTable:
    """Make a table from cells separated by `|`."""
    cells = [tuple(row.split("|")) for row in rows]
    numbered = tuple(Row(line, one) for line, one in enumerate(cells, start=2))
    return PeopleTable(tuple(headers.split("|")), numbered, "utf-8", ",")


async def take(
    ledger: Ledger, table: PeopleTable, *, apply: bool = True, batch_size: int = BATCH
) -> Imported:
    columns = map_columns(table.headers, {}, SETTINGS.rules)
    done: list[int] = []
    imported = await import_people(
        ledger,
        KANA,
        table,
        columns,
        apply=apply,
        advance=done.append,
        batch_size=batch_size,
    )
    assert sum(done) == len(table.rows)
    return imported


def fates(imported: Imported) -> list[str]:
    return [verdict.fate for verdict in imported.verdicts]


async def add(ledger: Ledger, **values: Any) -> ContactId:
    person = make.contact(values)
    row = await ledger.write(
        workspace_contacts.add_contact, NAME, person, keys_of(person, "JP"), make.NOW
    )
    return row.id


async def people(ledger: Ledger) -> dict[object, dict[str, Any]]:
    """Read all contacts' values, by e-mail."""
    rows = await ledger.read(workspace_contacts.list_contacts, NAME)
    return {row.contact.values.get(FieldName("email")): {**row.contact.values} for row in rows}


async def waiting(ledger: Ledger) -> int:
    return len(await ledger.read(inbox.waiting_events, NAME, make.NOW))


async def test_a_dry_run_reports_and_writes_nothing(ledger: Ledger) -> None:
    known = await add(ledger, email=RIKU, city="Aoba")
    table = table_of(
        "E-mail|City", f"{RIKU}|Aoba", "aoi@hinode.example|Nara", "bad|Nara", "RIKU@hinode.example|"
    )
    before = await people(ledger)

    imported = await take(ledger, table, apply=False)

    assert fates(imported) == ["same", "new", "refused", "refused"]
    assert imported.counts == {"new": 1, "changed": 0, "same": 1, "refused": 2}
    assert imported.verdicts[0].person is not None
    assert imported.verdicts[0].person.id == known
    assert await people(ledger) == before
    assert await waiting(ledger) == 0


async def test_good_rows_are_written_and_wait_to_be_handled(ledger: Ledger) -> None:
    await add(ledger, email=RIKU, city="Aoba", company="Hinode")
    table = table_of(
        "E-mail|City|会社名|Tags", f"{RIKU}|Sendai||vip", "aoi@hinode.example|Nara|Aoi KK|"
    )

    assert fates(await take(ledger, table)) == ["changed", "new"]

    assert await people(ledger) == {
        RIKU: {"email": RIKU, "city": "Sendai", "company": "Hinode"},
        "aoi@hinode.example": {
            "email": "aoi@hinode.example", "city": "Nara", "company": "Aoi KK",
        },
    }  # fmt: skip
    assert await waiting(ledger) == 2
    entries = await ledger.read(audit.entries, NAME, 10)
    assert {entry.detail["by"] for entry in entries} == {"import:kana"}


async def test_a_repetition_writes_nothing(ledger: Ledger) -> None:
    table = table_of("E-mail|Phone|Tags", f"{RIKU}|090-1234-5678|vip", "aoi@hinode.example||")
    await take(ledger, table)

    assert fates(await take(ledger, table)) == ["same", "same"]

    assert await waiting(ledger) == 2


async def test_a_dry_run_and_its_application_agree(ledger: Ledger) -> None:
    await add(ledger, email=RIKU, phone="090-1234-5678")
    await add(ledger, email="aoi@hinode.example")
    table = table_of(
        "id|E-mail|Phone|City",
        f"|{RIKU}||Aoba",
        "||090-1234-5678|Aoba",
        "|new@hinode.example||",
        "|aoi@hinode.example|090-1234-5678|",
        "c_1|x@hinode.example||",
        "|other@hinode.example|+819012345678|",
        "|||Aoba",
    )

    reported = await take(ledger, table, apply=False)
    done = await take(ledger, table)

    assert fates(reported) == fates(done) == [
        "changed", "refused", "new", "refused", "refused", "refused", "refused",
    ]  # fmt: skip


async def test_whom_a_row_speaks_of_has_to_be_clear(ledger: Ledger) -> None:
    riku = await add(ledger, email=RIKU, phone="090-1234-5678")
    aoi = await add(ledger, email="aoi@hinode.example")
    phones = sorted([riku, await add(ledger, email="kai@hinode.example", phone="09012345678")])
    for row, reason in (
        ("||090-1234-5678", f"matches {', '.join(phones)}: fill in the id"),
        (f"{aoi}|{RIKU}|", f"has the e-mail or phone of {riku}"),
        ("c_1||", "id: unknown contact"),
        ("||", "has no e-mail and no valid phone number"),
        ("||12", "has no e-mail and no valid phone number"),
    ):
        (verdict,) = (await take(ledger, table_of("id|E-mail|Phone", row))).verdicts
        assert verdict.fate == "refused"
        assert verdict.reason.startswith(reason)
        assert "@" not in verdict.reason

    renamed = await take(ledger, table_of("id|E-mail", f"{riku}|new@hinode.example"))
    moved = await take(ledger, table_of("E-mail|Phone", "aoi@hinode.example|080-1234-5678"))
    assert fates(renamed) == fates(moved) == ["changed"]


async def test_colleagues_share_a_phone_and_a_main_line_is_nobodys(ledger: Ledger) -> None:
    office = "03-1234-5678"
    table = table_of(
        "First Name|E-mail|Phone",
        f"Kenji|kenji@hinode.example|{office}",
        f"Riku|{RIKU}|{office}",
        f"Aoi|aoi@hinode.example|{office} ext. 12",
        "陸||090-1234-5678",
        f"葵||{office}（代表）",
        f"賢||{office} 内線12",
    )

    first = await take(ledger, table)
    again = await take(ledger, table)

    assert fates(first) == [*["new"] * 5, "refused"], "one with Aoi's extension is Aoi"
    assert fates(again) == [*["same"] * 5, "refused"]


async def test_two_rows_of_one_person_are_not_both_taken(ledger: Ledger) -> None:
    table = table_of(
        "E-mail|Phone", f"{RIKU}|090-1234-5678", "|+819012345678", "Riku@Hinode.example|"
    )

    imported = await take(ledger, table)

    assert fates(imported) == ["new", "refused", "refused"]
    assert imported.verdicts[1].reason == "has the e-mail, phone or id of line 2"


async def test_a_person_of_another_batch_is_not_taken_twice(ledger: Ledger) -> None:
    riku = await add(ledger, email=RIKU, phone="090-1234-5678")
    table = table_of("E-mail|Phone|City", f"{RIKU}||Aoba", "|090-1234-5678|Nara")

    for apply in (False, True):
        imported = await take(ledger, table, apply=apply, batch_size=1)
        assert fates(imported) == ["changed", "refused"]
        assert imported.verdicts[1].reason == f"is contact {riku}, as an earlier row is"


async def test_an_interrupted_import_goes_on_where_it_was(ledger: Ledger) -> None:
    table = table_of("E-mail", *(f"guest{n}@hinode.example" for n in range(25)))

    with (
        failing_statements("INSERT INTO contacts", ZeroDivisionError(), nth=15),
        pytest.raises(ZeroDivisionError),
    ):
        await take(ledger, table, batch_size=10)
    assert (len(await people(ledger)), await waiting(ledger)) == (10, 10)

    imported = await take(ledger, table, batch_size=10)

    assert imported.counts == {"new": 15, "changed": 0, "same": 10, "refused": 0}
    assert (len(await people(ledger)), await waiting(ledger)) == (25, 25)


async def test_refused_rows_can_be_corrected_and_imported(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    table = table_of("名|E-mail|Phone|Reason", "陸|bad|+819012345678|old", f"葵|{RIKU}||")
    write_refused(await take(ledger, table), path)

    refused = read_table(path)
    assert refused.headers == ("名", "E-mail", "Phone", "reason")
    assert [row.cells for row in refused.rows] == [
        ("陸", "bad", "+819012345678", "email: is not an e-mail address: write name@example.com")
    ]
    text_of_file = path.read_text(encoding="utf-8-sig")
    path.write_text(text_of_file.replace("bad", "good@hinode.example"), encoding="utf-8-sig")

    assert fates(await take(ledger, read_table(path))) == ["new"]
    assert (await people(ledger))["good@hinode.example"]["phone"] == "+819012345678"


async def test_what_is_exported_comes_back_the_same(ledger: Ledger, tmp_path: Path) -> None:
    person = WorkspaceChange(
        values={
            FieldName("first_name"): "=SUM(A1)",
            FieldName("email"): RIKU,
            FieldName("phone"): "+81 90 1234 5678",
            FieldName("address"): '1-2\n"Aoba"',
            FieldName("custom.likes"): ("tea", "go"),
        },
        tags_added=frozenset({"vip", "予約"}),
    )
    await ledger.write(contact_edits.add_contact, KANA, person, make.NOW)
    await add(ledger, first_name="葵")
    path, lines = tmp_path / "out.csv", tmp_path / "out.jsonl"

    assert await export_people(ledger, KANA, path, as_json=False) == 2
    assert await export_people(ledger, KANA, lines, as_json=True) == 2

    assert fates(await take(ledger, read_table(path))) == ["same", "same"]
    assert b"'=SUM(A1)" in path.read_bytes()
    assert '"custom.likes": ["tea", "go"]' in lines.read_text(encoding="utf-8")
    assert exported_ids(lines) == await ids(ledger)


def exported_ids(path: Path) -> Sequence[str]:
    return [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()]


async def ids(ledger: Ledger) -> Sequence[str]:
    def read(tx: Connection) -> Sequence[str]:
        return [*tx.scalars(text("SELECT id FROM contacts ORDER BY id"))]

    return await ledger.read(read)


async def test_every_page_is_exported(ledger: Ledger, tmp_path: Path) -> None:
    for number in range(4):
        await add(ledger, email=f"guest{number}@hinode.example")

    path = tmp_path / "out.csv"
    assert await export_people(ledger, KANA, path, as_json=False, batch_size=2) == 4
