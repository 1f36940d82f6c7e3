"""A gateway that is killed (SIGKILL) and restarted on request, with all modules preloaded.

python -m tests.gateway.nursery LEDGER_URL PORT

Each input line restarts it once; each gateway prints a line when it is ready. At the end of the
input the last one is killed.
"""

import asyncio
import os
import signal
import sys

from tests.gateway.given import PATIENT
from timerex_ghl.gateway.serve import run_gateway


def serve(ledger_url: str, port: int) -> None:
    def say(_url: str) -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    asyncio.run(run_gateway(ledger_url, host="127.0.0.1", port=port, on_ready=say, limits=PATIENT))


def kill(process: int) -> None:
    """Kill it, and wait until its port is free."""
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        raise SystemExit("the gateway ended by itself")


def main(ledger_url: str, port: int) -> None:
    process = 0
    for _ in sys.stdin:
        if process:
            kill(process)
        process = os.fork()
        if process == 0:
            serve(ledger_url, port)
            os._exit(0)
    if process:
        kill(process)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
