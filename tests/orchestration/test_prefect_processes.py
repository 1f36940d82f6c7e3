"""Prefect's programs get the settings this project ships; the user's own come first."""

import os
import subprocess
import sys
from pathlib import Path

import prefect.settings
import pytest

from timerex_ghl.configuration import default_ledger_url, home
from timerex_ghl.orchestration import processes


def test_a_server_is_given_its_pages_come_from() -> None:
    settings = processes.server_settings("127.0.0.1", 4242, {"PATH": "/bin"})

    assert settings["PREFECT_SERVER_UI_API_URL"] == "http://127.0.0.1:4242/api"
    assert settings["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] == "http://127.0.0.1:4242"
    assert settings["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert settings["PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED"] == "true"
    assert settings["PATH"] == "/bin"


@pytest.mark.parametrize("key", ["PREFECT_SERVER_UI_API_URL", "DO_NOT_TRACK"])
def test_the_users_own_settings_come_first(key: str) -> None:
    assert processes.server_settings("127.0.0.1", 4242, {key: "mine"})[key] == "mine"


def test_a_worker_takes_the_users_settings_and_runs_this_python() -> None:
    given = {"PREFECT_WORKER_QUERY_SECONDS": "9", "PATH": "/bin", "PREFECT_API_URL": "here"}

    settings = processes.worker_settings(given)

    assert settings["PREFECT_WORKER_QUERY_SECONDS"] == "9"
    assert settings["PREFECT_API_URL"] == "here"
    assert settings["DO_NOT_TRACK"] == "1"
    assert settings["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/bin"]


def test_the_users_prefect_can_be_omitted() -> None:
    given = {"PREFECT_HOME": "theirs", "PREFECT_API_KEY": "theirs", "HOME": "/home/kana"}

    assert processes.without_prefect(given) == {"HOME": "/home/kana"}


def test_every_program_is_run_by_this_python() -> None:
    server = processes.start_server("127.0.0.1", 4242)

    for command in (server, processes.start_worker(), processes.deploy()):
        assert command[:3] == [sys.executable, "-m", "prefect"]
    assert server[3:] == ["server", "start", "--host", "127.0.0.1", "--port", "4242"]
    assert processes.POOL in processes.start_worker()


def test_the_deployments_file_is_found() -> None:
    file = Path(processes.deploy()[-1])

    assert file.name == "prefect.yaml"
    assert processes.POOL in file.read_text()


def test_every_setting_is_one_that_prefect_knows() -> None:
    """Prefect ignores unknown names, so a wrong one would go unnoticed."""
    given = {
        **processes.SERVER,
        **processes.WORKER,
        **processes.server_settings("127.0.0.1", 1, {}),
    }

    unknown = {name for name in given if not hasattr(prefect.settings, name)}

    assert unknown == {"DO_NOT_TRACK", "PYTHONTZPATH"}  # read by libraries, and by Python


def test_a_server_lists_time_zones_without_searching_the_systems_database() -> None:
    code = "import zoneinfo as z; print(z.TZPATH, z.ZoneInfo('Asia/Tokyo'))"
    settings = processes.server_settings("127.0.0.1", 1, {})

    printed = subprocess.run(
        [sys.executable, "-c", code], env=settings, check=True, capture_output=True, text=True
    ).stdout

    assert printed == "() Asia/Tokyo\n"


def test_the_home_is_chosen_or_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIMEREX_GHL_HOME", str(tmp_path))
    assert home() == tmp_path

    monkeypatch.setenv("TIMEREX_GHL_HOME", "")
    monkeypatch.setenv("HOME", "/home/kana")
    assert home() == Path("/home/kana/.timerex-ghl")


def test_the_ledger_is_chosen_or_in_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIMEREX_GHL_HOME", str(tmp_path))
    monkeypatch.delenv("TIMEREX_GHL_LEDGER", raising=False)
    assert default_ledger_url() == f"sqlite:///{tmp_path}/ledger.db"

    monkeypatch.setenv("TIMEREX_GHL_LEDGER", "sqlite:////elsewhere.db")
    assert default_ledger_url() == "sqlite:////elsewhere.db"
