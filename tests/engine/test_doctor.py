"""`timerex-ghl doctor` looks at the real server, ledger, sandbox and gateway."""

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.checkup import Finding, check_up
from tests.engine.conftest import Drafts, Engine
from timerex_ghl.launch import POOL
from timerex_ghl.sync.models import ConnectionName


async def found(
    engine: Engine, connection: str, gateway_url: str | None = None
) -> dict[str, Finding]:
    with temporary_settings({PREFECT_API_URL: engine.api.url}):
        return {each.step: each async for each in check_up(POOL, connection, gateway_url)}


async def test_everything_in_place_is_found_well(engine: Engine, ready: ConnectionName) -> None:
    findings = await found(engine, ready, engine.stage.gateway_url)

    assert [step for step, each in findings.items() if each.is_well is False] == []
    assert findings["connection"].said == "GHL accepts it; what runs is the draft"
    assert findings["door"].said == "ready, and closed to strangers"
    assert findings["work pool"].is_well
    assert findings["TimeRex poll"].is_well is None
    assert "enter an API key of TimeRex" in findings["TimeRex poll"].said


async def test_a_wrong_token_and_a_silent_gateway_are_named(
    engine: Engine, drafts: Drafts, ready: ConnectionName
) -> None:
    wrong = await drafts.save(ghl={"private_token": "pit-nonsense"})

    named = await found(engine, wrong)
    silent = await found(engine, ready, "http://127.0.0.1:9")

    assert named["connection"].is_well is False
    assert "does not accept the private integration token" in named["connection"].said
    assert "no gateway answers at http://127.0.0.1:9" in silent["door"].said


async def test_a_draft_that_was_never_published_is_named(engine: Engine, drafts: Drafts) -> None:
    name = await drafts.save()

    findings = await found(engine, name)

    assert findings["connection"].said.endswith(f"never published: timerex-ghl publish {name}")


@pytest.mark.parametrize(("is_well", "word"), [(True, "ok"), (False, "MEND"), (None, "note")])
async def test_a_finding_is_one_line(*, is_well: bool | None, word: str) -> None:
    assert Finding("ledger", is_well, "opens").in_words() == f"{word:<5}ledger: opens"
