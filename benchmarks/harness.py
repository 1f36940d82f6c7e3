"""Shared parts of the benchmarks: a sandbox process, a ledger, and JSON lines out."""

import asyncio
import json
import os
import platform
import resource
import statistics
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from timerex_ghl.demo.sandbox_api import SandboxApi
from timerex_ghl.sandbox.info import SandboxInfo


class Stand(NamedTuple):
    """A running sandbox: its control API and addresses."""

    api: SandboxApi
    info: SandboxInfo


@asynccontextmanager
async def started_sandbox() -> AsyncGenerator[Stand]:
    """Run a sandbox without rate limits."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "timerex_ghl", "sandbox", "--json", stdout=asyncio.subprocess.PIPE
    )
    if process.stdout is None:
        raise AssertionError("its output is a pipe")
    try:
        info = TypeAdapter(SandboxInfo).validate_json(await process.stdout.readline())
        api = SandboxApi(info.as_json())
        await api.send("POST", "/ghl/limits", {"enabled": False})
        yield Stand(api, info)
        await api.close()
    finally:
        process.terminate()
        await process.wait()


def say(**figures: Any) -> None:
    """Print one line of JSON."""
    print(json.dumps(figures), flush=True)


def median(values: Sequence[float], digits: int = 3) -> float:
    """Return the median, rounded."""
    return round(statistics.median(values), digits)


def peak_memory_mb() -> int:
    """Return the peak memory of this process."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kilobytes / 1024)


def machine() -> dict[str, Any]:
    """Describe the machine of the measurement."""
    load = os.getloadavg()[0]
    return {"python": platform.python_version(), "cores": os.cpu_count(), "load": round(load, 2)}


def ledger_url(folder: str, name: str) -> str:
    """Return the URL of a new ledger."""
    return f"sqlite:///{Path(folder) / name}.db"
