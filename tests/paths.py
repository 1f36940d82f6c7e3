"""The checkout's folder, and the vendor's files where they lie beside it."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
VENDOR = ROOT.parent / "shared" / "ghl"
