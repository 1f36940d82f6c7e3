"""The demo's child processes: ended with it (`supervisor.py`), with their output in files."""

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from timerex_ghl.demo import supervisor

START_S = 180.0
"""How long a program may take to start: importing Prefect can take 20 s on a busy machine."""

STOP_S = 12.0
LAST_WORDS = 40
READY = re.compile(r"^\{.*\}$(?=\n)", re.MULTILINE)


class DidNotStartError(Exception):
    """A program of the demo ended early, or was not ready in time."""


@dataclass
class Program:
    """One running program."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    started_at: float = field(default_factory=monotonic)

    async def first_line(self, timeout_s: float = START_S) -> dict[str, Any]:
        """Wait for the line of JSON that a program prints when ready, among other output."""
        began = monotonic()
        while True:
            self.check()
            text = self.log.read_text(errors="replace")
            if ready := READY.search(text):
                return json.loads(ready[0])
            self.check_start(monotonic() - began, timeout_s)
            await asyncio.sleep(0.05)

    def check(self) -> None:
        """Check that the program still runs.

        Raises:
            DidNotStartError: It has ended.
        """
        code = self.process.returncode
        if code is not None:
            raise DidNotStartError(
                f"{self.name} ended with exit code {code} after"
                f" {monotonic() - self.started_at:.0f} s; its last output: {self._last_words()}"
            )

    def check_start(self, waited_s: float, timeout_s: float) -> None:
        """Check that the program is within its start timeout.

        Raises:
            DidNotStartError: The timeout is over.
        """
        if waited_s >= timeout_s:
            raise DidNotStartError(
                f"{self.name} did not start within {waited_s:.0f} s; its last output:"
                f" {self._last_words()} (full log: {self.log})"
            )

    def _last_words(self) -> str:
        words = self.log.read_text(errors="replace").split()
        return " ".join(words[-LAST_WORDS:]) or "nothing"

    async def stop(self) -> None:
        """Stop the program; kill it if it does not end in time."""
        if self.process.stdin is not None:
            self.process.stdin.close()  # the supervisor sees this and ends the program
        try:
            await asyncio.wait_for(self.process.wait(), STOP_S)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


class Programs:
    """All programs of one demo, stopped together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Program] = []

    async def start(self, name: str, command: list[str], env: Mapping[str, str]) -> Program:
        """Start a program that runs until the demo ends."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, supervisor.__file__, *command,
                stdin=asyncio.subprocess.PIPE, stdout=out, stderr=out,
                env=dict(env), cwd=self.folder, start_new_session=True,
            )  # fmt: skip
        program = Program(name, process, log)
        self.running.append(program)
        return program

    async def run(self, name: str, command: list[str], env: Mapping[str, str]) -> None:
        """Run a program to its end."""
        program = await self.start(name, command, env)
        if await program.process.wait() != 0:
            program.check()
        self.running.remove(program)

    async def stop(self) -> None:
        """Stop all programs."""
        await asyncio.gather(*(program.stop() for program in reversed(self.running)))
        self.running.clear()
