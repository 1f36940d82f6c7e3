"""Run a command, and print an error as one line."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import click

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; print an expected error as one line and exit."""
    from timerex_ghl.domain.shared.errors import TimerexGhlError

    try:
        return asyncio.run(work)
    except TimerexGhlError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped", code=130)


def fail(message: str, code: int = 1) -> NoReturn:
    """Print an error line and exit with the code."""
    click.echo(f"timerex-ghl: {message}", err=True)
    sys.exit(code)


def become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Replace this process with another program, which then gets its signals."""
    os.execvpe(command[0], command, environment)  # noqa: S606  no shell, our own command
