"""Series as the text formats name them, ``name{label="value"}``; scanned once, then known."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from alicia.series.labels import NAME, LabelSet
from alicia.wire.floats import format_bound, parse_float
from alicia.wire.names import check_labels, check_metric_name
from alicia.wire.rejects import Refused
from alicia.wire.values import shown

CODE: Final = "bad_exposition"
TEXTS_KEPT: Final = 50_000
TEXT_CHARS_MAX: Final = 1024  # of a series that is remembered
NAME_PATTERN: Final = r"[a-zA-Z_:][a-zA-Z0-9_:]*+"
QUOTED_PATTERN: Final = r'"((?:[^"\\]|\\.)*+)"'
_LABEL_PATTERN: Final = r"[a-zA-Z_][a-zA-Z0-9_]*+"
_NAME: Final = re.compile(NAME_PATTERN)
_ESCAPE: Final = re.compile(r'\\([\\n"])')
_ESCAPED: Final[Mapping[str, str]] = {"\\": "\\", "n": "\n", '"': '"'}

Pairs = tuple[tuple[str, str], ...]


class Syntax(NamedTuple):
    """How a format writes the labels of a series."""

    open: re.Pattern[str]
    pair: re.Pattern[str]  # a label with its value, or a quoted name alone, and what ends it
    close: re.Pattern[str]
    trailing_comma: bool


class Scanned(NamedTuple):
    """What stands at the begin of a line, and where it ends."""

    name: str
    labels: dict[str, str]
    end: int


class Context(NamedTuple):
    """What decides, beside its text, which series is meant.

    ``forced`` are labels that win over written ones. ``apart`` is the label that tells the lines
    of one metric apart (``le``, ``quantile``, the state of a state set), "" where there is none;
    its value is written canonically where it is a ``bound``.
    """

    forced: Pairs = ()
    apart: str = ""
    bound: bool = False


class Written(NamedTuple):
    """A series of a text: what it is stored as, and what it is told by within its family.

    ``group`` are the written labels but for ``apart``, sorted; ``apart`` is the value of that
    one, None where it is absent.
    """

    labels: LabelSet
    name: str
    group: Pairs
    apart: str | None


def _syntax(blank: str, *, trailing_comma: bool) -> Syntax:
    pair = (
        rf"{blank}(?:({_LABEL_PATTERN})|{QUOTED_PATTERN}){blank}"
        rf"(?:={blank}{QUOTED_PATTERN}{blank})?([,}}])"
    )
    return Syntax(
        re.compile(rf"{blank}\{{"),
        re.compile(pair),
        re.compile(rf"{blank}\}}"),
        trailing_comma,
    )


TEXT_SYNTAX: Final = _syntax(r"[ \t]*+", trailing_comma=True)
OPENMETRICS_SYNTAX: Final = _syntax("", trailing_comma=False)


def scan_series(text: str, start: int, syntax: Syntax) -> Scanned:
    """The series that is named from ``start`` on.

    Raises:
        Refused: CODE; the text there names none.
    """
    named = _NAME.match(text, start)
    name, at = ("", start) if named is None else (named[0], named.end())
    scanned = Scanned(name, {}, at)
    if syntax.open.match(text, at) is not None:
        scanned = scan_labels(text, at, syntax, name=name)
    if not scanned.name:
        raise Refused(CODE, f"{_near(text, start)} has no metric name; send name{{label=…}} value")
    return scanned


def scan_labels(text: str, start: int, syntax: Syntax, *, name: str = "") -> Scanned:
    """Labels in braces; a quoted text alone among them is the metric's name.

    Raises:
        Refused: CODE; no braces with labels are there, or one of them is there twice.
    """
    opened = syntax.open.match(text, start)
    if opened is None:
        raise Refused(CODE, f"{_near(text, start)}: labels in braces are missing")
    labels: dict[str, str] = {}
    at = opened.end()
    closed = syntax.close.match(text, at)
    while closed is None:
        found = syntax.pair.match(text, at)
        if found is None:
            raise Refused(CODE, f'{_near(text, at)}: send label="value", joined by commas')
        label, quoted, value, ending = found.groups()
        if value is not None:
            label = unescape(quoted) if label is None else label
            if label in labels:
                raise Refused(CODE, f"label {shown(label)} is there twice; send it once")
            labels[label] = unescape(value)
        elif label is not None or name:
            raise Refused(CODE, f"{_near(text, at)}: a label without a value, or a second name")
        else:
            name = unescape(quoted)
        at = found.end()
        if ending == "}":
            return Scanned(name, labels, at)
        closed = syntax.close.match(text, at) if syntax.trailing_comma else None
    return Scanned(name, labels, closed.end())


def unescape(text: str) -> str:
    r"""A quoted text without its escapes ``\\``, ``\n`` and ``\"``; others stay as they are."""
    return _ESCAPE.sub(lambda found: _ESCAPED[found[1]], text) if "\\" in text else text


def unquote(name: str) -> str:
    """The name of a metric that may stand in quotes."""
    return unescape(name[1:-1]) if name.startswith('"') else name


def check_series(series: Scanned, context: Context) -> Written:
    """The series that was scanned, as it is stored.

    Raises:
        Refused: a name, a label or their number is beyond its bound.
    """
    labels = check_labels(series.labels)
    check_metric_name(series.name)
    apart = labels.get(context.apart)
    group = tuple(sorted(pair for pair in labels.items() if pair[0] != context.apart))
    bound = parse_float(apart) if apart is not None and context.bound else None
    if bound is not None:
        labels[context.apart] = format_bound(bound)
    stored = LabelSet({**labels, NAME: series.name, **dict(context.forced)})
    return Written(stored, series.name, group, apart)


class SeriesTexts:
    """Series by the text that named them, so that a line seen before costs one look-up.

    Holds ``kept`` at most, none longer than TEXT_CHARS_MAX, and begins anew when it is full; all
    of them passed the checks. May be used by several threads.
    """

    def __init__(self, *, kept: int = TEXTS_KEPT) -> None:
        self._kept = kept
        self._known: dict[Context, dict[str, Written]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def known(self, context: Context) -> Mapping[str, Written]:
        """The series that are known in a context, by their text."""
        return self._known.get(context, {})

    def enter(self, context: Context, text: str, series: Scanned) -> Written:
        """The series that the whole of ``text`` was scanned as.

        Raises:
            Refused: as check_series().
        """
        written = check_series(series, context)
        if len(text) <= TEXT_CHARS_MAX:
            if self._count >= self._kept:
                self._known, self._count = {}, 0
            self._known.setdefault(context, {})[text] = written
            self._count += 1
        return written


def _near(text: str, at: int) -> str:
    return shown(text[at : at + 40].partition("\n")[0])
