"""OpenMetrics 1.0.0, read strictly: one defect refuses the whole text."""

import math
import re
from typing import Final

from alicia.series.samples import Metadata
from alicia.wire.floats import parse_float
from alicia.wire.openmetrics_rules import TYPES, UNKNOWN, FamilyRules, FamilyType
from alicia.wire.read_exposition import (
    HELP_CHARS_MAX,
    TIME_MS_MAX,
    Exposition,
    Row,
    bad_line,
    check_size,
    decode,
)
from alicia.wire.read_series import (
    CODE,
    NAME_PATTERN,
    OPENMETRICS_SYNTAX,
    QUOTED_PATTERN,
    Context,
    Pairs,
    SeriesTexts,
    Written,
    scan_labels,
    scan_series,
    unescape,
    unquote,
)
from alicia.wire.rejects import Refused
from alicia.wire.values import shown

EXEMPLAR_CHARS_MAX: Final = 128
_EOF: Final = "# EOF"
_DESCRIBED: Final = re.compile(rf"# (HELP|TYPE|UNIT) ({NAME_PATTERN}|{QUOTED_PATTERN}) (.*)")
_UNIT: Final = re.compile(r"[a-zA-Z0-9_:]*")
_REST: Final = re.compile(r" ([^ ]+)(?: ([^ #][^ ]*))?(?: # (.*))?")
_EXEMPLAR_REST: Final = re.compile(r" ([^ ]+)(?: ([^ ]+))?")


def read_openmetrics(body: bytes, texts: SeriesTexts, *, forced: Pairs = ()) -> Exposition:
    """Read OpenMetrics 1.0.0; ``forced`` labels win over those in the text.

    The metadata of a counter and of an info have the name of their samples (``x_total``,
    ``x_info``). ``texts`` is kept by the caller from body to body.

    Raises:
        BadExposition: the text has a defect.
    Source: OpenMetrics 1.0.0; quoted UTF-8 names as in Prometheus 3.
    """
    return _Reader(decode(body), texts, forced).read()


class _Family:
    """One family while it is read; ``at`` is where its first line begins."""

    def __init__(self, name: str, at: int) -> None:
        self.name = name
        self.at = at
        self.described: dict[str, str] = {}
        self.begin(UNKNOWN)

    def begin(self, kind: FamilyType) -> None:
        self.rules = FamilyRules(self.name, kind)
        self.has_samples = False

    @property
    def kind(self) -> FamilyType:
        return self.rules.kind

    @property
    def metric(self) -> str:
        return self.name + self.kind.metric_suffix

    def context(self, forced: Pairs) -> Context:
        return Context(forced, self.rules.apart, bool(self.kind.apart))

    def suffix_of(self, series: str) -> str | None:
        """The series' name behind the family's; None where it is of another family."""
        suffix = series[len(self.name) :]
        return suffix if suffix in self.kind.suffixes and series.startswith(self.name) else None


class _Reader:
    def __init__(self, text: str, texts: SeriesTexts, forced: Pairs) -> None:
        self._text = text
        self._texts = texts
        self._forced = forced
        self._rows: list[Row] = []
        self._metadata: dict[str, Metadata] = {}
        self._claimed: set[str] = set()  # names that no further family may have
        self._exemplars = 0
        self._family: _Family | None = None
        self._context = Context(forced)
        self._known = texts.known(self._context)
        self._at = 0

    def read(self) -> Exposition:
        text = self._text
        try:
            while True:
                end = text.find("\n", self._at)
                line = text[self._at :] if end < 0 else text[self._at : end]
                if line == _EOF:
                    break
                if end < 0:
                    raise Refused(CODE, "the text does not end with # EOF; perhaps it was cut off")
                self._line(line)
                check_size(self._rows)
                self._at = end + 1
            if text[self._at :] not in (_EOF, _EOF + "\n"):
                raise Refused(CODE, "there is more behind # EOF")
            self._end_family()
        except Refused as refused:
            raise bad_line(text, self._at, refused) from None
        return Exposition(self._rows, self._metadata, self._exemplars)

    def _line(self, line: str) -> None:
        if line.startswith("#"):
            self._describe(line)
        elif not line:
            raise Refused(CODE, "the line is blank; leave it out")
        elif not self._known_line(line):
            self._sample(line)

    # --- metadata

    def _describe(self, line: str) -> None:
        found = _DESCRIBED.fullmatch(line)
        if found is None:
            raise Refused(
                CODE, f"{shown(line)} is no metadata; send # TYPE, # UNIT or # HELP name …"
            )
        what, name, rest = found[1], unquote(found[2]), found[4]
        family = self._family
        if family is None or name != family.name:
            family = self._begin_family(name)
        if family.has_samples:
            raise Refused(CODE, f"{what} of {shown(name)} stands behind its samples")
        if what in family.described:
            raise Refused(CODE, f"{what} of {shown(name)} is there twice")
        family.described[what] = rest
        if what == "TYPE":
            if rest not in TYPES:
                raise Refused(CODE, f"type {shown(rest)} is unknown; send {', '.join(TYPES)}")
            family.begin(TYPES[rest])
            self._enter_context(family)
        elif what == "UNIT" and not _UNIT.fullmatch(rest):
            raise Refused(CODE, f"unit {shown(rest)} is not made of letters, digits and _")

    def _begin_family(self, name: str) -> _Family:
        self._end_family()
        family = self._family = _Family(name, self._at)
        self._enter_context(family)
        return family

    def _enter_context(self, family: _Family) -> None:
        self._context = family.context(self._forced)
        self._known = self._texts.known(self._context)

    def _end_family(self) -> None:
        family = self._family
        if family is None:
            return
        family.rules.end()
        claims = {family.name, *(family.name + suffix for suffix in family.kind.suffixes)}
        taken = claims & self._claimed
        unit = family.described.get("UNIT", "")
        try:
            if taken:
                raise Refused(CODE, f"{shown(min(taken))} is of another family already; rename it")
            if unit and not family.name.endswith(f"_{unit}"):
                raise Refused(CODE, f"the name {shown(family.name)} must end with _{unit}")
            if unit and family.kind.word in ("info", "stateset"):
                raise Refused(CODE, f"{family.kind.word} has no unit; leave UNIT out")
        except Refused as refused:
            raise bad_line(self._text, family.at, refused) from None
        self._claimed |= claims
        if family.described:
            text = unescape(family.described.get("HELP", ""))[:HELP_CHARS_MAX]
            check_size(self._metadata)
            self._metadata[family.metric] = Metadata(family.kind.stored, unit, text)

    # --- samples

    def _known_line(self, line: str) -> bool:
        """Take a line whose series is known already; False where it needs a closer look."""
        series, _, number = line.rpartition(" ")
        written = self._known.get(series)
        stamp = None
        if written is None:
            series, _, before = series.rpartition(" ")
            written = self._known.get(series)
            stamp, number = number, before
        suffix = None
        if written is not None and self._family is not None:
            suffix = self._family.suffix_of(written.name)
        if written is None or suffix is None:
            return False
        self._take(written, suffix, number, stamp)
        return True

    def _sample(self, line: str) -> None:
        scanned = scan_series(line, 0, OPENMETRICS_SYNTAX)
        rest = _REST.fullmatch(line, scanned.end)
        if rest is None:
            raise Refused(
                CODE,
                f"{shown(line[scanned.end :])}: one blank, a value, and perhaps one blank and a"
                " timestamp must follow the series",
            )
        family = self._family
        suffix = family.suffix_of(scanned.name) if family is not None else None
        if family is None or suffix is None:
            family, suffix = self._begin_family(scanned.name), ""
        written = self._texts.enter(self._context, line[: scanned.end], scanned)
        self._take(written, suffix, rest[1], rest[2])
        if rest[3] is not None:
            if suffix != family.kind.exemplars:
                raise Refused(CODE, "an exemplar may stand behind _total and _bucket alone")
            _check_exemplar(rest[3])
            self._exemplars += 1

    def _take(self, written: Written, suffix: str, number: str, stamp: str | None) -> None:
        assert self._family is not None, "every sample has a family"
        value = parse_float(number)
        if value is None:
            raise Refused(CODE, f"value {shown(number)} is no number that a double can hold")
        time = None if stamp is None else _time(stamp)
        self._family.rules.take(suffix, written.group, written.apart, value, time)
        self._family.has_samples = True
        t_ms = None if time is None else round(time * 1000)
        self._rows.append(Row(written.labels, t_ms, value, self._family.metric))


def _time(text: str) -> float:
    time = parse_float(text)
    if time is None or not math.isfinite(time):
        raise Refused(CODE, f"timestamp {shown(text)} is no number of seconds")
    if abs(time) > TIME_MS_MAX / 1000:
        raise Refused(CODE, f"timestamp {shown(text)} is far outside the calendar; send seconds")
    return time


def _check_exemplar(text: str) -> None:
    scanned = scan_labels(text, 0, OPENMETRICS_SYNTAX)
    rest = _EXEMPLAR_REST.fullmatch(text, scanned.end)
    if scanned.name or rest is None:
        raise Refused(CODE, f"{shown(text)}: an exemplar is {{label=…}} value timestamp")
    chars = sum(len(label) + len(value) for label, value in scanned.labels.items())
    if chars > EXEMPLAR_CHARS_MAX:
        raise Refused(CODE, f"the exemplar's labels have more than {EXEMPLAR_CHARS_MAX} characters")
    if parse_float(rest[1]) is None:
        raise Refused(CODE, f"value {shown(rest[1])} of the exemplar is no number")
    if rest[2] is not None:
        _time(rest[2])
