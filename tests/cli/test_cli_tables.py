"""`timerex-ghl token`, `import` and `export`, on the command line."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from tests.gateway.api.given import api_client
from tests.gateway.given import publish, settings_with
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.cli import main


@pytest.fixture
def url(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    async def fill() -> None:
        async with open_ledger(sqlite_url) as ledger:
            await publish(ledger, settings_with())

    asyncio.run(fill())
    monkeypatch.setenv("TIMEREX_GHL_LEDGER", sqlite_url)
    return sqlite_url


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


async def _ask(url: str, token: str, method: str) -> httpx.Response:
    async with open_ledger(url) as ledger, api_client(ledger, token) as client:
        return await client.request(method, "/contacts", json={"email": "a@b.example"})


def ask(url: str, token: str, method: str = "GET") -> int:
    return asyncio.run(_ask(url, token, method)).status_code


def test_a_token_is_made_used_listed_and_revoked(url: str) -> None:
    made = call("token", "create", "--connection", "aoba", "--name", "Our site", "--write")
    token, (token_id, _, _) = made.stdout.strip(), made.stderr.partition(":")

    assert ask(url, token, "POST") == 201
    assert token not in call("token", "list").output
    (line,) = call("token", "list", "--connection", "aoba").output.splitlines()
    assert line.startswith(f"{token_id}  aoba  read and write  good  used 2")
    assert line.endswith("  Our site")
    assert call("token", "revoke", token_id).output == f"{token_id} is revoked\n"
    assert call("token", "revoke", token_id).output == f"{token_id} was already revoked\n"
    assert ask(url, token) == 401
    assert "  revoked 2" in call("token", "list").output


def test_a_token_reads_unless_it_is_allowed_to_write(url: str) -> None:
    token = call("token", "create", "--connection", "aoba").stdout.strip()

    assert (ask(url, token), ask(url, token, "POST")) == (200, 403)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("token", "create", "--connection", "nobody"), "connection nobody is not published"),
        (("token", "revoke", "t_1"), "no token t_1: see timerex-ghl token list"),
        (("import", "nobody.csv", "--connection", "aoba"), "nobody.csv cannot be read"),
        (("export", "/nowhere/x.csv", "--connection", "aoba"), "/nowhere/x.csv cannot be written"),
    ],
)
def test_what_a_person_can_mend_is_said_in_one_line(
    url: str, arguments: tuple[str, ...], said: str
) -> None:
    del url
    result = call(*arguments)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"timerex-ghl: {said}")
    assert result.stderr.count("\n") == 1


def test_without_a_token_the_list_says_how_to_make_one(url: str) -> None:
    del url
    assert call("token", "list").output == "no tokens: create one with timerex-ghl token create\n"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    rows = "名;E-mail;Favourite\n陸;riku@hinode.example;tea\n葵;bad;go\n"
    path.write_bytes(rows.encode("cp932"))
    return path


def test_an_import_is_shown_applied_and_corrected(url: str, people: Path) -> None:
    del url
    dry_run = call("import", people, "--connection", "aoba")
    applied = call("import", people, "--connection", "aoba", "--apply", "--json")
    again = call("import", people, "--connection", "aoba", "--json")

    assert dry_run.stdout.splitlines() == [
        "2 rows, read as cp932, separated by ;",
        "  名 -> first_name",
        "  E-mail -> email",
        '  Favourite -> unknown: use --map "Favourite=FIELD", or "Favourite=-" to skip it',
        "new 1  changed 0  same 0  refused 1",
        f"refused rows, with the reason: {people.parent / 'people.errors.csv'}",
        "dry run: nothing was written; --apply writes the valid rows",
    ]
    assert json.loads(applied.stdout) == {"new": 1, "changed": 0, "same": 0, "refused": 1}
    assert json.loads(again.stdout) == {"new": 0, "changed": 0, "same": 1, "refused": 1}
    errors = sorted(path.name for path in people.parent.glob("people.errors*"))
    assert errors == ["people.errors-2.csv", "people.errors-3.csv", "people.errors.csv"]


def test_columns_and_the_place_of_errors_can_be_chosen(url: str, people: Path) -> None:
    del url
    errors = people.parent / "refused.csv"

    result = call(
        "import", people, "--connection", "aoba", "--map", "Favourite=city", "--errors", errors
    )  # fmt: skip

    assert "  Favourite -> city\n" in result.stdout
    assert errors.exists()


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("Favourite", "--map: expected HEADER=FIELD"),
        ("Favourite=", "--map: expected HEADER=FIELD"),
        ("Nothing=city", "--map: the file has no column 'Nothing'"),
        ("Favourite=town", "--map: town is not a field: use "),
        ("Favourite=email", "several columns are email"),
    ],
)
def test_a_choice_nobody_can_follow_is_said_in_one_line(
    url: str, people: Path, choice: str, said: str
) -> None:
    del url
    result = call("import", people, "--connection", "aoba", "--map", choice)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"timerex-ghl: {said}")


def test_what_is_exported_is_imported_as_the_same(url: str, people: Path) -> None:
    del url
    call("import", people, "--connection", "aoba", "--apply")
    out = people.parent / "out.csv"

    exported = call("export", out, "--connection", "aoba")
    back = call("import", out, "--connection", "aoba", "--json")

    assert exported.output == f"1 contacts in {out}\n"
    assert json.loads(back.stdout) == {"new": 0, "changed": 0, "same": 1, "refused": 0}
