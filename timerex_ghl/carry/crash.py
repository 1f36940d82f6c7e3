"""Named crash points: a process is killed there to prove that nothing is lost or doubled.

`TIMEREX_GHL_CRASH_AT=contact.create:after-write` kills the process (SIGKILL) the first time it
stands between GHL's answer and the outcome row of a contact it made. Unset, a crash point is one
comparison.
"""

import os
import signal

ENVIRONMENT = "TIMEREX_GHL_CRASH_AT"


def crash_point(action: str, moment: str) -> None:
    """Die here if the environment says so."""
    wanted = os.environ.get(ENVIRONMENT)
    if wanted is not None and wanted == f"{action}:{moment}":
        os.kill(os.getpid(), signal.SIGKILL)
