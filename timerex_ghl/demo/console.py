"""Terminal output of the demo: its steps, and the final table."""

from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.table import Table


class Screen:
    """The terminal: one line per step, with the seconds since the start."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.started = monotonic()
        self.rows: list[tuple[str, str, str]] = []
        self.agreed = False

    def say(self, text: str) -> None:
        """Print a step."""
        seconds = monotonic() - self.started
        self.console.print(f"[dim]{seconds:5.1f} s[/dim]  {text}")

    def fail(self, text: str) -> None:
        """Print an error."""
        self.console.print(f"[bold red]failed:[/bold red] {text}")

    def travelled(self, what: str, way: str, how_many: str) -> None:
        """Add a row to the table."""
        self.rows.append((what, way, how_many))

    def table(self) -> None:
        """Print what was synced in which direction."""
        table = Table("What", "Direction", "Count", title="Synced")
        for row in self.rows:
            table.add_row(*row)
        self.console.print(table)

    def verdict(self, found: list[str], second_writes: int) -> bool:
        """Print whether both sides agree and a second sync wrote nothing; return it."""
        for line in found[:20]:
            self.console.print(f"[red]differs:[/red] {line}")
        self.agreed = not found and second_writes == 0
        if self.agreed:
            self.console.print("[bold green]Both sides agree; a second sync made 0 writes.[/]")
        elif second_writes:
            self.fail(f"a second sync made {second_writes} writes; 0 were expected")
        else:
            self.fail(f"workspace and GHL differ in {len(found)} places")
        return self.agreed

    def invite(self, folder: Path) -> None:
        """Print where the running programs and files are."""
        self.console.print(
            f"\nEverything keeps running: open the Prefect UI and run flows there.\n"
            f"Logs and ledger: {folder}\nCtrl-C stops everything."
        )
