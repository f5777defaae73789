"""Samples in groups of one metric each, as the exposition formats want them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from alicia.series.kinds import MetricType
from alicia.series.labels import NAME
from alicia.series.samples import Sample

_LEGACY_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_NOT_IN_NAME: Final = re.compile(r"[^a-zA-Z0-9_:]", re.ASCII)
_NOT_IN_LABEL: Final = re.compile(r"[^a-zA-Z0-9_]", re.ASCII)
_ORDER: Final = {"_bucket": 0, "_sum": 1, "_count": 2}


@dataclass(frozen=True, slots=True)
class Line:
    """One line to be written: the series' name, its other labels in order, the value."""

    name: str
    pairs: tuple[tuple[str, str], ...]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """All lines of one metric; lines of one histogram stand together, bounds ascending."""

    name: str
    type: MetricType
    help: str
    unit: str
    lines: tuple[Line, ...]


def legacy_name(name: str) -> str:
    """A metric's name in the characters that every reader knows."""
    if _LEGACY_NAME.fullmatch(name):
        return name
    changed = _NOT_IN_NAME.sub("_", name)
    return f"_{changed[1:]}" if changed[:1].isdigit() else changed


def is_legacy_name(name: str) -> bool:
    """Whether a name may stand outside quotes."""
    return bool(_LEGACY_NAME.fullmatch(name))


def fill_family(
    name: str,
    kind: MetricType,
    samples: Iterable[Sample],
    *,
    text: str = "",
    unit: str = "",
    legacy_names: bool,
) -> Family:
    """The family with its lines in order; ``text`` is its help.

    Of series that ``legacy_names`` makes equal the first stays.
    """
    lines: dict[tuple[str, tuple[tuple[str, str], ...]], Line] = {}
    for sample in samples:
        line = _line(sample, legacy_names)
        lines.setdefault((line.name, line.pairs), line)
    ordered = tuple(sorted(lines.values(), key=lambda line: _position(line, name)))
    return Family(name, kind, text, unit, ordered)


def _line(sample: Sample, legacy_names: bool) -> Line:
    pairs = [pair for pair in sample.labels.pairs if pair[0] != NAME]
    if not legacy_names:
        return Line(sample.labels.name, tuple(pairs), sample.value)
    renamed: Mapping[str, str] = {_legacy_label(label): value for label, value in pairs}
    return Line(legacy_name(sample.labels.name), tuple(sorted(renamed.items())), sample.value)


def _legacy_label(label: str) -> str:
    changed = _NOT_IN_LABEL.sub("_", label)
    return f"_{changed[1:]}" if changed[:1].isdigit() else changed


def _position(line: Line, family: str) -> tuple[object, ...]:
    bound = 0.0
    rest = []
    for label, value in line.pairs:
        if label in ("le", "quantile"):
            bound = _as_float(value)
        else:
            rest.append((label, value))
    return rest, _ORDER.get(line.name[len(family) :], -1), bound, line.pairs


def _as_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
