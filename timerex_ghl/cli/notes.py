"""`timerex-ghl notes`: what people wrote down about a contact."""

import click

from timerex_ghl.cli.activities import CONTACT, ID, add, change, is_id, reaches, share
from timerex_ghl.cli.activity_text import entry_of, say_version
from timerex_ghl.cli.running import run

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


share(notes, "note")


@notes.command("add")
@CONTACT
@click.option("--text", required=True, help="What it says; - reads it from standard input.")
@click.option("--task", "task_id", callback=is_id, help="The contact's task it belongs to.")
@reaches
def add_(
    *,
    contact: str,
    connection: str | None,
    ledger: str | None,
    as_json: bool,
    **typed: str | None,
) -> None:
    """Add a note to a contact."""
    entry = entry_of("note", typed)
    row = run(add(contact, entry, connection=connection, ledger=ledger))
    say_version(row, as_json=as_json)


@notes.command()
@ID
@click.option("--text", help="What it says now; - reads it from standard input.")
@click.option("--task", "task_id", callback=is_id, help='The task it belongs to; "" for none.')
@reaches
def edit(
    *, id_: str, connection: str | None, ledger: str | None, as_json: bool, **typed: str | None
) -> None:
    """Change what is named of a note, and nothing else."""
    entry = entry_of("note", typed)
    row = run(change(id_, entry, connection=connection, ledger=ledger))
    say_version(row, as_json=as_json)
