"""Prefect's own processes, started with the settings this project ships.

Nothing here imports Prefect: its programs are started as a person would start them.
Source of the figures behind the settings: `docs/decisions`.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

POOL = "timerex-ghl"
"""The work pool of all our deployments."""

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
}

ZONES = {"PYTHONTZPATH": ""}
"""Python takes its time zones from the package tzdata, whose list of them is one file.

Prefect lists all zones for each schedule that it reads (docs/vendors/prefect.md#server). From the system's database that takes 15 ms
a schedule instead of 1 ms: half of what a server did with ten connections published.
"""

BATCHES = {
    f"PREFECT_SERVER_SERVICES_{service}_{kind}": "200"
    for service in ("TASK_RUN_RECORDER", "EVENT_PERSISTER")
    for kind in ("BATCH_SIZE", "READ_BATCH_SIZE")
}
"""A quarter of the server's work per task run; history is seconds old, not half a minute."""

SERVER = {
    **QUIET,
    **ZONES,
    **BATCHES,
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}

WORKER = {
    **QUIET,
    **ZONES,
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # how a killed run is told from a long one
}


def prefect(*arguments: str) -> list[str]:
    """Write a command line of Prefect's, run by this Python."""
    return [sys.executable, "-m", "prefect", *arguments]


def start_server(host: str, port: int) -> list[str]:
    """Write the command line of a server."""
    return prefect("server", "start", "--host", host, "--port", str(port))


def start_worker() -> list[str]:
    """Write the command line of a worker for our deployments."""
    return prefect("worker", "start", "--pool", POOL, "--type", "process")


def deploy() -> list[str]:
    """Write the command line that deploys every flow of prefect.yaml."""
    package = Path(__file__).parent
    found = [folder / "prefect.yaml" for folder in (package, package.parent)]
    file = next(path for path in found if path.exists())
    return prefect("deploy", "--all", "--prefect-file", str(file))


def server_settings(host: str, port: int, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give a server's environment: ours, unless the user set something else."""
    address = {
        "PREFECT_SERVER_UI_API_URL": f"http://{host}:{port}/api",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://{host}:{port}",
    }
    return {**SERVER, **address, **given}


def worker_settings(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give a worker's environment: ours, unless the user set something else.

    Its runs call `python`: this one.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{given.get('PATH', '')}"
    return {**WORKER, **given, "PATH": path}


def without_prefect(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give an environment that knows nothing of the user's own Prefect."""
    return {key: value for key, value in given.items() if not key.startswith("PREFECT_")}
