"""The demo's programs: started, watched and ended together."""

import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from timerex_ghl.demo.environment import wait_for
from timerex_ghl.demo.prefect_api import PrefectApi
from timerex_ghl.demo.processes import DidNotStartError, Program, Programs

READY = (
    "import time; print('a warning'); print('{\"port\": 7}'); print('more', flush=True); "
    "time.sleep(600)"
)

SLEEP = "import time; time.sleep(600)"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest_asyncio.fixture
async def programs(tmp_path: Path) -> AsyncIterator[Programs]:
    running = Programs(tmp_path)
    yield running
    await running.stop()


def has_ended(program: Program) -> bool:
    return program.process.returncode is not None


async def test_a_program_says_when_it_is_ready_and_is_ended(programs: Programs) -> None:
    program = await programs.start("sandbox", python(READY), os.environ)

    line = await program.first_line()
    program.check()
    await programs.stop()

    assert line == {"port": 7}
    assert has_ended(program)
    assert programs.running == []


async def test_all_programs_end_together(programs: Programs) -> None:
    started = [await programs.start(name, python(READY), os.environ) for name in ("a", "b")]
    for program in started:
        await program.first_line()

    await programs.stop()

    assert all(has_ended(program) for program in started)


async def test_a_program_that_ended_reports_its_last_words(programs: Programs) -> None:
    code = "import sys; print('no such\\nledger', file=sys.stderr); sys.exit(3)"
    program = await programs.start("gateway", python(code), os.environ)

    ended = r"^gateway ended with exit code 3 after \d+ s; its last output: no such ledger$"
    with pytest.raises(DidNotStartError, match=ended):
        await program.first_line()


async def test_a_program_that_is_never_ready(programs: Programs, tmp_path: Path) -> None:
    program = await programs.start("gateway", python(SLEEP), os.environ)
    log = tmp_path / "gateway.log"
    log.write_text("connecting\nto the ledger\n")

    with pytest.raises(DidNotStartError) as caught:
        await program.first_line(0)

    waited = re.fullmatch(r"gateway did not start within \d+ s; (.*)", str(caught.value))
    assert waited is not None
    assert waited[1] == f"its last output: connecting to the ledger (full log: {log})"


async def test_a_prefect_server_that_never_answers_is_said(programs: Programs) -> None:
    server = await programs.start("server", python(SLEEP), os.environ)
    with socket.create_server(("127.0.0.1", 0)) as found:
        prefect = PrefectApi(f"http://127.0.0.1:{found.getsockname()[1]}/api")
        found.close()

        with pytest.raises(
            DidNotStartError, match=r"^server did not start .* last output: nothing "
        ):
            await wait_for(prefect, server, 0)
    await prefect.close()


async def test_a_program_is_run_to_its_end(programs: Programs, tmp_path: Path) -> None:
    code = "import os; print(os.environ['MARK'], os.getcwd())"

    await programs.run("deploy", python(code), {**os.environ, "MARK": "here"})

    assert (tmp_path / "deploy.log").read_text() == f"here {tmp_path}\n"
    assert programs.running == []


async def test_a_run_that_fails_is_said(programs: Programs) -> None:
    with pytest.raises(DidNotStartError, match=r"^deploy ended with exit code 1 .*: no pool$"):
        await programs.run("deploy", python("raise SystemExit('no pool')"), os.environ)
