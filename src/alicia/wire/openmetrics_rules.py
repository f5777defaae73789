"""What OpenMetrics 1.0.0 demands of the samples of one family, line by line.

Source: OpenMetrics 1.0.0, "Metric Types"; shared/conformance/openmetrics.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from alicia.series.kinds import MetricType
from alicia.wire.floats import parse_float
from alicia.wire.read_series import CODE, Pairs
from alicia.wire.rejects import Refused
from alicia.wire.values import shown


class FamilyType(NamedTuple):
    """One of the types: how its samples are named, and what we keep of it.

    ``apart`` is the label that tells the samples of one metric apart, "" where there is none; of a
    state set it is the family's name. ``exemplars`` is the suffix that may carry them.
    """

    word: str
    suffixes: tuple[str, ...]
    stored: MetricType
    apart: str = ""
    exemplars: str | None = None

    @property
    def metric_suffix(self) -> str:
        """What the key of the metadata has behind the family's name."""
        return self.suffixes[0] if self.word in ("counter", "info") else ""


_TYPES: Final = (
    FamilyType("counter", ("_total", "_created"), MetricType.COUNTER, exemplars="_total"),
    FamilyType("gauge", ("",), MetricType.GAUGE),
    FamilyType(
        "histogram",
        ("_bucket", "_count", "_sum", "_created"),
        MetricType.HISTOGRAM,
        apart="le",
        exemplars="_bucket",
    ),
    # Its counts fall as well as they grow, so it is no histogram to our readers.
    FamilyType(
        "gaugehistogram",
        ("_bucket", "_gcount", "_gsum"),
        MetricType.UNKNOWN,
        apart="le",
        exemplars="_bucket",
    ),
    FamilyType("summary", ("", "_count", "_sum", "_created"), MetricType.SUMMARY, apart="quantile"),
    FamilyType("stateset", ("",), MetricType.GAUGE),
    FamilyType("info", ("_info",), MetricType.GAUGE),
    FamilyType("unknown", ("",), MetricType.UNKNOWN),
)
TYPES: Final[Mapping[str, FamilyType]] = {kind.word: kind for kind in _TYPES}
UNKNOWN: Final = TYPES["unknown"]
_COUNTS: Final = frozenset({"_total", "_bucket", "_count", "_gcount", "_sum"})


class FamilyRules:
    """Takes the samples of one family in their order; a sample that breaks a rule is refused."""

    def __init__(self, name: str, kind: FamilyType) -> None:
        self.kind = kind
        self.apart = name if kind.word == "stateset" else kind.apart
        self._histogram = kind.apart == "le"
        self._groups: set[Pairs] = set()
        self._group: Pairs | None = None
        self._time: float | None = None
        self._point = _Point()

    def take(
        self, suffix: str, group: Pairs, apart: str | None, value: float, time: float | None
    ) -> None:
        """Judge one sample: its name behind the family's, its labels, its value, its time (s).

        Raises:
            Refused: it, or the metric that it ends, breaks a rule.
        """
        if group != self._group:
            self._end_point()
            if group in self._groups:
                raise Refused(CODE, "lines of one metric stand apart; put them together")
            self._groups.add(group)
            self._group = group
        elif (time is None) is not (self._time is None):
            raise Refused(CODE, "some samples of the metric have a timestamp and some have none")
        elif time is not None and self._time is not None and time != self._time:
            if time < self._time:
                raise Refused(CODE, "the timestamp goes back; sort the samples by time")
            self._end_point()
        if (suffix, apart) in self._point.series and time is None:
            raise Refused(CODE, "the series is there twice; send it once, or with timestamps")
        self._time = time
        self._point.series.add((suffix, apart))
        self._check_apart(suffix, apart)
        self._check_value(suffix, apart, value)

    def end(self) -> None:
        """The family is complete.

        Raises:
            Refused: its last metric breaks a rule.
        """
        self._end_point()

    def _check_apart(self, suffix: str, apart: str | None) -> None:
        if not self.apart:
            return
        if (apart is not None) is not (suffix in ("", "_bucket")):
            word = "lacks" if apart is None else "must not have"
            raise Refused(CODE, f"the sample {word} the label {self.apart}")

    def _check_value(self, suffix: str, apart: str | None, value: float) -> None:
        word = self.kind.word
        if word in ("gauge", "unknown"):
            return
        if suffix in _COUNTS and not value >= 0:
            raise Refused(CODE, f"{value:g} counts nothing; counts and sums are 0 or more")
        if word == "info" and value != 1:
            raise Refused(CODE, f"{value:g}: the value of an info is 1")
        if word == "stateset" and value not in (0, 1):
            raise Refused(CODE, f"{value:g}: a state is 0 or 1")
        if suffix == "_gsum":
            self._point.gsum = value
        elif suffix in ("_count", "_gcount"):
            self._point.count = value
        elif suffix == "_sum":
            self._point.has_sum = True
        elif suffix == "_bucket":
            self._point.bucket(_bound(apart), value)
        elif word == "summary" and suffix == "":
            _check_quantile(apart, value)

    def _end_point(self) -> None:
        """All samples of one metric at one time have been taken."""
        if self._histogram and self._point.series:
            self._point.check(gauge=self.kind.word == "gaugehistogram")
        self._point = _Point()


class _Point:
    """The samples of one metric at one time, so far as they bear on each other."""

    __slots__ = ("bound", "count", "cumulated", "gsum", "has_sum", "negative", "series")

    def __init__(self) -> None:
        self.series: set[tuple[str, str | None]] = set()
        self.bound: float | None = None
        self.cumulated = 0.0
        self.negative = False
        self.count: float | None = None
        self.gsum: float | None = None
        self.has_sum = False

    def bucket(self, bound: float, value: float) -> None:
        if self.bound is not None and bound <= self.bound:
            raise Refused(CODE, f"le {bound:g} stands behind {self.bound:g}; sort the buckets")
        if value < self.cumulated:
            raise Refused(CODE, f"the bucket counts less than the one before it: {value:g}")
        self.bound, self.cumulated = bound, value
        self.negative = self.negative or bound < 0

    def check(self, *, gauge: bool) -> None:
        """Raise where the histogram that ends here is none."""
        if self.bound != math.inf:
            raise Refused(CODE, "the histogram that ends here has no +Inf bucket")
        if self.count is not None and self.count != self.cumulated:
            raise Refused(CODE, "the histogram that ends here has a count unlike its +Inf bucket")
        summed = self.gsum is not None if gauge else self.has_sum
        if self.count is not None and not summed and not (self.negative and not gauge):
            raise Refused(CODE, "the histogram that ends here has a count and no sum")
        if self.count is None and summed:
            raise Refused(CODE, "the histogram that ends here has a sum and no count")
        if self.negative and self.has_sum:
            raise Refused(CODE, "the histogram that ends here has negative buckets and a sum")
        if self.gsum is not None and not self.negative and not self.gsum >= 0:
            raise Refused(CODE, "the histogram that ends here has a sum that its buckets exclude")
        if self.gsum is not None and math.isnan(self.gsum):
            raise Refused(CODE, "the histogram that ends here has no number as its sum")


def fits(name: str, kind: FamilyType, lines: Iterable[tuple[str, Pairs, float]]) -> bool:
    """Whether lines (name, other labels in order, value) without times may be one such family."""
    rules = FamilyRules(name, kind)
    try:
        for series, pairs, value in lines:
            suffix = series[len(name) :]
            if not series.startswith(name) or suffix not in kind.suffixes:
                return False
            group = tuple(pair for pair in pairs if pair[0] != rules.apart)
            rules.take(suffix, group, dict(pairs).get(rules.apart), value, None)
        rules.end()
    except Refused:
        return False
    return True


def _bound(text: str | None) -> float:
    bound = None if text is None else parse_float(text)
    if bound is None or math.isnan(bound):
        raise Refused(CODE, f"le {shown(text)} is no number")
    return bound


def _check_quantile(text: str | None, value: float) -> None:
    quantile = None if text is None else parse_float(text)
    if quantile is None or not 0 <= quantile <= 1:
        raise Refused(CODE, f"quantile {shown(text)} is not from 0 to 1")
    if value < 0:
        raise Refused(CODE, f"{value:g}: the value of a quantile is 0 or more")
