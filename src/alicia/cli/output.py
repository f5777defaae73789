"""Answers on standard output: aligned tables for people, JSON for scripts."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from alicia.cli.tables import Line

_Item = TypeVar("_Item")


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

    def more(self, reply: Mapping[str, Any], shown: int, *, limit_max: int) -> None:
        """Say on standard error that a list goes on, where its reply says so.

        Readers of JSON have ``next_cursor``.
        """
        if reply.get("next_cursor"):
            raise_it = "" if shown >= limit_max else f"; --limit N shows up to {limit_max}"
            print(f"alicia: these are the first {shown}, more follow{raise_it}", file=sys.stderr)

    def answer(self, value: object, text: str) -> None:
        """The JSON document, or the line, as was asked for."""
        self.json(value) if self.as_json else self.line(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """An aligned table; its cells may come from peers."""
        from alicia.cli.tables import lay_out

        self._lines(lay_out(columns, rows, width=self._width()))

    def pairs(self, values: Sequence[tuple[str, Any]]) -> None:
        """Named values, one a line."""
        from alicia.cli.tables import named_values

        self._lines(named_values(values))

    def console(self) -> "Console":
        """A rich console on the same file."""
        from rich.console import Console

        return Console(
            file=self._file, no_color=self._no_color or None, highlight=False, markup=False
        )

    def _width(self) -> int | None:
        """The terminal's width in cells; None for a file or a pipe."""
        return self.console().width if self._file.isatty() else None

    def _lines(self, lines: "Sequence[Line]") -> None:
        if self._no_color or not self._file.isatty():
            self._file.writelines("".join(piece.text for piece in line) + "\n" for line in lines)
            return
        console = self.console()
        for line in lines:
            console.print(styled(line), soft_wrap=True)


def styled(line: "Line") -> "Text":
    """The line with its colours."""
    from rich.text import Text

    return Text.assemble(*line)


def progress(items: Sequence[_Item], text: str) -> Iterable[_Item]:
    """The items, with a bar on standard error while they are worked on; only on a terminal."""
    if not sys.stderr.isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, text, console=Console(stderr=True), transient=True)
