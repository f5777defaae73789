"""Answers on standard output: aligned tables for people, JSON for scripts."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeVar

from alicia.cli.words import anything, clean, moment

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_Item = TypeVar("_Item")

# One colour per meaning; a word that is not here stays plain.
_STYLES: Final[Mapping[str, str]] = {
    "up": "green",
    "active": "green",
    "expired": "dim",
    "healthy": "green",
    "ok": "green",
    "completed": "green",
    "resolved": "green",
    "degraded": "yellow",
    "pending": "yellow",
    "warning": "yellow",
    "warn": "yellow",
    "missed": "yellow",
    "skipped": "yellow",
    "down": "bold red",
    "unhealthy": "bold red",
    "unreachable": "bold red",
    "failed": "bold red",
    "fail": "bold red",
    "firing": "bold red",
    "error": "red",
    "critical": "bold red",
    "running": "cyan",
    "paused": "dim",
    "cancelled": "dim",
    "muted": "dim",
    "unknown": "dim",
}
_INSTANTS: Final = ("_at", "_time", "_run", "not_before")
# Without a terminal nothing is cut: the reader is a file or a pipe.
_WIDTH_UNBOUNDED: Final = 100_000


class Output:
    """Prints either what ``value`` holds as JSON or what people read, never both."""

    def __init__(self, file: TextIO, *, as_json: bool, environment: Mapping[str, str]) -> None:
        self._file = file
        self.as_json = as_json
        self._no_color = bool(environment.get("NO_COLOR"))

    def json(self, value: object) -> None:
        """One JSON document."""
        self._file.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def json_line(self, value: object) -> None:
        """One JSON document on one line, for streams."""
        self._file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._file.flush()

    def line(self, text: str = "") -> None:
        """One line for people."""
        self._file.write(text + "\n")
        self._file.flush()

    def answer(self, value: object, text: str) -> None:
        """The JSON document, or the line, as was asked for."""
        self.json(value) if self.as_json else self.line(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """An aligned table; its cells may come from peers."""
        self.console().print(build_table(columns, rows))

    def console(self) -> "Console":
        """A rich console on the same file."""
        from rich.console import Console

        tty = self._file.isatty()
        return Console(
            file=self._file,
            no_color=self._no_color or None,
            highlight=False,
            markup=False,
            width=None if tty else _WIDTH_UNBOUNDED,
        )


def progress(items: Sequence[_Item], text: str) -> Iterable[_Item]:
    """The items, with a bar on standard error while they are worked on; only on a terminal."""
    if not sys.stderr.isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, text, console=Console(stderr=True), transient=True)


def build_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> "Table":
    """A borderless table; words of state are coloured."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for i, column in enumerate(columns):
        # The first column is what one copies into the next command.
        table.add_column(Text(column.upper()), overflow="ellipsis", no_wrap=i == 0)
    for row in rows:
        cells = [clean(cell) for cell in row]
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in cells))
    return table


def pairs(console: "Console", values: Sequence[tuple[str, Any]]) -> None:
    """Named values, one a line, names aligned; instants are told by their names."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value in values:
        text = moment(value) if name.endswith(_INSTANTS) else anything(value)
        table.add_row(Text(name, style="bold"), Text(text, style=_STYLES.get(text, "")))
    console.print(table)
