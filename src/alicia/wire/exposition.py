"""Metrics as text: Prometheus 0.0.4 and OpenMetrics 1.0.0, and which of them a reader wants."""

from collections.abc import Collection, Iterable, Iterator
from enum import Enum
from typing import Final

from alicia.series.kinds import MetricType
from alicia.series.labels import escape
from alicia.wire.families import Family, Line, is_legacy_name
from alicia.wire.floats import format_float


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
        out += _text_head(family) if kind is Format.TEXT else _openmetrics_head(family, taken)
        out += map(_line, family.lines)
    return "".join(out).encode()


def _text_head(family: Family) -> Iterator[str]:
    name = _quoted(family.name)
    kind = "untyped" if family.type is MetricType.UNKNOWN else family.type
    yield f"# HELP {name} {_help(family)}\n# TYPE {name} {kind}\n"


def _openmetrics_head(family: Family, taken: Collection[str]) -> Iterator[str]:
    """A counter's family lacks the ``_total`` of its samples.

    A counter that never had one is shown as unknown, and so is one whose short name is another
    family's, or that was sent a value no counter has: a reader refuses the whole text for it.
    """
    name, kind = family.name, family.type
    if kind is MetricType.COUNTER:
        short = name.removesuffix("_total")
        clashes = short == name or short in taken or f"{short}_created" in taken
        if clashes or any(line.value < 0 for line in family.lines):
            kind = MetricType.UNKNOWN
        else:
            name = short
    yield f"# TYPE {_quoted(name)} {kind}\n"
    if family.unit and name.endswith(f"_{family.unit}"):
        yield f"# UNIT {_quoted(name)} {family.unit}\n"
    yield f"# HELP {_quoted(name)} {escape(_help_text(family))}\n"


def _line(line: Line) -> str:
    inner = [f'{_quoted(label)}="{escape(value)}"' for label, value in line.pairs]
    if is_legacy_name(line.name):
        labels = "{" + ",".join(inner) + "}" if inner else ""
        return f"{line.name}{labels} {format_float(line.value)}\n"
    return "{" + ",".join([_quoted(line.name), *inner]) + f"}} {format_float(line.value)}\n"


def _quoted(name: str) -> str:
    return name if is_legacy_name(name) else f'"{escape(name)}"'


def _help(family: Family) -> str:
    return _help_text(family).replace("\\", "\\\\").replace("\n", "\\n")


def _help_text(family: Family) -> str:
    return family.help or f"{family.name}, as its services report it."


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
