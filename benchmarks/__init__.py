"""Every figure the README quotes, one command each: JSON lines out, medians of several runs."""

import os

os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # read when Prefect is imported
