"""Importing a table of contacts into the workspace, and exporting it."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.contacts import contact_pages
from timerex_ghl.adapters.ledger.tables.contacts.contact_pages import Dated, WantedContacts
from timerex_ghl.domain.contacts.identity import (
    Candidate,
    Keys,
    Match,
    NoMatch,
    SeveralMatches,
    match_email,
    match_person,
)
from timerex_ghl.domain.contacts.table_columns import ID, REASON, TAGS, Columns, Entry, read_entry
from timerex_ghl.domain.shared.models import STANDARD_FIELDS, ContactId, FieldName, Value
from timerex_ghl.workspace.contact_csv import PeopleTable, write_table, write_text
from timerex_ghl.workspace.edits import Editor
from timerex_ghl.workspace.import_rows import Fate, RowVerdict, judge, keys_of_entry, take_over

BATCH = 500
"""Rows in one transaction."""

FATES: tuple[Fate, ...] = ("new", "changed", "same", "refused")


class Imported(NamedTuple):
    """The result of an import or its dry run. `verdicts`: one per row, in order."""

    table: PeopleTable
    columns: Columns
    verdicts: tuple[RowVerdict, ...]

    @property
    def counts(self) -> dict[Fate, int]:
        """Count the rows by verdict."""
        counted = Counter(verdict.fate for verdict in self.verdicts)
        return {fate: counted[fate] for fate in FATES}


async def import_people(
    ledger: Ledger,
    editor: Editor,
    table: PeopleTable,
    columns: Columns,
    *,
    apply: bool,
    advance: Callable[[int], None],
    batch_size: int = BATCH,
) -> Imported:
    """Import the valid rows of a table, or only return the verdicts.

    Args:
        ledger: The ledger to write to.
        editor: Who imports.
        table: The rows.
        columns: The field of each column.
        apply: Write; False: dry run.
        advance: Called with the number of further rows done.
        batch_size: Rows in one transaction.
    """
    read = [*_read(table, columns, editor)]
    verdicts = [one if isinstance(one, RowVerdict) else RowVerdict("same") for one in read]
    good = [(place, one) for place, one in enumerate(read) if not isinstance(one, RowVerdict)]
    advance(len(read) - len(good))
    for start in range(0, len(good), batch_size):
        batch = good[start : start + batch_size]
        entries = [entry for _, entry in batch]
        known = [one.person.id for one in verdicts[: batch[0][0]] if one.person is not None]
        if apply:
            found = await ledger.write(take_over, editor, entries, known)
        else:
            found = await ledger.read(judge, editor, entries, known)
        for (place, _), verdict in zip(batch, found, strict=True):
            verdicts[place] = verdict
        advance(len(batch))
    return Imported(table, columns, tuple(verdicts))


def write_refused(imported: Imported, path: Path) -> None:
    """Write the refused rows with their reasons, to be corrected and imported again."""
    table = imported.table
    kept = [i for i, header in enumerate(table.headers) if header.casefold() != REASON]
    rows = [
        [*(row.cells[i] for i in kept), verdict.reason]
        for row, verdict in zip(table.rows, imported.verdicts, strict=True)
        if verdict.fate == "refused"
    ]
    write_table(path, [*(table.headers[i] for i in kept), REASON], rows)


async def export_people(
    ledger: Ledger, editor: Editor, path: Path, *, as_json: bool, batch_size: int = BATCH
) -> int:
    """Write all contacts to a file, ordered by id; return their number."""
    people = [one async for one in _everybody(ledger, editor, batch_size)]
    if as_json:
        records = (json.dumps(_record_of(one), ensure_ascii=False) for one in people)
        write_text(path, "".join(f"{record}\n" for record in records))
    else:
        fields = [*dict.fromkeys((*STANDARD_FIELDS, *(r.field for r in editor.settings.rules)))]
        rows = ([one.row.id, *_cells_of(one, fields)] for one in people)
        write_table(path, [ID, *fields, TAGS], rows)
    return len(people)


def _read(table: PeopleTable, columns: Columns, editor: Editor) -> Iterator[Entry | RowVerdict]:
    """Parse the rows. One with the contact of an earlier row is refused."""
    earlier = _EarlierRows()
    for row in table.rows:
        entry = read_entry(columns, row.cells)
        keys = keys_of_entry(editor, entry)
        before = earlier.line_of(keys, entry.contact_id)
        if row.fault:
            yield RowVerdict("refused", row.fault)
        elif before is not None:
            yield RowVerdict("refused", f"has the e-mail, phone or id of line {before}")
        else:
            earlier.add(row.line, keys, entry.contact_id)
            yield entry


class _EarlierRows:
    """The people of the rows read so far, by id, e-mail and phone."""

    def __init__(self) -> None:
        self._by_id: dict[ContactId, int] = {}
        self._by_key: dict[str, list[Candidate[int]]] = {}

    def line_of(self, keys: Keys, contact_id: ContactId | None) -> int | None:
        """Return the line of the same person, if there is one."""
        if contact_id is not None and contact_id in self._by_id:
            return self._by_id[contact_id]
        near = [one for key in keys.emails | keys.phones for one in self._by_key.get(key, ())]
        choose = match_person if contact_id is None else match_email  # an id says who it is
        match choose(keys, near):
            case Match(line):
                return line
            case SeveralMatches(ids):
                return min(map(int, ids))
            case NoMatch():
                return None

    def add(self, line: int, keys: Keys, contact_id: ContactId | None) -> None:
        """Add a row."""
        if contact_id is not None:
            self._by_id[contact_id] = line
        for key in keys.emails | keys.phones:
            self._by_key.setdefault(key, []).append(Candidate(str(line), line, keys))


async def _everybody(ledger: Ledger, editor: Editor, batch_size: int) -> AsyncIterator[Dated]:
    after: ContactId | None = None
    every = WantedContacts()
    while True:
        page = await ledger.read(
            contact_pages.page_of_contacts, editor.connection, every, after, batch_size
        )
        for one in page:
            yield one
        if len(page) < batch_size:
            return
        after = page[-1].row.id


def _cells_of(one: Dated, fields: Sequence[FieldName]) -> Iterator[str]:
    for field in fields:
        yield _text_of(one.row.contact.values.get(field))
    yield ", ".join(sorted(one.row.contact.tags or ()))


def _text_of(value: Value) -> str:
    return ", ".join(value) if isinstance(value, tuple) else value or ""


def _record_of(one: Dated) -> dict[str, object]:
    contact = one.row.contact
    return {
        ID: one.row.id,
        "version": one.row.version,
        **contact.values,
        TAGS: None if contact.tags is None else sorted(contact.tags),
        "created_at": one.created_at.isoformat(),
        "updated_at": contact.updated_at.isoformat() if contact.updated_at else None,
    }
