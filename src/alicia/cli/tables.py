"""Tables for people: aligned where they fit, one value a line where they do not; pure.

Nothing is cut: a value that one cannot read or copy is worse than a long line.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rich.cells import cell_len

from alicia.cli.words import anything, clean, moment

_GAP: Final = "  "
_INDENT: Final = "    "
_NOTHING: Final = ("", "-")
_LAST_COLUMNS_MIN: Final = 24  # what the last column keeps before the layout changes
_INSTANTS: Final = ("_at", "_time", "_run", "_evaluation", "not_before")
_HEAD: Final = "bold"
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


class Piece(NamedTuple):
    """Some text in one style."""

    text: str
    style: str = ""


Line = tuple[Piece, ...]


def lay_out(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, width: int | None
) -> list[Line]:
    """The lines of a table; ``width`` in cells is the terminal's, None where there is none.

    What is too wide wraps in its last column, or has that column below the others; where even
    that has no room, each row becomes a paragraph of ``COLUMN  value`` lines.
    """
    names = [column.upper() for column in columns]
    texts = [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(names, *texts, strict=True)]
    rest = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    head = [Piece(name, _HEAD) for name in names]
    cells = [head, *([_piece(text) for text in row] for row in texts)]
    if width is None or rest + widths[-1] <= width:
        return [line for row in cells for line in _aligned(row, widths)]
    if width - rest >= _LAST_COLUMNS_MIN:
        widths[-1] = width - rest
        return [line for row in cells for line in _aligned(row, widths)]
    if rest - len(_GAP) <= width:
        return [line for row in cells for line in _with_last_below(row, widths, width)]
    return _paragraphs(names, texts)


def named_values(values: Sequence[tuple[str, Any]]) -> list[Line]:
    """Named values, one a line, names aligned; instants are told by their names."""
    texts = [
        (name, moment(value) if name.endswith(_INSTANTS) else anything(value))
        for name, value in values
    ]
    return _pairs(texts)


def _piece(text: str) -> Piece:
    return Piece(text, _STYLES.get(text, ""))


def _aligned(cells: Sequence[Piece], widths: Sequence[int]) -> list[Line]:
    """One row: its first line, and what of its last cell needs further ones."""
    *fixed, last = cells
    first: list[Piece] = []
    for cell, width in zip(fixed, widths, strict=False):
        first += [cell, Piece(" " * (width - cell_len(cell.text)) + _GAP)]
    if cell_len(last.text) <= widths[-1]:
        return [_trimmed([*first, last])]
    indent = " " * sum(cell_len(piece.text) for piece in first)
    head, *rest = textwrap.wrap(last.text, widths[-1])
    return [(*first, Piece(head)), *((Piece(indent + text),) for text in rest)]


def _with_last_below(cells: Sequence[Piece], widths: Sequence[int], width: int) -> list[Line]:
    *fixed, last = cells
    lines = _aligned(fixed, widths[:-1])
    if last.text in _NOTHING:
        return lines
    below = textwrap.wrap(last.text, max(width - len(_INDENT), _LAST_COLUMNS_MIN))
    return [*lines, *((Piece(_INDENT), Piece(text, last.style)) for text in below)]


def _trimmed(pieces: list[Piece]) -> Line:
    """The line without spaces at its end."""
    while pieces and not pieces[-1].text.rstrip():
        pieces.pop()
    return tuple(pieces)


def _paragraphs(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Line]:
    lines: list[Line] = []
    for row in rows:
        lines += [(), *_pairs(list(zip(names, row, strict=True)))]
    return lines[1:]


def _pairs(texts: Sequence[tuple[str, str]]) -> list[Line]:
    width = max((cell_len(name) for name, _ in texts), default=0)
    return [
        _trimmed(
            [
                Piece(name, _HEAD),
                Piece(" " * (width - cell_len(name)) + _GAP),
                _piece(text),
            ]
        )
        for name, text in texts
    ]
