"""What an operator reads in the terminal."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.carry.world import EVERY_SCOPE
from tests.make import NOW
from timerex_ghl.adapters.ledger import previews, published, reviews
from timerex_ghl.adapters.ledger.core import open_ledger
from timerex_ghl.carry.sides import utc_now
from timerex_ghl.cli import main
from timerex_ghl.sync.mapping import DEFAULT_RULES
from timerex_ghl.sync.models import ConnectionName, LocationId
from timerex_ghl.sync.settings import ConnectionSettings, GhlSettings, TimerexSettings

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
        credentials="aoba-timerex", door="0" * 32, header="x-token", token_digests=("0" * 64,)
    ),
    region="JP",
    rules=DEFAULT_RULES,
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"

    async def fill() -> None:
        async with open_ledger(url) as ledger:
            await ledger.write(published.publish, SETTINGS, now=NOW, by="test")

    asyncio.run(fill())
    return url


def ask(command: str, url: str, connection: str = NAME) -> Result:
    return CliRunner().invoke(main, [command, connection, "--ledger", url])


def test_an_empty_desk_says_so(url: str) -> None:
    assert ask("reviews", url).output == "nothing waits\n"
    assert ask("plans", url).output == "no preview in the last days\n"


def test_a_review_is_listed_with_its_record_and_reason(url: str) -> None:
    async def fill() -> None:
        async with open_ledger(url) as ledger:
            await ledger.write(
                reviews.open_review,
                connection=NAME,
                kind="identity",
                subject="contact:c_1",
                reason="several GHL contacts could be this person: a, b",
                detail={},
                now=NOW,
            )

    asyncio.run(fill())

    output = ask("reviews", url).output
    assert "identity  contact:c_1  several GHL contacts could be this person: a, b" in output


def test_a_plan_is_shown_with_its_values(url: str) -> None:
    plan: dict[str, Any] = {
        "to_ghl": [{"kind": "contact.create", "values": {"city": "京都"}}],
        "base": {},
    }

    async def fill() -> None:
        async with open_ledger(url) as ledger:
            await ledger.write(previews.save_preview, NAME, "contact:c_1", plan, "run", utc_now())

    asyncio.run(fill())

    output = ask("plans", url).output
    assert output.startswith('{"record": "contact:c_1", "to_ghl"')
    assert "京都" in output


@pytest.mark.parametrize("command", ["reviews", "plans"])
def test_an_unknown_connection_is_refused_in_one_line(url: str, command: str) -> None:
    result = ask(command, url, "nobody")

    assert result.exit_code == 1
    assert result.output == (
        "timerex-ghl: connection nobody is not published: run timerex-ghl publish\n"
    )
