"""`timerex-ghl import` and `export`: the workspace's contacts as CSV files."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from timerex_ghl.cli.running import fail, run
from timerex_ghl.cli.workspace import LEDGER, opened

if TYPE_CHECKING:
    from timerex_ghl.domain.contacts.table_columns import Columns
    from timerex_ghl.workspace.contact_csv import PeopleTable
    from timerex_ghl.workspace.contact_tables import Imported

CONNECTION = click.option("--connection", required=True, help="Connection whose workspace is used.")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@CONNECTION
@click.option("--apply", is_flag=True, help="Write the valid rows; else nothing is written.")
@click.option(
    "--map", "chosen", multiple=True, metavar="HEADER=FIELD",
    help="The field of a column; - as FIELD skips it; may be repeated.",
)  # fmt: skip
@click.option("--errors", type=click.Path(path_type=Path), help="CSV file for refused rows.")
@click.option("--encoding", help="Encoding of the file, if it is not detected.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one line of JSON.")
@LEDGER
def import_(  # noqa: PLR0913  one argument an option
    *,
    file: Path,
    connection: str,
    apply: bool,
    chosen: Sequence[str],
    errors: Path | None,
    encoding: str | None,
    as_json: bool,
    ledger: str | None,
) -> None:
    """Add and change contacts from a CSV file with common headers.

    Without --apply it is a dry run: it shows the field of each column, and how many rows are new,
    changed, the same, or refused. Refused rows go to a CSV file next to the input, with the reason:
    correct them there and import that file. With --apply every 500 rows are one transaction. After
    a crash repeat it: rows already written then count as "same". Empty cells change nothing.
    """
    from timerex_ghl.domain.shared.errors import SettingsError
    from timerex_ghl.workspace.contact_csv import read_table
    from timerex_ghl.workspace.contact_tables import write_refused

    try:
        table = read_table(file, encoding)
        imported = run(_import(table, connection, _pairs(chosen), ledger, apply=apply))
        place = errors or _free_place(file)
        if imported.counts["refused"]:
            write_refused(imported, place)
    except SettingsError as error:
        fail(str(error))
    lines = _describe(imported, place, apply=apply)
    for line in [json.dumps(imported.counts)] if as_json else lines:
        click.echo(line)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@CONNECTION
@click.option("--json", "as_json", is_flag=True, help="Write JSON Lines instead of CSV.")
@LEDGER
def export(file: Path, connection: str, as_json: bool, ledger: str | None) -> None:
    """Write a connection's contacts to a CSV file that `import` can read.

    Cells that a spreadsheet would read as a formula (also phone numbers with +) get a leading
    quote mark; `import` removes it.
    """
    number = run(_export(file, connection, ledger, as_json=as_json))
    click.echo(f"{number} contacts in {file}")


async def _import(
    table: "PeopleTable",
    connection: str,
    chosen: dict[str, str],
    url: str | None,
    *,
    apply: bool,
) -> "Imported":
    from rich.console import Console
    from rich.progress import Progress

    from timerex_ghl.domain.contacts.table_columns import map_columns
    from timerex_ghl.workspace.contact_tables import import_people

    async with opened(url, connection, "import") as (ledger, editor):
        columns = map_columns(table.headers, chosen, editor.settings.rules)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("Writing" if apply else "Looking", total=len(table.rows))
            return await import_people(
                ledger, editor, table, columns, apply=apply,
                advance=lambda done: progress.advance(bar, done),
            )  # fmt: skip


async def _export(path: Path, connection: str, url: str | None, *, as_json: bool) -> int:
    from timerex_ghl.workspace.contact_tables import export_people

    async with opened(url, connection, "import") as (ledger, editor):
        return await export_people(ledger, editor, path, as_json=as_json)


def _pairs(chosen: Sequence[str]) -> dict[str, str]:
    pairs = [one.rpartition("=") for one in chosen]
    if not all(header and field for header, _, field in pairs):
        fail('--map: expected HEADER=FIELD, for example --map "Mail=email"')
    return {header: field for header, _, field in pairs}


def _free_place(file: Path) -> Path:
    """Return an unused file name next to the table: an earlier error file may be in use."""
    place, number = file.with_name(f"{file.stem}.errors.csv"), 2
    while place.exists():
        place, number = file.with_name(f"{file.stem}.errors-{number}.csv"), number + 1
    return place


def _describe(imported: "Imported", place: Path, *, apply: bool) -> Iterator[str]:
    table, counts = imported.table, imported.counts
    separator = "tab" if table.separator == "\t" else table.separator
    yield f"{len(table.rows)} rows, read as {table.encoding}, separated by {separator}"
    yield from _unused_columns(imported.columns, table.headers)
    yield "  ".join(f"{fate} {number}" for fate, number in counts.items())
    if counts["refused"]:
        yield f"refused rows, with the reason: {place}"
    if not apply:
        yield "dry run: nothing was written; --apply writes the valid rows"


def _unused_columns(columns: "Columns", headers: Sequence[str]) -> Iterator[str]:
    for header, target in zip(headers, columns.targets, strict=True):
        if target is not None:
            yield f"  {header} -> {target}"
        elif header in columns.unknown:
            yield f'  {header} -> unknown: use --map "{header}=FIELD", or "{header}=-" to skip it'
        elif header:
            yield f"  {header} -> skipped"
