"""`timerex-ghl live`: the worker that processes events as they arrive."""

import asyncio
import json
import os
import signal
import threading
from typing import Any

import click

from timerex_ghl.cli.running import fail

TRY_AGAIN = 75
"""Exit code of what may work when it is started again (`EX_TEMPFAIL` of sysexits.h)."""

AGAIN_S = 3.0
"""How often to try a Prefect server that is down."""


@click.command()
@click.option("--minutes", default=15.0, show_default=True, help="How long one flow run lasts.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON when ready.")
def live(minutes: float, as_json: bool) -> None:
    """Process every event within milliseconds of its arrival, until stopped.

    Needs PREFECT_API_URL. Only one live worker runs per ledger: a second one stands by, and takes
    over when the first one ends or dies. SIGTERM and Ctrl-C let events in progress finish; a
    second signal ends at once. Exit code 75: another worker took over, start this one again; 1:
    something has to be corrected first.
    """
    from timerex_ghl.orchestration import processes

    for name, value in processes.WORKER.items():
        os.environ.setdefault(name, value)
    worker = _Worker(minutes, as_json=as_json)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    worker.start()
    worker.join()
    if worker.fault is not None:
        fail(worker.fault, worker.code)


class _Worker(threading.Thread):
    """Runs the worker outside the main thread, where Prefect would install signal handlers.

    Attributes:
        fault: The error message for the operator; None where it ended as it was asked to.
        code: The exit code that goes with it.
    """

    def __init__(self, minutes: float, *, as_json: bool) -> None:
        super().__init__(name="live")
        self.fault: str | None = "the live worker ended by an unexpected error"
        self.code = 1
        self._minutes = minutes
        self._as_json = as_json
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: Any = None
        self._stopped = False

    def run(self) -> None:
        from timerex_ghl.domain.shared.errors import RetryableError, TimerexGhlError

        try:
            asyncio.run(self._work())
        except TimerexGhlError as error:
            self.fault = str(error)
            self.code = TRY_AGAIN if isinstance(error, RetryableError) else 1
        else:
            self.fault = None

    def stop(self, *_signal: object) -> None:
        """Stop taking events; on the second call, end at once."""
        if self._stopped or self._loop is None or self._worker is None:
            os._exit(130)
        self._stopped = True
        self._loop.call_soon_threadsafe(self._worker.halt)

    async def _work(self) -> None:
        from flows.live_sync import live as keep_live

        self._loop = asyncio.get_running_loop()
        await self._wait_for_prefect()
        await keep_live(self._minutes, self._begin, self._say_ready)

    async def _wait_for_prefect(self) -> None:
        """Wait for a server that is down; events that arrive meanwhile stay in the inbox."""
        from timerex_ghl.cli.orchestration import check_prefect
        from timerex_ghl.domain.shared.errors import SettingsError

        is_reported = False
        while True:
            try:
                return await check_prefect()
            except SettingsError as error:
                if "PREFECT_API_URL" in os.environ and not is_reported:
                    click.echo(f"waiting: {error}", err=True)
                    is_reported = True
                elif not is_reported:
                    raise
            await asyncio.sleep(AGAIN_S)

    def _begin(self, here: Any) -> None:
        self._worker = here

    def _say_ready(self) -> None:
        click.echo(
            json.dumps({"ready": True}) if self._as_json else "Processing events as they arrive"
        )
