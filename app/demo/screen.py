"""Print the story so that a person likes to read it; plain text where it is no terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text


def kroner(ore: int) -> str:
    """Write an amount the Norwegian way."""
    whole, rest = divmod(abs(ore), 100)
    grouped = f"{whole:,}".replace(",", "\u00a0")
    return f"{'-' if ore < 0 else ''}{grouped},{rest:02d} kr"


class Screen:
    """Hold the console; each step is numbered, each truth is ticked."""

    def __init__(self) -> None:
        wide = None if Console().is_terminal else 200  # an address must not be broken
        self.console = Console(highlight=False, width=wide)
        self._step = 0

    def step(self, title: str) -> None:
        """Begin a step."""
        self._step += 1
        self.console.print(f"\n[bold cyan]{self._step}. {title}[/]")

    def told(self, text: str) -> None:
        """Tell something in passing."""
        self.console.print(Padding(Text(text), (0, 0, 0, 3), expand=False))

    def true(self, text: str) -> None:
        """Tell something that was verified in the twins' own stores."""
        ticked = Text.assemble(("✓ ", "green"), text)
        self.console.print(Padding(ticked, (0, 0, 0, 3), expand=False))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Show a table."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for heading in headings:
            right = heading.startswith(">")
            table.add_column(heading.removeprefix(">"), justify="right" if right else "left")
        for row in rows:
            table.add_row(*(str(cell) for cell in row))
        self.console.print(Padding(table, (0, 0, 0, 3), expand=False))

    def progress(self) -> Progress:
        """Give a progress bar, drawn on a terminal only."""
        return Progress(
            TextColumn("   {task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), console=self.console, transient=True,
            disable=not self.console.is_terminal,
        )  # fmt: skip

    def failed(self, text: str) -> None:
        """Tell why the story ended."""
        self.console.print("\n[bold red]✗ The story failed[/]")
        self.told(text)
