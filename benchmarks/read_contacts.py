"""5,000 contacts read from the sandbox into a new ledger: first request to last commit.

python -m benchmarks.read_contacts [contacts] [rounds]
"""

import asyncio
import sys
import tempfile
import time

from benchmarks.harness import (
    Stand,
    ledger_url,
    machine,
    median,
    peak_memory_mb,
    say,
    started_sandbox,
)
from tests.engine.world import opened_world
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.engine.contacts.pull_contacts import Scope, list_changed, read_page

GOAL_S = 0.7


async def read_all(stand: Stand, url: str, contacts: int) -> tuple[float, float, int]:
    """Read everything; return the seconds, the sandbox's processor seconds, and the calls."""
    await stand.api.send("DELETE", "/ghl/calls")
    async with open_ledger(url) as ledger, opened_world(ledger, stand.info) as world:
        began = time.perf_counter()
        while await read_page(world.context, Scope.FULL, "benchmark"):
            pass
        took = time.perf_counter() - began
        if len(await list_changed(world.context)) != contacts:
            raise AssertionError("not every contact is in the ledger")
    calls = [call for call in await stand.api.calls() if call["path"] == "/contacts/search"]
    return took, sum(call["cpu_ms"] for call in calls) / 1000, len(calls)


async def main(contacts: int, rounds: int) -> None:
    """Read `rounds` times, each time into a new ledger."""
    seconds: list[float] = []
    async with started_sandbox() as stand:
        await stand.api.send("POST", "/ghl/bulk", {"count": contacts})
        with tempfile.TemporaryDirectory() as folder:
            for number in range(rounds):
                took, remote, calls = await read_all(
                    stand, ledger_url(folder, f"read-{number}"), contacts
                )
                seconds.append(took)
                say(round=number, seconds=round(took, 3), sandbox_s=round(remote, 3), calls=calls)
    say(
        benchmark="read_contacts",
        contacts=contacts,
        median_s=median(seconds),
        goal_s=GOAL_S,
        peak_memory_mb=peak_memory_mb(),
        **machine(),
    )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(main(*(numbers + [5000, 5][len(numbers) :])))
