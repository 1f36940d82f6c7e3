"""`timerex-ghl notes`: what people wrote down about a contact."""

import click

from timerex_ghl.cli.activities import CONTACT, add, change, entry_of, share_activities
from timerex_ghl.cli.records import ID, is_id, or_input
from timerex_ghl.cli.workspace import Where, reaches

HELP = """See and edit the notes of contacts. The CRM follows at once.

\b
  timerex-ghl notes list --contact c_0123456789abcdef0123
  timerex-ghl notes add --contact c_0123456789abcdef0123 --text "Prefers mornings"
  timerex-ghl notes edit n_0123456789abcdef0123 --text - < note.txt
  timerex-ghl notes delete n_0123456789abcdef0123
"""


@click.group(help=HELP)
def notes() -> None:
    """Gather the commands."""


share_activities(notes, "note")


@notes.command("add")
@CONTACT
@click.option(
    "--text", required=True, callback=or_input, help="What it says; - reads it from standard input."
)
@click.option("--task", "task_id", callback=is_id, help="The contact's task it belongs to.")
@reaches
def add_(*, contact: str, where: Where, **typed: str | None) -> None:
    """Add a note to a contact."""
    add(contact, entry_of("note", typed), where)


@notes.command()
@ID
@click.option("--text", callback=or_input, help="What it says now; - reads it from standard input.")
@click.option("--task", "task_id", callback=is_id, help='The task it belongs to; "" for none.')
@reaches
def edit(*, id_: str, where: Where, **typed: str | None) -> None:
    """Change what is named of a note, and nothing else."""
    change(id_, entry_of("note", typed), where)
