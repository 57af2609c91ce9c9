"""Print the story so that a person likes to read it; plain text where it is no terminal."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

_FILE_WIDTH: Final = 100
_INDENT: Final = "   "
_TICKED: Final = "   ✓ "


def kroner(ore: int) -> str:
    """Write an amount the Norwegian way."""
    whole, rest = divmod(abs(ore), 100)
    grouped = f"{whole:,}".replace(",", "\u00a0")
    return f"{'-' if ore < 0 else ''}{grouped},{rest:02d}\u00a0kr"


class Screen:
    """Hold the console; each step is numbered, each truth is ticked."""

    def __init__(self, console: Console | None = None) -> None:
        wide = None if Console().is_terminal else _FILE_WIDTH
        self.console = console or Console(highlight=False, width=wide)
        self._step = 0
        self._ends = False

    def step(self, title: str) -> None:
        """Begin a step."""
        self._step += 1
        self.console.print(f"\n[bold cyan]{self._step}. {title}[/]")

    def told(self, text: str) -> None:
        """Tell something in passing."""
        for line in self._broken(_INDENT, text):
            self.console.print(Text(line), soft_wrap=True)

    def true(self, text: str) -> None:
        """Tell something that was verified in the twins' own stores."""
        first, *others = self._broken(_TICKED, text)
        ticked = Text(first)
        ticked.stylize("green", 0, len(_TICKED))
        for line in (ticked, *map(Text, others)):
            self.console.print(line, soft_wrap=True)

    def copied(self, line: str) -> None:
        """Tell a line that a person copies: never broken, and nothing stands before it."""
        self.console.print(Text(line), soft_wrap=True)

    def _broken(self, first: str, text: str) -> list[str]:
        """Break a text at ordinary spaces only: an amount or an address stays in one piece."""
        below = " " * len(first)
        found: list[str] = []
        for part in text.replace("§ ", "§\u00a0").splitlines():
            found += textwrap.wrap(
                part, self.console.width, initial_indent=below if found else first,
                subsequent_indent=below, break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
        return found

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Show a table; a heading that begins with ``>`` is of figures, which are not broken."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for heading in headings:
            figures = heading.startswith(">")
            table.add_column(
                heading.removeprefix(">"), justify="right" if figures else "left", no_wrap=figures
            )
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row))
        self.console.print(Padding(table, (0, 0, 0, len(_INDENT)), expand=False))

    def progress(self) -> Progress:
        """Give a progress bar, drawn on a terminal only."""
        return Progress(
            TextColumn("   {task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), console=self.console, transient=True,
            disable=not self.console.is_terminal,
        )  # fmt: skip

    def ending(self) -> None:
        """Tell that the end was asked for; once, however often it is."""
        if not self._ends:
            self._ends = True
            self.told("Ending …")
            self.console.file.flush()

    def failed(self, text: str, *, heading: str = "The story failed") -> None:
        """Tell why the story ended, or why it did not begin."""
        self.console.print(f"\n[bold red]✗ {heading}[/]")
        self.told(text)
