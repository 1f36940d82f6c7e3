"""`timerex-ghl notes`: notes of contacts."""

import click

from timerex_ghl.cli.activities import CONTACT, add, change, entry_of, share_activities
from timerex_ghl.cli.records import ID, is_id, or_input
from timerex_ghl.cli.workspace import Where, reaches

HELP = """List and edit notes of contacts. Edits sync to the CRM at once.

\b
  timerex-ghl notes list --contact c_0123456789abcdef0123
  timerex-ghl notes add --contact c_0123456789abcdef0123 --text "Prefers mornings"
  timerex-ghl notes edit n_0123456789abcdef0123 --text - < note.txt
  timerex-ghl notes delete n_0123456789abcdef0123
"""


@click.group(help=HELP)
def notes() -> None:
    """Group the note commands."""


share_activities(notes, "note")


@notes.command("add")
@CONTACT
@click.option(
    "--text", required=True, callback=or_input, help="Text of the note; - reads standard input."
)
@click.option("--task", "task_id", callback=is_id, help="Task of the contact that it belongs to.")
@reaches
def add_(*, contact: str, where: Where, **typed: str | None) -> None:
    """Add a note to a contact."""
    add(contact, entry_of("note", typed), where)


@notes.command()
@ID
@click.option("--text", callback=or_input, help="New text; - reads standard input.")
@click.option("--task", "task_id", callback=is_id, help='The task it belongs to; "" for none.')
@reaches
def edit(*, id_: str, where: Where, **typed: str | None) -> None:
    """Change only the given fields of a note."""
    change(id_, entry_of("note", typed), where)
