"""What the demo shows while it works, and the table at its end."""

from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.table import Table


class Screen:
    """A person's terminal: a line per step, with the seconds since the start."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.started = monotonic()
        self.rows: list[tuple[str, str, str]] = []
        self.agreed = False

    def say(self, text: str) -> None:
        """Tell of a step."""
        seconds = monotonic() - self.started
        self.console.print(f"[dim]{seconds:5.1f} s[/dim]  {text}")

    def fail(self, text: str) -> None:
        """Tell what went wrong."""
        self.console.print(f"[bold red]failed:[/bold red] {text}")

    def travelled(self, what: str, way: str, how_many: str) -> None:
        """Remember a line for the table."""
        self.rows.append((what, way, how_many))

    def table(self) -> None:
        """Show what travelled where."""
        table = Table("What", "Which way", "How many", title="What travelled")
        for row in self.rows:
            table.add_row(*row)
        self.console.print(table)

    def verdict(self, found: list[str], second_writes: int) -> bool:
        """Tell whether both sides agree, and whether a second sync was quiet."""
        for line in found[:20]:
            self.console.print(f"[red]differs:[/red] {line}")
        self.agreed = not found and second_writes == 0
        if self.agreed:
            self.console.print("[bold green]Both sides agree; a second sync made 0 writes.[/]")
        elif second_writes:
            self.fail(f"a second sync made {second_writes} writes; 0 were expected")
        else:
            self.fail(f"the sides differ in {len(found)} places")
        return self.agreed

    def invite(self, folder: Path) -> None:
        """Tell where to look around."""
        self.console.print(
            f"\nEverything keeps running: look around in the Prefect UI, and run flows there.\n"
            f"Logs and ledger: {folder}\nCtrl-C ends it all."
        )
