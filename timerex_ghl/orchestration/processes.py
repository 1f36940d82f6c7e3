"""Command lines and settings for Prefect's own processes.

Nothing here imports Prefect: its programs run as from a shell.
The measurements behind the settings are in `docs/decisions`.
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
"""Make Python use the time zones of the package tzdata, which lists them in one file.

Prefect lists all zones for each schedule that it reads. With the system's database that takes 15 ms
per schedule instead of 1 ms: half of a server's work with ten published connections. See
docs/vendors/prefect.md#server.
"""

BATCHES = {
    f"PREFECT_SERVER_SERVICES_{service}_{kind}": "200"
    for service in ("TASK_RUN_RECORDER", "EVENT_PERSISTER")
    for kind in ("BATCH_SIZE", "READ_BATCH_SIZE")
}
"""Takes a quarter of the server work per task run; history lags seconds, not half a minute."""

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
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # distinguishes a killed run from a long one
}


def prefect(*arguments: str) -> list[str]:
    """Return a Prefect command line, run by this Python."""
    return [sys.executable, "-m", "prefect", *arguments]


def start_server(host: str, port: int) -> list[str]:
    """Return the command line of a server."""
    return prefect("server", "start", "--host", host, "--port", str(port))


def start_worker() -> list[str]:
    """Return the command line of a worker for our deployments."""
    return prefect("worker", "start", "--pool", POOL, "--type", "process")


def deploy() -> list[str]:
    """Return the command line that deploys every flow of prefect.yaml."""
    package = Path(__file__).parents[1]
    found = [folder / "prefect.yaml" for folder in (package, package.parent)]
    file = next(path for path in found if path.exists())
    return prefect("deploy", "--all", "--prefect-file", str(file))


def server_settings(host: str, port: int, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return a server's environment: our settings, unless the user set others."""
    address = {
        "PREFECT_SERVER_UI_API_URL": f"http://{host}:{port}/api",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://{host}:{port}",
    }
    return {**SERVER, **address, **given}


def worker_settings(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return a worker's environment: our settings, unless the user set others.

    PATH makes its runs use this Python.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{given.get('PATH', '')}"
    return {**WORKER, **given, "PATH": path}


def without_prefect(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment without the user's own Prefect settings."""
    return {key: value for key, value in given.items() if not key.startswith("PREFECT_")}
