"""Run a command, and end it when the parent process is gone, even if that was killed.

The parent keeps the other end of our standard input open; end of file means it is gone.
Usage: python supervisor.py COMMAND [ARGUMENT ...]
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

PATIENCE_S = 8.0


def main(command: list[str], patience_s: float = PATIENCE_S) -> int:
    """Run the command until it ends, a SIGTERM arrives, or the parent is gone.

    A child that does not end on SIGTERM within `patience_s` is killed.
    """
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  our own command

    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=_end, args=(child, patience_s), daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which stops us

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):  # unbuffered: nothing to unlock at our end
            pass
        _end(child, patience_s)

    threading.Thread(target=watch, daemon=True).start()
    return child.wait()


def _end(child: "subprocess.Popen[bytes]", patience_s: float) -> None:
    child.terminate()
    try:
        child.wait(patience_s)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
