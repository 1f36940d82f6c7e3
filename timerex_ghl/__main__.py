"""`python -m timerex_ghl` is the command `timerex-ghl`."""

from timerex_ghl.cli import main

main(prog_name="timerex-ghl")
