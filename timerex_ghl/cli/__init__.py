"""The command `timerex-ghl`: it starts programs and has no logic of its own.

Heavy imports are done where they are used, so that `--help` answers at once.
"""

import click

from timerex_ghl.cli import (
    alerts,
    bookings,
    deletes,
    desk,
    differences,
    importing,
    live,
    notes,
    orchestration,
    programs,
    reviews,
    tasks,
    tokens,
)
from timerex_ghl.cli.doctor.command import doctor

HELP = """Keep TimeRex bookings and GoHighLevel (GHL) contacts in sync, on Prefect.

New here? `timerex-ghl demo` shows the main job against the built-in sandbox.

\b
To run it for real:
  timerex-ghl server        a Prefect server (or use yours: PREFECT_API_URL)
  timerex-ghl deploy        the block types and the flows, into that server
  timerex-ghl worker        runs the flows
  (fill in the blocks in the Prefect UI)
  timerex-ghl publish NAME  checks them and publishes a new version
  timerex-ghl gateway       receives the webhooks of both services
  timerex-ghl live          handles events within milliseconds
  timerex-ghl endpoints     the webhook path to enter in TimeRex
"""


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="timerex-ghl")
def main() -> None:
    """Start one of the programs."""


for command in (
    programs.demo,
    programs.sandbox,
    programs.gateway,
    programs.endpoints,
    live.live,
    reviews.reviews,
    alerts.alerts,
    doctor,
    desk.plans,
    desk.explain,
    bookings.bookings,
    notes.notes,
    tasks.tasks,
    deletes.deletes,
    differences.differences,
    tokens.token,
    importing.import_,
    importing.export,
    orchestration.server,
    orchestration.worker,
    orchestration.deploy,
    orchestration.publish,
):
    main.add_command(command)
