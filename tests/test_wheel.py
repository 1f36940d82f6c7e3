"""The built wheel, installed outside the checkout, has everything a worker loads."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGES = ("flows", "tasks", "blocks", "timerex_ghl")

pytestmark = pytest.mark.slow

LOAD_FLOWS = """
from importlib.resources import files
import yaml
from prefect.flows import load_flow_from_entrypoint

shipped = files("timerex_ghl").joinpath("prefect.yaml").read_text()
for deployment in yaml.safe_load(shipped)["deployments"]:
    flow = load_flow_from_entrypoint(deployment["entrypoint"])
    print(deployment["name"], flow.name)
"""
LOAD_BLOCKS = """
import blocks
from prefect.blocks.core import Block

for name in blocks.__all__:
    assert issubclass(getattr(blocks, name), Block), name
    print(name)
"""
MIGRATE = """
import asyncio, sys
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.adapters.ledger.db.core import open_ledger

async def main():
    async with open_ledger(sys.argv[1]) as ledger:
        print(len(await ledger.read(published.all_published)))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def uv() -> str:
    bootstrapped = ROOT / ".bootstrap" / "bin" / "uv"
    found = shutil.which("uv") or (str(bootstrapped) if bootstrapped.exists() else None)
    if found is None:
        pytest.fail("uv is neither on the PATH nor in .bootstrap: run `make setup`", pytrace=False)
    return found


@pytest.fixture(scope="module")
def wheel(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run([uv, "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)], cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(uv: str, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of programs of an environment without the checkout."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    python = venv / "bin" / "python"
    lock = str(ROOT / "requirements.lock")
    into = ["--quiet", "--python", str(python)]
    run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], cwd=venv.parent)
    run([uv, "pip", "sync", *into, "--require-hashes", lock], cwd=venv.parent)
    run([uv, "pip", "install", *into, "--no-deps", str(wheel)], cwd=venv.parent)
    return python.parent


def run(command: list[str], *, cwd: Path, home: Path | None = None) -> str:
    """Run a program. With `home`, it runs without this user's files and the checkout."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    if home is not None:
        env = {"PATH": env["PATH"], "HOME": str(home), "DO_NOT_TRACK": "1"}
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        pytest.fail(f"{command[:3]} ended with {done.returncode}:\n{done.stderr}", pytrace=False)
    return done.stdout


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    local = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert local - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_ledger_migrates_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"

    assert run([str(installed / "python"), "-c", MIGRATE, url], cwd=tmp_path, home=tmp_path)


def test_prefect_loads_every_deployed_flow_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    loaded = run([str(installed / "python"), "-c", LOAD_FLOWS], cwd=tmp_path, home=tmp_path)

    pairs = [line.split() for line in loaded.splitlines()]
    assert pairs
    assert all(deployment == flow for deployment, flow in pairs)


def test_every_block_loads_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    assert run([str(installed / "python"), "-c", LOAD_BLOCKS], cwd=tmp_path, home=tmp_path)


def test_the_command_starts_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    help_text = run([str(installed / "timerex-ghl"), "--help"], cwd=tmp_path, home=tmp_path)

    assert "gateway" in help_text
