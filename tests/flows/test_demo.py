"""The demo run to its end, interrupted, and killed."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

PEOPLE = ("hinode", "minato", "Mori", "Sato", "Leo Stone", "willow", "8190123456", "090-1234")


async def start(home: Path, *command: str) -> asyncio.subprocess.Process:
    """Start the demo with a home and a folder for temporary files of its own."""
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "NO_COLOR": "1"}
    return await asyncio.create_subprocess_exec(
        *(command or (sys.executable, "-m", "timerex_ghl", "demo")),
        env=environment,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


def started_by(home: Path) -> list[int]:
    """Find the processes that work in a demo's folder, whoever is their parent now."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if f"TIMEREX_GHL_HOME={home}".encode() in environment:
            found.append(int(process.name))
    return found


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def all_ended(home: Path, within_s: float) -> bool:
    for _ in range(int(within_s / 0.5)):
        if not started_by(home):
            return True
        await asyncio.sleep(0.5)
    return False


@pytest.mark.slow
async def test_the_demo_agrees_and_reports_no_names(tmp_path: Path) -> None:
    demo = await start(tmp_path, "make", "demo")  # as the README says

    output, _ = await demo.communicate()

    text = output.decode()
    assert demo.returncode == 0, text
    assert "a second sync made 0 writes" in text
    assert [name for name in PEOPLE if name in text] == []
    assert files_in(tmp_path) == [], "the demo leaves no files"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
async def test_an_interrupted_demo_leaves_nothing_running(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    demo = await start(tmp_path)
    while not started_by(tmp_path):
        assert demo.returncode is None, "it ended before it started any program"
        await asyncio.sleep(0.2)

    demo.send_signal(number)
    await demo.communicate()

    assert demo.returncode == code
    assert await all_ended(tmp_path, within_s=60)
