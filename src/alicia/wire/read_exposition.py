"""Text exposition 0.0.4 as Prometheus reads it, and what both readers of text make of a body."""

import re
from collections.abc import Mapping, Sequence, Sized
from typing import ClassVar, Final, NamedTuple

from alicia.series.kinds import MetricType
from alicia.series.labels import LabelSet
from alicia.series.samples import Metadata, Sample
from alicia.wire.floats import parse_float
from alicia.wire.json import Undecodable
from alicia.wire.read_series import (
    CODE,
    NAME_PATTERN,
    QUOTED_PATTERN,
    TEXT_SYNTAX,
    Context,
    Pairs,
    SeriesTexts,
    scan_series,
    unquote,
)
from alicia.wire.rejects import Refused
from alicia.wire.values import shown

TIME_MS_MAX: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z; so far back, too
HELP_CHARS_MAX: Final = 1024
ROWS_MAX: Final = 250_000  # samples in one text, and metrics that it describes
_REST: Final = re.compile(r"[ \t]*+([^{ \t\n]++)(?:[ \t]++(-?\d{1,19}))?[ \t]*+\n", re.ASCII)
_BLANKS: Final = re.compile(r"[ \t]*+")
_DESCRIBED: Final = re.compile(r"#[ \t]++(HELP|TYPE)[ \t]++")
_NAMED: Final = re.compile(rf"({NAME_PATTERN}|{QUOTED_PATTERN})([^\n]*)")
_HELP_ESCAPE: Final = re.compile(r"\\([\\n])")
_TYPES: Final[Mapping[str, MetricType]] = {
    "counter": MetricType.COUNTER,
    "gauge": MetricType.GAUGE,
    "histogram": MetricType.HISTOGRAM,
    "summary": MetricType.SUMMARY,
    "untyped": MetricType.UNKNOWN,
}
_APART: Final = {MetricType.HISTOGRAM: "le", MetricType.SUMMARY: "quantile"}
_SUFFIXES: Final[Mapping[MetricType, tuple[str, ...]]] = {
    MetricType.HISTOGRAM: ("_bucket", "_sum", "_count"),
    MetricType.SUMMARY: ("_sum", "_count"),
}


class BadExposition(Undecodable):
    """A text with a defect, so that nothing of it was taken; the message names its line."""

    code: ClassVar[str] = "bad_exposition"


class Row(NamedTuple):
    """One line with a value; ``t_ms`` is None where it has no timestamp.

    ``metric`` is the key of its metadata: its name, of a histogram or summary without suffix.
    """

    labels: LabelSet
    t_ms: int | None
    value: float
    metric: str


class Exposition(NamedTuple):
    """All that one text says; ``exemplars`` were read, counted and dropped."""

    rows: Sequence[Row]
    metadata: Mapping[str, Metadata]
    exemplars: int

    def samples(self, received_ms: int) -> list[Sample]:
        """The samples in their order; those without a timestamp are of the time of receipt."""
        return [
            Sample(row.labels, received_ms if row.t_ms is None else row.t_ms, row.value)
            for row in self.rows
        ]


def read_text(body: bytes, texts: SeriesTexts, *, forced: Pairs = ()) -> Exposition:
    """Read text exposition 0.0.4; ``forced`` labels win over those in the text.

    Tolerant where Prometheus is: blanks between the parts, comments, metadata at any place and
    any number of times. ``texts`` is kept by the caller from body to body.

    Raises:
        BadExposition: one line has a defect.
    Source: prometheus/prometheus v3.14.0, model/textparse/promlex.l, promparse.go.
    """
    return _TextReader(decode(body), texts, forced).read()


def decode(body: bytes) -> str:
    """The text of a body.

    Raises:
        BadExposition: it is not UTF-8.
    """
    try:
        return body.decode()
    except UnicodeDecodeError as fault:
        line = body.count(b"\n", 0, fault.start) + 1
        raise BadExposition(
            f"line {line}: not UTF-8 at byte {fault.start} of the body; encode it as UTF-8"
        ) from None


def bad_line(text: str, at: int, refused: Refused) -> BadExposition:
    """The defect of the line that holds the character ``at``."""
    line = text.count("\n", 0, at) + 1
    return BadExposition(f"line {line}: {refused.detail}")


def check_size(found: Sized) -> None:
    """Raise where one text says more than fits into memory at once.

    Raises:
        Refused: more than ROWS_MAX.
    """
    if len(found) > ROWS_MAX:
        raise Refused(CODE, f"more than {ROWS_MAX} samples or metrics; send them in several texts")


class _TextReader:
    def __init__(self, text: str, texts: SeriesTexts, forced: Pairs) -> None:
        self._text = text if text.endswith("\n") else text + "\n"
        self._texts = texts
        self._forced = forced
        self._rows: list[Row] = []
        self._types: dict[str, MetricType] = {}
        self._helps: dict[str, str] = {}
        self._begin_family("", MetricType.UNKNOWN)

    def read(self) -> Exposition:
        at = 0
        while at < len(self._text):
            end = self._text.find("\n", at)
            try:
                following = end + 1 if self._known_line(self._text[at:end]) else self._line(at)
                check_size(self._rows)
            except Refused as refused:
                raise bad_line(self._text, at, refused) from None
            at = following
        return Exposition(self._rows, self._metadata(), 0)

    def _known_line(self, line: str) -> bool:
        """Take a line whose series is known already; False where it needs a closer look."""
        t_ms = None
        series, _, number = line.rpartition(" ")
        written = self._known.get(series)
        if written is None:
            series, _, before = series.rpartition(" ")
            written = self._known.get(series)
            t_ms, number = _time(number), before
            if written is None or t_ms is None:
                return False
        value = parse_float(number)
        if value is None:
            return False
        self._rows.append(Row(written.labels, t_ms, value, self._metric(written.name)))
        return True

    def _line(self, start: int) -> int:
        """Read what begins at ``start``; where the next line does."""
        text = self._text
        blanks = _BLANKS.match(text, start)
        at = start if blanks is None else blanks.end()
        if text[at] == "\n":
            return at + 1
        if text[at] == "#":
            return self._comment(at)
        scanned = scan_series(text, at, TEXT_SYNTAX)
        rest = _REST.match(text, scanned.end)
        if rest is None:
            raise Refused(
                CODE,
                f"{shown(text[scanned.end :].partition(chr(10))[0])}: a value must follow the"
                " series, then at most a timestamp in whole milliseconds",
            )
        value = parse_float(rest[1])
        if value is None:
            raise Refused(CODE, f"value {shown(rest[1])} is no number that a double can hold")
        t_ms = None if rest[2] is None else _time(rest[2])
        if rest[2] is not None and t_ms is None:
            raise Refused(CODE, f"timestamp {rest[2]} is far outside the calendar; send ms")
        written = self._texts.enter(self._context, text[at : scanned.end], scanned)
        self._rows.append(Row(written.labels, t_ms, value, self._metric(written.name)))
        return rest.end()

    def _comment(self, at: int) -> int:
        """Read what begins with ``#``: metadata, or words for people."""
        described = _DESCRIBED.match(self._text, at)
        if described is None:
            return self._text.index("\n", at) + 1
        found = _NAMED.match(self._text, described.end())
        if found is None:
            raise Refused(CODE, f"{described[1]} names no metric; send # {described[1]} name …")
        name, rest = unquote(found[1]), found[3][1:] if found[3].strip(" \t") else ""
        if described[1] == "HELP":
            self._helps[name] = _HELP_ESCAPE.sub(_unescaped, rest)[:HELP_CHARS_MAX]
            check_size(self._helps)
        else:
            if rest not in _TYPES:
                raise Refused(
                    CODE,
                    f"type {shown(rest)} is unknown; send counter, gauge, histogram, summary"
                    " or untyped",
                )
            self._types[name] = _TYPES[rest]
            check_size(self._types)
            self._begin_family(name, _TYPES[rest])
        return found.end() + 1

    def _begin_family(self, name: str, kind: MetricType) -> None:
        apart = _APART.get(kind, "")
        self._context = Context(self._forced, apart, bool(apart))
        self._known = self._texts.known(self._context)
        self._parts = frozenset(name + suffix for suffix in _SUFFIXES.get(kind, ()))
        self._family = name

    def _metric(self, name: str) -> str:
        return self._family if name in self._parts else name

    def _metadata(self) -> dict[str, Metadata]:
        unknown = MetricType.UNKNOWN
        return {
            name: Metadata(self._types.get(name, unknown), "", self._helps.get(name, ""))
            for name in {**self._types, **self._helps}
        }


def _time(text: str) -> int | None:
    """Milliseconds within the calendar."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return None
    t_ms = int(text)
    return t_ms if abs(t_ms) <= TIME_MS_MAX else None


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else "\\"
