"""Runs suites of tests: `python -m tests.suites test|proof|explore`, as the Makefile does.

The engine's tests mostly wait for Prefect, so they run in parallel with the others, in processes
of their own; the others are distributed over the machine's cores.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

import click

ROOT = Path(__file__).parent.parent
ENGINE = "tests/flows"
LOGS = ROOT / ".pytest_cache"
PATCHES = ROOT / ".hypothesis" / "patches"
FLOOR = 90
"""Percent of the code that the tests have to cover."""

KILLED = [f"{ENGINE}/test_live_killed.py", f"{ENGINE}/test_demo.py"]
"""Tests that start all programs again: about half the time of the engine's proof."""


class Suite(NamedTuple):
    """A suite of tests.

    Attributes:
        options: Which tests it runs.
        engine: Those of the engine's tests that one process runs, and those of the next one.
    """

    options: list[str]
    engine: list[list[str]]


SUITES = {
    "test": Suite(["-m", "not slow"], [[ENGINE]]),
    "proof": Suite(
        ["-m", "slow or hypothesis", "--hypothesis-profile", "proof"],
        [[ENGINE, *(f"--ignore={path}" for path in KILLED)], KILLED],
    ),
}


EXPLORE = ["-m", "hypothesis", "--hypothesis-profile", "explore", "-x"]
"""Ends with the first failure: one that is found shortly before the time is over is shown, too."""


def run_suite(suite: Suite, *, measures_coverage: bool) -> int:
    """Run a suite's parts in parallel; return 0 if all pass."""
    options = [*suite.options, *(["--cov", "--cov-report="] if measures_coverage else [])]
    LOGS.mkdir(exist_ok=True)
    logs = [LOGS / f"engine-{number}.log" for number, _ in enumerate(suite.engine)]
    started: list[subprocess.Popen[bytes]] = []
    for log, paths in zip(logs, suite.engine, strict=True):
        with log.open("wb") as output:
            started.append(start([*paths, *options], log.stem, output))
    started.append(start([*parallel(), f"--ignore={ENGINE}", *options], "rest"))
    try:
        statuses = [each.wait() for each in started]
    except KeyboardInterrupt:  # the parts got it too, and clean up
        for each in started:
            each.wait()
        return 130
    for log in logs:
        click.echo(f"\nthe engine's tests ({ENGINE}):\n{log.read_text()}")
    if measures_coverage:
        statuses += [report_coverage()]
    return int(any(statuses))


def report_coverage() -> int:
    """Combine the coverage of all parts, and compare it with the floor."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "--quiet"], cwd=ROOT, check=True)
    report = [*coverage, "report", "--skip-covered", f"--fail-under={FLOOR}"]
    return subprocess.run(report, cwd=ROOT, check=False).returncode


def explore(minutes: float) -> int:
    """Try new random examples until the time is over, or a test fails."""
    ends_at = time.monotonic() + minutes * 60
    while (remaining_s := ends_at - time.monotonic()) > 0:
        seed = secrets.randbelow(2**32)
        click.echo(f"seed {seed}, {remaining_s / 60:.1f} minutes left")
        options = [*EXPLORE, f"--hypothesis-seed={seed}"]
        tests = start([*parallel(), f"--ignore={ENGINE}", *options], "explore")
        try:
            status = tests.wait(remaining_s)
        except subprocess.TimeoutExpired:
            tests.terminate()
            tests.wait()
            break
        if status:
            for patch in sorted(PATCHES.glob("*.patch"), key=os.path.getmtime)[-1:]:
                click.echo(f"{patch}, to paste or `git apply`:\n{patch.read_text()}")
            return status
    click.echo("no example failed")
    return 0


def parallel() -> list[str]:
    """Return the options that distribute tests over the cores."""
    return ["-n", os.environ.get("WORKERS", "auto"), "--dist", "worksteal"]


def start(
    options: Sequence[str], name: str, stdout: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start pytest with a coverage file of its own."""
    environment = {**os.environ, "COVERAGE_FILE": str(ROOT / f".coverage.{name}")}
    command = [sys.executable, "-m", "pytest", "-q", "--durations=15", *options]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stdout)


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
    parser.add_argument("suite", choices=[*SUITES, "explore"])
    parser.add_argument("--coverage", action="store_true", help=f"cover {FLOOR} %% of the code")
    parser.add_argument("--minutes", type=float, default=10, help="how long to explore")
    given = parser.parse_args()
    if given.suite == "explore":
        return explore(given.minutes)
    return run_suite(SUITES[given.suite], measures_coverage=given.coverage)


if __name__ == "__main__":
    sys.exit(main())
