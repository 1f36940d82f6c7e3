"""Runs suites of tests: `python -m tests.suites test|proof|explore`, as the Makefile does.

The tests of the flows mostly wait for Prefect, so they run in parallel with all others; these are
spread over the machine's cores.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import IO

import click

from tests.paths import ROOT

ENGINE = "tests/flows"
LOG = ROOT / ".pytest_cache" / "engine.log"
PATCHES = ROOT / ".hypothesis" / "patches"
FLOOR = 90
"""Percent of the code that the tests have to cover."""

SUITES: dict[str, list[str]] = {
    "test": ["-m", "not slow"],
    "proof": ["-m", "slow or hypothesis", "--hypothesis-profile", "proof"],
}


EXPLORE = ["-m", "hypothesis", "--hypothesis-profile", "explore", "-x"]
"""Ends with the first failure: one that is found shortly before the time is over is shown, too."""


def run_suite(name: str, *, measures_coverage: bool) -> int:
    """Run a suite's two halves in parallel; return 0 if both pass."""
    options = [*SUITES[name], *(["--cov", "--cov-report="] if measures_coverage else [])]
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        engine = start([ENGINE, *options], "engine", stdout=log)
        rest = start([*parallel(), f"--ignore={ENGINE}", *options], "rest")
        try:
            statuses = [rest.wait(), engine.wait()]
        except KeyboardInterrupt:  # both were interrupted, too, and clean up
            rest.wait()
            engine.wait()
            return 130
    click.echo(f"\nthe tests of the flows ({ENGINE}):\n{LOG.read_text()}")
    if measures_coverage:
        statuses += [report_coverage()]
    return int(any(statuses))


def report_coverage() -> int:
    """Combine what both halves covered, and compare it with the floor."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "--quiet"], cwd=ROOT, check=True)
    report = [*coverage, "report", "--skip-covered", f"--fail-under={FLOOR}"]
    return subprocess.run(report, cwd=ROOT, check=False).returncode


def explore(minutes: float) -> int:
    """Try new random examples until the time is over, or a test fails."""
    ends_at = time.monotonic() + minutes * 60
    while (remaining_s := ends_at - time.monotonic()) > 0:
        seed = secrets.randbelow(2**32)
        click.echo(f"seed {seed}, {remaining_s / 60:.1f} minutes to go")
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
    """Give the options that spread tests over the cores."""
    return ["-n", os.environ.get("WORKERS", "auto"), "--dist", "worksteal"]


def start(
    options: Sequence[str], name: str, stdout: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start pytest; what it covers goes into a file of its own."""
    environment = {**os.environ, "COVERAGE_FILE": str(ROOT / f".coverage.{name}")}
    command = [sys.executable, "-m", "pytest", "-q", "--durations=15", *options]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stdout)


def main() -> int:
    """Read the command line, and run what it names."""
    parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
    parser.add_argument("suite", choices=[*SUITES, "explore"])
    parser.add_argument("--coverage", action="store_true", help=f"cover {FLOOR} %% of the code")
    parser.add_argument("--minutes", type=float, default=10, help="how long to explore")
    given = parser.parse_args()
    if given.suite == "explore":
        return explore(given.minutes)
    return run_suite(given.suite, measures_coverage=given.coverage)


if __name__ == "__main__":
    sys.exit(main())
