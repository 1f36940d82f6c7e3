"""`timerex-ghl tasks`: tasks of contacts."""

import click

from timerex_ghl.cli.activities import CONTACT, add, change, entry_of, share_activities
from timerex_ghl.cli.records import ID, or_input
from timerex_ghl.cli.workspace import Command, Where, reaches

HELP = """List and edit tasks of contacts. Edits sync to the CRM at once.

\b
  timerex-ghl tasks list --contact c_0123456789abcdef0123
  timerex-ghl tasks add --contact c_0123456789abcdef0123 --title "Call back" \\
      --due 2026-02-10T10:00+09:00
  timerex-ghl tasks edit t_0123456789abcdef0123 --status in-progress
  timerex-ghl tasks complete t_0123456789abcdef0123
"""


@click.group(help=HELP)
def tasks() -> None:
    """Group the task commands."""


share_activities(tasks, "task")


def _details(command: Command) -> Command:
    options = (
        click.option("--body", callback=or_input, help="Description; - reads standard input."),
        click.option(
            "--status",
            type=click.Choice(["open", "in-progress", "completed"]),
            help="Status; the CRM does not show in-progress.",
        ),
        click.option("--assignee", metavar="EMAIL", help='The CRM user; "" for none.'),
    )
    for option in reversed(options):
        command = option(command)
    return command


@tasks.command("add")
@CONTACT
@click.option("--title", required=True, help="What to do, in one line.")
@click.option("--due", "due_at", metavar="TIME", required=True, help="Like 2026-02-10T10:00+09:00.")
@_details
@reaches
def add_(*, contact: str, where: Where, **typed: str | None) -> None:
    """Add a task to a contact."""
    add(contact, entry_of("task", typed), where)


@tasks.command()
@ID
@click.option("--title", help="What to do, in one line.")
@click.option("--due", "due_at", metavar="TIME", help="Like 2026-02-10T10:00+09:00.")
@_details
@reaches
def edit(*, id_: str, where: Where, **typed: str | None) -> None:
    """Change only the given fields of a task."""
    change(id_, entry_of("task", typed), where)


@tasks.command()
@ID
@reaches
def complete(*, id_: str, where: Where) -> None:
    """Mark a task as completed."""
    from timerex_ghl.domain.activities.activity_entry import TaskEntry

    change(id_, TaskEntry(completed=True), where)


@tasks.command()
@ID
@reaches
def reopen(*, id_: str, where: Where) -> None:
    """Reopen a completed task. An open task stays as it is."""
    from timerex_ghl.domain.activities.activity_entry import TaskEntry

    change(id_, TaskEntry(completed=False), where)
