"""The supervisor: a program never outlives its parent, even if that was killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from timerex_ghl.demo import supervisor

WITHIN_S = 60.0
"""A timeout for a program that never starts or ends; nothing takes nearly as long."""

SAY_PID = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(f'{os.getpid()}\\n'); "
SLEEPING = SAY_PID + "import time; time.sleep(600)"
REPORTED = "signal.signal(15, lambda *_: sys.exit(9)); "
STARTER = (
    "import subprocess, sys, time; "
    "subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE); time.sleep(600)"
)

Supervised = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def supervised() -> Iterator[Supervised]:
    """Start a piece of Python under a supervisor."""
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, supervisor.__file__, sys.executable, "-c", code, *arguments]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        with process:  # closes its input, so the supervisor ends the program
            pass


def pid_in(file: Path) -> int:
    """Wait until a program has written its id."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if file.exists() and (text := file.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.01)
    pytest.fail(f"no program wrote its id to {file} within {WITHIN_S:.0f} s")


def runs(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def ends(pid: int) -> bool:
    deadline = time.monotonic() + WITHIN_S
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not runs(pid)


def test_the_child_ends_when_the_starter_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    command = [supervisor.__file__, sys.executable, "-c", SLEEPING, str(file)]
    with subprocess.Popen([sys.executable, "-c", STARTER, *command]) as starter:
        child = pid_in(file)
        starter.kill()

    assert ends(child)


def test_the_child_ends_when_the_starter_lets_go(supervised: Supervised, tmp_path: Path) -> None:
    process = supervised(SLEEPING, str(tmp_path / "pid"))
    child = pid_in(tmp_path / "pid")
    assert process.stdin is not None

    process.stdin.close()

    assert process.wait(WITHIN_S) != 0
    assert not runs(child)


@pytest.mark.parametrize("code", [0, 7])
def test_the_exit_code_is_passed_on(supervised: Supervised, code: int) -> None:
    assert supervised(f"raise SystemExit({code})").wait(WITHIN_S) == code


def test_sigterm_is_passed_on(supervised: Supervised, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    process = supervised(f"import signal, sys; {REPORTED}{SLEEPING}", str(file))
    child = pid_in(file)

    process.terminate()

    assert process.wait(WITHIN_S) == 9
    assert not runs(child)


def test_ctrl_c_is_reserved_for_the_starter(supervised: Supervised, tmp_path: Path) -> None:
    process = supervised(f"import signal, sys; {REPORTED}{SLEEPING}", str(tmp_path / "pid"))
    pid_in(tmp_path / "pid")

    process.send_signal(signal.SIGINT)
    process.terminate()  # as the parent does; SIGINT is handled before it

    assert process.wait(WITHIN_S) == 9, "the child ended by SIGTERM"


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    deaf = f"import signal; signal.signal(15, signal.SIG_IGN); {SLEEPING}"
    impatient = "import sys; from timerex_ghl.demo import supervisor; "
    command = [sys.executable, "-c", impatient + "sys.exit(supervisor.main(sys.argv[1:], 0.2))"]
    with subprocess.Popen(
        [*command, sys.executable, "-c", deaf, str(file)], stdin=subprocess.PIPE
    ) as process:
        child = pid_in(file)
        process.terminate()

        assert process.wait(WITHIN_S) != 0
    assert ends(child)
