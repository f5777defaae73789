"""Metrics as text: Prometheus 0.0.4 and OpenMetrics 1.0.0, and which of them a reader wants."""

from collections.abc import Collection, Iterable, Iterator
from enum import Enum
from typing import Final

from alicia.series.kinds import MetricType
from alicia.series.labels import escape
from alicia.wire.families import Family, Line, is_legacy_name
from alicia.wire.floats import format_float
from alicia.wire.openmetrics_rules import TYPES, fits


class Format(Enum):
    """What ``GET /metrics`` can answer; values are those of ``?format=``."""

    JSON = "json"
    TEXT = "prometheus"
    OPENMETRICS = "openmetrics"


CONTENT_TYPES: Final = {
    Format.TEXT: "text/plain; version=0.0.4; charset=utf-8",
    Format.OPENMETRICS: "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
END: Final = b"# EOF\n"
ALLOW_UTF8: Final = "allow-utf-8"
_CLAIMED_PARTS: Final = ("_bucket", "_count", "_sum", "_created")
_VERSIONS: Final = {
    "text/plain": (Format.TEXT, ("", "0.0.4")),
    "application/openmetrics-text": (Format.OPENMETRICS, ("", "0.0.1", "1.0.0")),
    "application/json": (Format.JSON, ("",)),
}


def choose_format(accept: str) -> tuple[Format, bool]:
    """The wanted format, and whether names may be quoted UTF-8.

    JSON unless text or OpenMetrics is named; between those the q-values decide, then the order.
    A named type in a version that we do not write falls back to 0.0.4.

    Source: metrics.md §10.
    """
    best: tuple[float, Format, bool] = (0.0, Format.JSON, False)
    named_text = False
    for part in accept.lower().split(","):
        media, *raw = (piece.strip() for piece in part.split(";"))
        if media not in _VERSIONS:
            continue
        parameters = dict(piece.split("=", 1) for piece in raw if "=" in piece)
        kind, versions = _VERSIONS[media]
        quality = _quality(parameters.get("q", "1"))
        named_text = named_text or (kind is not Format.JSON and quality > 0)
        if quality > best[0] and parameters.get("version", "").strip('"') in versions:
            best = (quality, kind, parameters.get("escaping") == ALLOW_UTF8)
    if best[0] == 0 and named_text:
        return Format.TEXT, False
    return best[1], best[2]


def content_type(kind: Format, *, utf8_names: bool) -> str:
    """The header of a text answer."""
    return CONTENT_TYPES[kind] + (f"; escaping={ALLOW_UTF8}" if utf8_names else "")


def render(families: Iterable[Family], kind: Format, *, taken: Collection[str]) -> bytes:
    """Some families in one of the two text formats, without timestamps.

    ``taken`` are the names of all families of the whole text. Texts may be joined; OpenMetrics
    then ends with END.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/, OpenMetrics 1.0.0.
    """
    assert kind is not Format.JSON, "JSON is no exposition"
    out: list[str] = []
    for family in families:
        parts = (family,) if kind is Format.TEXT else _openmetrics_parts(family, taken)
        for part in parts:
            out += _text_head(part) if kind is Format.TEXT else _openmetrics_head(part)
            out += map(_line, part.lines)
    return "".join(out).encode()


def _text_head(family: Family) -> Iterator[str]:
    name = _quoted(family.name)
    kind = "untyped" if family.type is MetricType.UNKNOWN else family.type
    yield f"# HELP {name} {_help(family)}\n# TYPE {name} {kind}\n"


def _openmetrics_parts(family: Family, taken: Collection[str]) -> Iterator[Family]:
    """The family itself, or one of unknown type for each name in it.

    A reader refuses the whole text for a counter that has no ``_total``, whose short name is
    another family's, or whose values no counter has; or for a histogram without a sum.
    """
    name = _openmetrics_name(family)
    lines = ((line.name, line.pairs, line.value) for line in family.lines)
    named_well = family.type is not MetricType.COUNTER or _free(name, family.name, taken)
    if named_well and fits(name, TYPES[family.type], lines):
        yield family
        return
    apart: dict[str, list[Line]] = {}
    for line in family.lines:
        apart.setdefault(line.name, []).append(line)
    for each, of_name in apart.items():
        yield Family(each, MetricType.UNKNOWN, _help_text(family), "", tuple(of_name))


def _free(name: str, long_name: str, taken: Collection[str]) -> bool:
    """Whether a counter may go by its short name: no other family claims that or what it claims."""
    if name == long_name or name in taken or f"{name}_created" in taken:
        return False
    bases = [name.removesuffix(part) for part in _CLAIMED_PARTS if name.endswith(part)]
    bases += [f"{base}_total" for base in bases if name == f"{base}_created"]  # other counters
    return not any(base in taken for base in bases)


def _openmetrics_name(family: Family) -> str:
    """A counter's family lacks the ``_total`` of its samples."""
    counts = family.type is MetricType.COUNTER
    return family.name.removesuffix("_total") if counts else family.name


def _openmetrics_head(family: Family) -> Iterator[str]:
    name = _openmetrics_name(family)
    yield f"# TYPE {_quoted(name)} {family.type}\n"
    if family.unit and name.endswith(f"_{family.unit}") and is_legacy_name(f"_{family.unit}"):
        yield f"# UNIT {_quoted(name)} {family.unit}\n"
    yield f"# HELP {_quoted(name)} {escape(_help_text(family))}\n"


def _line(line: Line) -> str:
    inner = [f'{_label(label)}="{escape(value)}"' for label, value in line.pairs]
    if is_legacy_name(line.name):
        labels = "{" + ",".join(inner) + "}" if inner else ""
        return f"{line.name}{labels} {format_float(line.value)}\n"
    return "{" + ",".join([_quoted(line.name), *inner]) + f"}} {format_float(line.value)}\n"


def _quoted(name: str) -> str:
    return name if is_legacy_name(name) else f'"{escape(name)}"'


def _label(name: str) -> str:
    return _quoted(name) if ":" not in name else f'"{escape(name)}"'


def _help(family: Family) -> str:
    return _help_text(family).replace("\\", "\\\\").replace("\n", "\\n")


def _help_text(family: Family) -> str:
    return family.help or f"{family.name}, as its services report it."


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
