"""The demo's other programs: started on a leash, with their output in files."""

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from timerex_ghl.demo import leash

STOP_S = 12.0
READY = re.compile(r"^\{.*\}$(?=\n)", re.MULTILINE)


class DidNotStartError(Exception):
    """A program of the demo ended before it was ready."""


@dataclass
class Program:
    """One running program."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    async def first_line(self, timeout_s: float) -> dict[str, Any]:
        """Read the one line of JSON a program prints when it is ready, among what it complains."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while asyncio.get_running_loop().time() < deadline:
            self.check()
            text = self.log.read_text(errors="replace")
            if ready := READY.search(text):
                return json.loads(ready[0])
            await asyncio.sleep(0.05)
        raise DidNotStartError(f"{self.name} was not ready in {timeout_s:.0f} s, see {self.log}")

    def check(self) -> None:
        """Make sure that it still runs."""
        if self.process.returncode is not None:
            tail = " ".join(self.log.read_text(errors="replace").split()[-40:])
            raise DidNotStartError(f"{self.name} ended at once: {tail}")

    async def stop(self) -> None:
        """End it, gently first."""
        if self.process.stdin is not None:
            self.process.stdin.close()  # lets go of the leash
        try:
            await asyncio.wait_for(self.process.wait(), STOP_S)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


class Programs:
    """All programs of one demo; ended together, the last one first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Program] = []

    async def start(self, name: str, command: list[str], env: Mapping[str, str]) -> Program:
        """Start a program that runs until the demo ends."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, leash.__file__, *command,
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
        """End them all."""
        await asyncio.gather(*(program.stop() for program in reversed(self.running)))
        self.running.clear()
