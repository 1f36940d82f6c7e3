"""The folder of this installation, with its key and by default its ledger."""

import os
from pathlib import Path


def home() -> Path:
    """Return the folder: `TIMEREX_GHL_HOME`, or `.timerex-ghl` in the user's home."""
    return Path(os.environ.get("TIMEREX_GHL_HOME") or Path.home() / ".timerex-ghl")


def default_ledger_url() -> str:
    """Return the ledger's URL: `TIMEREX_GHL_LEDGER`, or an SQLite file in `home()`."""
    return os.environ.get("TIMEREX_GHL_LEDGER") or f"sqlite:///{home() / 'ledger.db'}"
