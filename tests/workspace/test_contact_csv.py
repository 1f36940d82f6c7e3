"""CSV tables as Excel and others write them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.workspace.contact_csv import guard, read_table, unguard, write_table

TEXT = "名,E-mail\r\n陸,riku@hinode.example\r\n"


def read(tmp_path: Path, body: bytes, encoding: str | None = None) -> list[tuple[str, ...]]:
    path = tmp_path / "people.csv"
    path.write_bytes(body)
    table = read_table(path, encoding)
    return [table.headers, *(row.cells for row in table.rows)]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp932"],
)
def test_the_encodings_of_spreadsheets_are_found_out(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, TEXT.encode(encoding))

    assert found == [("名", "E-mail"), ("陸", "riku@hinode.example")]


def test_another_encoding_can_be_named(tmp_path: Path) -> None:
    assert read(tmp_path, "Name\nZoë".encode("cp1252"), "cp1252") == [("Name",), ("Zoë",)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_found_out(tmp_path: Path, separator: str) -> None:
    body = f'Name{separator}"a,b;c\td"\n"Riku"{separator}2\n'

    assert read(tmp_path, body.encode()) == [("Name", "a,b;c\td"), ("Riku", "2")]


def test_cells_may_contain_lines_and_quotes(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('\nName,Note\n\n"Riku","one\ntwo ""2"""\n,\nAoi\n', encoding="utf-8")

    table = read_table(path)

    assert [(row.line, row.cells) for row in table.rows] == [
        (4, ("Riku", 'one\ntwo "2"')),
        (7, ("Aoi", "")),
    ]


def test_a_row_with_more_cells_than_headers_is_a_fault_and_empty_ones_are_none(
    tmp_path: Path,
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Name,City\nRiku,Aoba,,\nAoi,Nara,Japan\n", encoding="utf-8")

    assert [bool(row.fault) for row in read_table(path).rows] == [False, True]


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (b"", None, "has no headers"),
        (b"\n \n", None, "has no headers"),
        (b"Name\n\xff\xff\xff", None, "is not UTF-8, UTF-16 or Shift_JIS"),
        (b"Name\n\xff", "utf-8", "is not utf-8"),
        (b"Name\nRiku", "klingon", "unknown encoding klingon"),
        (b'Name\n"Riku" x\n', None, "line 2"),
        (b'Name\n"Riku', None, "line 2"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(
    tmp_path: Path, body: bytes, encoding: str | None, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        read(tmp_path, body, encoding)


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_table(tmp_path / "nobody.csv")
    with pytest.raises(SettingsError, match="cannot be written: No such file"):
        write_table(tmp_path / "nowhere" / "x.csv", ["Name"], [])


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+819012345678",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "'=1",
    ],
)
def test_what_a_spreadsheet_takes_for_a_formula_is_marked(cell: str) -> None:
    assert guard(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["riku@hinode.example", "'O Brien", "1-2-3", "", "'"])
def test_what_is_plain_text_is_not(cell: str) -> None:
    assert guard(cell) == unguard(cell) == cell


@given(st.text("'=+-@\t\rx＝＠陸 "))
def test_a_mark_comes_off_as_it_went_on(cell: str) -> None:
    assert unguard(guard(cell)) == cell


def test_a_table_reads_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    rows = [["陸", "+819012345678", 'a "b"\nc'], ["=1", "", "'=2"]]

    write_table(path, ["名", "Phone", "Note"], rows)

    table = read_table(path)
    assert [list(row.cells) for row in table.rows] == rows
    assert b"'+819012345678" in path.read_bytes()
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
