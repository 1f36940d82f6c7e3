"""How a command runs: to the end, or to one line that says what to mend."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import click

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; say in one line what a person can mend."""
    from timerex_ghl.domain.errors import TimerexGhlError

    try:
        return asyncio.run(work)
    except TimerexGhlError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped", code=130)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say it in one line, and end."""
    click.echo(f"timerex-ghl: {message}", err=True)
    sys.exit(code)


def become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Turn into another program: its signals and its exit code are then ours."""
    os.execvpe(command[0], command, environment)  # noqa: S606  no shell, our own command
