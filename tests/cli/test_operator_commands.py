"""Reviews and plans in the terminal."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests import make
from tests.engine.world import EVERY_SCOPE
from tests.make import NOW
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans, published, reviews
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.cli import main
from timerex_ghl.domain.connections.settings import ConnectionSettings, GhlSettings, TimerexSettings
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.contacts.mapping import DEFAULT_RULES
from timerex_ghl.domain.shared.errors import ReviewKind
from timerex_ghl.domain.shared.models import ConnectionName, FieldName, LocationId
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.context import utc_now

NAME = ConnectionName("aoba")
SETTINGS = ConnectionSettings(
    name=NAME,
    ghl=GhlSettings(
        location_id=LocationId("loc-aoba"),
        base_url="https://ghl.example",
        token_url="https://ghl.example/oauth/token",
        app_url="https://app.example",
        credentials="aoba-ghl",
        auth="private-token",
        scopes=EVERY_SCOPE,
    ),
    timerex=TimerexSettings(
        credentials="aoba-timerex", endpoint="0" * 32, header="x-token", token_digests=("0" * 64,)
    ),
    region="JP",
    rules=DEFAULT_RULES,
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"

    async def fill() -> None:
        async with open_ledger(url) as ledger:
            await ledger.write(published.publish, SETTINGS, now=NOW)

    asyncio.run(fill())
    return url


def ask(command: str, url: str, connection: str = NAME, *more: str) -> Result:
    return CliRunner().invoke(main, [*command.split(), connection, *more, "--ledger", url])


async def open_one(ledger: Ledger, kind: ReviewKind, **detail: list[str]) -> str:
    opened = await ledger.write(
        reviews.open_review,
        connection=NAME,
        kind=kind,
        subject=RecordRef.parse("contact:c_1"),
        reason=f"a matter of {kind}",
        detail=detail,
        now=NOW,
    )
    return opened.id


def test_an_empty_desk_says_so(url: str) -> None:
    assert ask("reviews list", url).output == "no open reviews\n"
    assert ask("plans", url).output == "no dry run in the last 7 days\n"


def test_a_review_is_listed_with_its_record_and_reason(url: str) -> None:
    async def fill() -> None:
        async with open_ledger(url) as ledger:
            await open_one(ledger, "identity")

    asyncio.run(fill())

    output = ask("reviews list", url).output
    assert "identity  contact:c_1  a matter of identity\n" in output


def test_a_review_is_shown_with_the_values_of_both_systems_and_what_can_be_done(url: str) -> None:
    async def fill() -> str:
        async with open_ledger(url) as ledger:
            row = make.contact(city="奈良")
            keys = Keys("riku@hinode.example", None)
            here = await ledger.write(workspace_contacts.add_contact, NAME, row, keys, NOW)
            remote = make.ghl_contact(city="神戸")
            pair = Link(connection=NAME, kind="contact", local_id=here.id, remote_id=remote.id)
            await ledger.write(links.save_links, [pair])
            snapshot = ghl_contacts.Snapshot(remote, keys, "d")
            await ledger.write(ghl_contacts.save_snapshots, NAME, [snapshot], NOW)
            opened = await ledger.write(
                reviews.open_review,
                connection=NAME,
                kind="conflict",
                subject=RecordRef.contact(here.id, FieldName("city")),
                reason="both sides changed city",
                detail={
                    "field": "city",
                    "workspace": "奈良",
                    "ghl": "神戸",
                    "base": None,
                    "winner": None,
                },
                now=NOW,
            )
            return opened.id

    review_id = asyncio.run(fill())

    said = ask("reviews show", url, NAME, review_id).output

    assert "reason   both sides changed city\n" in said
    assert 'local    "奈良"\nin GHL   "神戸"\nagreed   nothing\n' in said
    assert "open     https://app.example/v2/location/loc-aoba/contacts/detail/ghl-riku\n" in said
    assert [line.split(" --")[1] for line in said.splitlines() if line.startswith("resolve")] == [
        "keep workspace|ghl",
        "field NAME=workspace|ghl",
        "value NAME=VALUE",
    ]


def test_everyone_who_may_be_the_one_is_shown(url: str) -> None:
    async def fill() -> str:
        async with open_ledger(url) as ledger:
            await open_one(ledger, "refused")
            return await open_one(ledger, "identity", people=["c_2"], ghl_ids=["g1", "g2"])

    said = ask("reviews show", url, NAME, asyncio.run(fill())).output

    assert said.count("open     https://app.example/") == 2
    assert "  refused  contact:c_1\n" in said
    assert [line.split(" --")[1] for line in said.splitlines() if line.startswith("resolve")] == [
        "link ID",
        "apart",
        "retry",
        "drop",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "choose one: --keep"),
        (["--keep", "ghl", "--drop"], "choose one: --keep"),
        (["--field", "city"], "--field: expected NAME=VALUE"),
        (["--field", "city=both"], "fields.city: Input should be 'workspace' or 'ghl'"),
        (["--drop", "--by", ""], "by: String should have at least 1 character"),
    ],
)
def test_an_unclear_decision_is_refused_in_one_line(options: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["reviews", "resolve", NAME, "r_1", *options])

    assert result.exit_code == 1
    assert said in result.output
    assert result.output.count("\n") == 1


def test_a_plan_is_shown_with_its_values(url: str) -> None:
    plan: dict[str, Any] = {
        "to_ghl": [{"kind": "contact.create", "values": {"city": "京都"}}],
        "base": {},
    }

    async def fill() -> None:
        async with open_ledger(url) as ledger:
            await ledger.write(
                dry_run_plans.save_plan, NAME, RecordRef.parse("contact:c_1"), plan, utc_now()
            )

    asyncio.run(fill())

    output = ask("plans", url).output
    assert output.startswith('{"record": "contact:c_1", "to_ghl"')
    assert "京都" in output


@pytest.mark.parametrize("command", ["reviews list", "plans"])
def test_an_unknown_connection_is_refused_in_one_line(url: str, command: str) -> None:
    result = ask(command, url, "nobody")

    assert result.exit_code == 1
    assert result.output == (
        "timerex-ghl: connection nobody is not published: run timerex-ghl publish\n"
    )
