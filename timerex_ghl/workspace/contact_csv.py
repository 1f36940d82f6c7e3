"""Reading and writing contact tables as CSV, in the encodings of Excel and others."""

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from timerex_ghl.domain.shared.errors import SettingsError

_LARGEST = 100 * 1024 * 1024
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SEPARATORS = (",", ";", "\t")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""Characters with which a spreadsheet starts a formula."""
_NEVER_TEXT = re.compile("[\0\uf8f0-\uf8f3]")  # the latter are what cp932 decodes stray bytes to
MARK = "'"
"""Put before a cell that looks like a formula, so that it stays text."""


class Row(NamedTuple):
    """One row, with as many cells as there are headers.

    Attributes:
        line: Line number where it begins, from 1.
        fault: Why it cannot be read; empty where it can.
    """

    line: int
    cells: tuple[str, ...]
    fault: str = ""


class PeopleTable(NamedTuple):
    """A table, with the `encoding` and `separator` it was read with."""

    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str
    separator: str


def read_table(path: Path, encoding: str | None = None) -> PeopleTable:
    """Read a table. Its first row has the headers; empty rows are skipped.

    Args:
        path: The file.
        encoding: Its encoding; None: UTF-8, UTF-16 or Shift_JIS, whichever fits.

    Raises:
        SettingsError: It cannot be read.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise SettingsError(f"{path} is over 100 MB: split it")
        body = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    text, read_as = _decode(path, body, encoding)
    separator = _separator_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    found: list[tuple[int, list[str]]] = []
    try:
        before = 1
        for cells in reader:
            found.append((before, cells))
            before = reader.line_num + 1
    except csv.Error as error:
        raise SettingsError(f"{path}, line {reader.line_num}: {error}") from None
    filled = [(line, cells) for line, cells in found if any(cell.strip() for cell in cells)]
    if not filled:
        raise SettingsError(f"{path} has no headers: the first row names the columns")
    headers = tuple(header.strip() for header in filled[0][1])
    rows = tuple(_row_of(line, cells, len(headers)) for line, cells in filled[1:])
    return PeopleTable(headers, rows, read_as, separator)


def write_table(path: Path, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table that a spreadsheet opens as text, atomically.

    Raises:
        SettingsError: It cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([guard(header) for header in headers])
    writer.writerows([guard(cell) for cell in row] for row in rows)
    write_text(path, "\ufeff" + text.getvalue())  # Excel needs the byte order mark


def write_text(path: Path, text: str) -> None:
    """Write a file atomically.

    Raises:
        SettingsError: It cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(text.encode())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from None


def guard(cell: str) -> str:
    """Mark a cell that a spreadsheet would read as a formula."""
    return MARK + cell if _looks_marked(cell) else cell


def unguard(cell: str) -> str:
    """Remove the mark."""
    return cell[1:] if cell.startswith(MARK) and _looks_marked(cell) else cell


def _looks_marked(cell: str) -> bool:
    """Return whether a cell is a formula after any number of marks, so marking is reversible."""
    return cell.lstrip(MARK).startswith(_FORMULA)


def _decode(path: Path, body: bytes, encoding: str | None) -> tuple[str, str]:
    fitting = [name for bom, name in _BOMS if body.startswith(bom)] or ["utf-8"]
    if b"\0" in body:  # ASCII letters have a zero byte after or before them
        behind, before = body[1::2].count(0), body[::2].count(0)
        fitting += ["utf-16-le" if behind > before else "utf-16-be"]
    for name in [encoding] if encoding else [*fitting, "cp932"]:
        try:
            text = body.decode(name)
        except LookupError:
            raise SettingsError(f"--encoding: unknown encoding {name}") from None
        except UnicodeError:
            continue
        if not _NEVER_TEXT.search(text):
            return text, name
    raise SettingsError(
        f"{path} is not {encoding or 'UTF-8, UTF-16 or Shift_JIS'}: pass --encoding, or save it as"
        " CSV UTF-8"
    )


def _separator_of(text: str) -> str:
    """Choose the separator that gives the first row the most columns."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_SEPARATORS, key=re.sub('"[^"]*"', "", first).count)


def _row_of(line: int, cells: list[str], width: int) -> Row:
    extra = any(cell.strip() for cell in cells[width:])
    fitted = [*cells[:width], *[""] * (width - len(cells))]
    fault = "has more cells than there are headers" if extra else ""
    return Row(line, tuple(map(unguard, fitted)), fault)
