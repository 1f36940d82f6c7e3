"""Failpoints: named places where a test kills the process, so that recovery can be proved.

`TIMEREX_GHL_FAILPOINT=contact.create:after-write` kills the process (SIGKILL) the first time it
is between GHL's answer and the outcome row of a contact it created. Unset, a failpoint costs one
look at the environment.
"""

import os
import signal

ENVIRONMENT = "TIMEREX_GHL_FAILPOINT"


def failpoint(action: str, moment: str) -> None:
    """Kill this process if the environment names this failpoint."""
    wanted = os.environ.get(ENVIRONMENT)
    if wanted is not None and wanted == f"{action}:{moment}":
        os.kill(os.getpid(), signal.SIGKILL)
