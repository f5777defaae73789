"""Histogram and summary values as the series they are stored as."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from alicia.wire.floats import format_bound
from alicia.wire.rejects import Refused
from alicia.wire.values import parse_value, shown

BUCKETS_MAX: Final = 1000
_BOUND: Final = re.compile(
    r"[+-]?(?:Inf(?:inity)?|(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:e[+-]?\d{1,3})?)",
    re.ASCII | re.IGNORECASE,
)
_NOTHING_OBSERVED: Final = (None, "NaN", "nan")
# A suffix of the metric's name, the pair that tells the series apart, and the value.
Part = tuple[str, tuple[tuple[str, str], ...], float]


def histogram_parts(value: object) -> Iterator[Part]:
    """``_bucket`` per bound in ascending order, ``_sum`` where it is given, ``_count``.

    Buckets are cumulative. A missing ``+Inf`` bucket is the count, a missing count is that
    bucket; where both are given they must agree.

    Raises:
        Refused: ``bad_histogram``, ``bad_value``.
    Source: contract.md §3, metrics.md §1.
    """
    whole = _object(value, "histogram", "count, sum and buckets")
    bounds = _bounded(whole.get("buckets"), "buckets", "bad_histogram")
    top = bounds.get(math.inf)
    count = _count(whole["count"], "value.count", "bad_histogram") if "count" in whole else top
    if count is None:
        raise Refused("bad_histogram", "value: has neither a count nor a +Inf bucket; send one")
    if top is not None and top != count:
        raise Refused("bad_histogram", f"value.count: {count:g} is not the +Inf bucket ({top:g})")
    bounds[math.inf] = count
    previous = 0.0
    for bound in sorted(bounds):
        if bounds[bound] < previous:
            raise Refused(
                "bad_histogram",
                f"value.buckets: {format_bound(bound)} counts less than the bucket before it;"
                " buckets are cumulative",
            )
        previous = bounds[bound]
    for bound in sorted(bounds):
        yield "_bucket", (("le", format_bound(bound)),), bounds[bound]
    if "sum" in whole:
        yield "_sum", (), parse_value(whole["sum"], field="value.sum")
    yield "_count", (), count


def summary_parts(value: object) -> Iterator[Part]:
    """One series per quantile, ``_sum`` where it is given, ``_count``.

    A quantile of nothing, which clients write as NaN or null, gives no series.

    Raises:
        Refused: ``bad_summary``, ``bad_value``.
    Source: contract.md §3, metrics.md §1.
    """
    whole = _object(value, "summary", "count, sum and quantiles")
    quantiles = _bounded(whole.get("quantiles"), "quantiles", "bad_summary")
    if "count" not in whole:
        raise Refused("bad_summary", "value.count: is missing; send the number of observations")
    for quantile in sorted(quantiles):
        if not 0 <= quantile <= 1:
            raise Refused("bad_summary", f"value.quantiles: {quantile:g} is not from 0 to 1")
        yield "", (("quantile", format_bound(quantile)),), quantiles[quantile]
    if "sum" in whole:
        yield "_sum", (), parse_value(whole["sum"], field="value.sum")
    yield "_count", (), _count(whole["count"], "value.count", "bad_summary")


def _object(value: object, what: str, keys: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Refused(f"bad_{what}", f"value: {shown(value)} is no {what}; send {keys}")
    return value


def _bounded(raw: object, field: str, code: str) -> dict[float, float]:
    if not isinstance(raw, dict | None):
        raise Refused(code, f"value.{field}: {shown(raw)} is not an object")
    found: dict[float, float] = {}
    if raw is not None and len(raw) > BUCKETS_MAX:
        raise Refused(code, f"value.{field}: {len(raw)} are more than {BUCKETS_MAX}; send fewer")
    for text, value in (raw or {}).items():
        bound = _bound(text)
        if math.isnan(bound) or bound in found:
            raise Refused(code, f"value.{field}: {shown(text)} is no number, or there twice")
        where = f"value.{field}.{text[:32]}"
        if code == "bad_histogram":
            found[bound] = _count(value, where, code)
        elif value not in _NOTHING_OBSERVED:
            found[bound] = parse_value(value, field=where)
    return found


def _bound(text: str) -> float:
    if not _BOUND.fullmatch(text):
        return math.nan
    return float(text) + 0.0  # -0.0 and 0.0 are one bound


def _count(raw: object, field: str, code: str) -> float:
    count = parse_value(raw, field=field)
    if count < 0:
        raise Refused(code, f"{field}: {count:g} is negative; counts only grow")
    if count != int(count):
        raise Refused(code, f"{field}: {count:g} is not whole; it counts observations")
    return count
