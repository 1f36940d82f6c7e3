"""Every test that the documents name exists."""

import re

import pytest

from blocks import Connection, GHLCredentials, LedgerStore, TimeRexCredentials
from tests.paths import ROOT

RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", RELIABILITY)
FAULTS = range(11, 47)


@pytest.mark.parametrize(("file", "name"), sorted({*NAMED}))
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")

    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


@pytest.mark.parametrize("number", FAULTS)
def test_every_fault_is_shown_by_a_test(number: int) -> None:
    (row,) = re.findall(rf"^\| {number} \|.*$", RELIABILITY, re.MULTILINE)

    assert "::test_" in row


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
STEPS = re.findall(r"`([\w/]+\.py)::([\w.]+)`", ARCHITECTURE)


@pytest.mark.parametrize(("file", "name"), sorted({*STEPS}))
def test_a_step_of_a_path_is_there(file: str, name: str) -> None:
    (path,) = (path for path in (ROOT / file, ROOT / "timerex_ghl" / file) if path.exists())

    function = name.rpartition(".")[2]
    assert re.search(
        rf"^ *(async )?def {function}\(", path.read_text(encoding="utf-8"), re.MULTILINE
    )


FIELDS = {
    *LedgerStore.model_fields,
    *GHLCredentials.model_fields,
    *TimeRexCredentials.model_fields,
    *Connection.model_fields,
}
CONNECT = (ROOT / "docs" / "connect.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", re.findall(r"^\| (`[a-z_`, ]+`) \|", CONNECT, re.MULTILINE))
def test_a_field_to_fill_in_is_one_of_a_form(row: str) -> None:
    fields = re.findall(r"`(\w+)`", row)

    assert fields
    assert {*fields} <= FIELDS
