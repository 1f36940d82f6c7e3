"""Test mode: a GHL and a TimeRex on loopback that behave like the real ones.

`running_sandbox()` serves one inside a test, `timerex-ghl sandbox` from the command line.
`control/control.py` lists what a test can do to it.
"""

from timerex_ghl.sandbox.info import SandboxInfo
from timerex_ghl.sandbox.server import run_sandbox, running_sandbox

__all__ = ["SandboxInfo", "run_sandbox", "running_sandbox"]
