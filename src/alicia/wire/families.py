"""Samples in groups of one metric each, as the exposition formats want them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from alicia.series.kinds import MetricType
from alicia.series.labels import NAME, LabelSet
from alicia.series.samples import Metadata, Sample

FamilyOf = Callable[[LabelSet], tuple[str, Metadata]]
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


def group_families(
    samples: Iterable[Sample], family_of: FamilyOf, *, legacy_names: bool
) -> list[Family]:
    """The families of some samples, sorted by name.

    ``legacy_names`` turns characters outside ``[a-zA-Z0-9_:]`` into underscores; of series that
    become equal by that, the first stays. Services that disagree on a metric's type make it
    unknown, since a family has one type.

    Source: metrics.md §10.
    """
    whole: dict[str, list[tuple[Sample, Metadata]]] = {}
    for sample in samples:
        name, metadata = family_of(sample.labels)
        whole.setdefault(legacy_name(name) if legacy_names else name, []).append((sample, metadata))
    for name in [name for name, members in whole.items() if _disagree(members)]:
        for sample, metadata in whole.pop(name):
            own = legacy_name(sample.labels.name) if legacy_names else sample.labels.name
            unknown = Metadata(MetricType.UNKNOWN, help=metadata.help)
            whole.setdefault(own, []).append((sample, unknown))
    return [_family(name, whole[name], legacy_names) for name in sorted(whole)]


def legacy_name(name: str) -> str:
    """A metric's name in the characters that every reader knows."""
    if _LEGACY_NAME.fullmatch(name):
        return name
    changed = _NOT_IN_NAME.sub("_", name)
    return f"_{changed[1:]}" if changed[:1].isdigit() else changed


def is_legacy_name(name: str) -> bool:
    """Whether a name may stand outside quotes."""
    return bool(_LEGACY_NAME.fullmatch(name))


def _disagree(members: Iterable[tuple[Sample, Metadata]]) -> bool:
    return len({metadata.type for _, metadata in members}) > 1


def _family(name: str, members: list[tuple[Sample, Metadata]], legacy_names: bool) -> Family:
    types = {metadata.type for _, metadata in members}
    kind = types.pop() if len(types) == 1 else MetricType.UNKNOWN
    first = next((data for _, data in members if data.help or data.unit), members[0][1])
    lines: dict[tuple[str, tuple[tuple[str, str], ...]], Line] = {}
    for sample, _ in members:
        line = _line(sample, legacy_names)
        lines.setdefault((line.name, line.pairs), line)
    ordered = tuple(sorted(lines.values(), key=lambda line: _position(line, name)))
    return Family(name, kind, first.help, first.unit, ordered)


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
