"""Time from kill -9 of the live worker to the first event that the standby has handled.

    python -m benchmarks.takeover [rounds]

Two live workers with their default settings, gateway and Prefect server, a process each. Webhooks
arrive every half second, before and after the kill; all of them have to reach the CRM, once.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import httpx

from benchmarks.full_stack import TIMEREX_HEADER, Whole, start_whole
from benchmarks.harness import machine, say
from benchmarks.live import Crm, booking
from timerex_ghl.demo.processes import Program, Programs

GOAL_S = 30
EVERY_S = 0.5
BEFORE, AFTER = 6, 6
"""Webhooks before and after the kill."""


class Stack(NamedTuple):
    """The running programs and the CRM. `workers`: the active one first, then the standby."""

    crm: Crm
    programs: Programs
    whole: Whole
    workers: tuple[Program, Program]


async def start(stack: AsyncExitStack) -> Stack:
    """Start everything, with two live workers."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    programs = Programs(folder)
    stack.push_async_callback(programs.stop)
    crm = Crm()
    serving = asyncio.create_task(crm.server.run_until_stopped())
    stack.push_async_callback(lambda: asyncio.wait([serving]))
    stack.callback(crm.server.stop)
    whole = await start_whole(stack, programs, folder, crm.server.info.ghl)
    [active] = [program for program in programs.running if program.name == "live"]
    standby = await programs.start(
        "standby", [sys.executable, "-m", "timerex_ghl", "live", "--json"], environment_of(active)
    )
    while "this one stands by" not in standby.log.read_text():
        standby.check()
        await asyncio.sleep(0.1)
    return Stack(crm, programs, whole, (active, standby))


def environment_of(program: Program) -> dict[str, str]:
    """Return the environment of a running program."""
    raw = Path(f"/proc/{program.process.pid}/environ").read_text(encoding="utf-8")
    return dict(line.split("=", 1) for line in raw.split("\0") if "=" in line)


def children_of(program: Program) -> list[int]:
    """Return the processes that the program's supervisor runs."""
    pid = program.process.pid
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


async def measure() -> dict[str, float]:
    """Kill the active worker once; return the seconds until events are handled again."""
    async with AsyncExitStack() as stack, httpx.AsyncClient(timeout=60) as http:
        running = await start(stack)
        futures: list[asyncio.Future[float]] = []

        async def send(number: int) -> None:
            for _ in range(number):
                email = f"guest{len(futures)}@takeover.example"
                future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
                running.crm.waiters[email] = future
                futures.append(future)
                answer = await http.post(
                    running.whole.timerex_url,
                    json=booking(email),
                    headers={TIMEREX_HEADER: running.whole.token},
                )
                answer.raise_for_status()
                await asyncio.sleep(EVERY_S)

        await send(BEFORE)
        active, _ = running.workers
        killed_at = time.perf_counter()
        for pid in children_of(active):
            os.kill(pid, signal.SIGKILL)
        await send(AFTER)
        handled_at = await asyncio.wait_for(asyncio.gather(*futures), 120)
        contacts = running.crm.sandbox.ghl.contacts.by_id.values()
        guests = [one for one in contacts if "@takeover" in str(one.fields.get("email"))]
        running.programs.running.remove(active)
        assert [len(one.notes) for one in guests] == [1] * len(futures)
        return {
            "first_s": round(min(at for at in handled_at if at > killed_at) - killed_at, 1),
            "all_s": round(max(handled_at) - killed_at, 1),
        }


async def main(rounds: int) -> None:
    """Measure several times."""
    found = [await measure() for _ in range(rounds)]
    say(benchmark="takeover", rounds=found, goal_s=GOAL_S, **machine())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
