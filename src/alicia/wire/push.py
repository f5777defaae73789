"""Pushed groups: which series a request's address groups, and what a push makes of them."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, NamedTuple
from urllib.parse import unquote

from alicia.series.labels import NAME, SERVICE, LabelSet
from alicia.series.samples import Sample
from alicia.wire.json import Undecodable
from alicia.wire.names import check_labels
from alicia.wire.read_exposition import BadExposition, Row
from alicia.wire.read_series import Pairs
from alicia.wire.rejects import Refused
from alicia.wire.values import shown

JOB: Final = "job"
PUSH_TIME: Final = "push_time_seconds"
_BASE64: Final = "@base64"
_BASE64_SIGNS: Final = b"-_"


class BadGrouping(Undecodable):
    """The address of a push names no group."""

    code: ClassVar[str] = "bad_grouping"


# Stored as MessagePack, so a new field needs a default.
@dataclass(frozen=True, slots=True)
class PushedSeries:
    """One series of a group; ``metric`` is what a push replaces it by.

    ``value`` is None where it came with a timestamp: then it is of that instant alone.
    """

    labels: LabelSet
    metric: str
    value: float | None


@dataclass(frozen=True, slots=True)
class PushGroup:
    """What was pushed under one set of grouping labels, and when last."""

    grouping: Pairs
    pushed_ms: int
    series: tuple[PushedSeries, ...]


class PushPlan(NamedTuple):
    """What a push makes of a group, what is written for it, and which series end by it."""

    group: PushGroup
    samples: Sequence[Sample]  # of the pushed rows, then PUSH_TIME
    ended: Sequence[PushedSeries]

    def after(self, stored: Iterable[bool]) -> PushGroup:
        """The group that holds none of the series of which nothing is stored.

        ``stored`` says for each of ``samples`` whether there is a sample of that time now.
        """
        told = list(zip(self.samples, stored, strict=True))
        lost = {sample.labels for sample, _ in told} - {
            sample.labels for sample, is_in in told if is_in
        }
        series = tuple(series for series in self.group.series if series.labels not in lost)
        return replace(self.group, series=series)


def parse_grouping(path: str, *, forced_service: str = "") -> Pairs:
    """The labels in ``job/{job}[/{label}/{value}]*``, sorted; percent-encoded, as it was sent.

    The value behind ``{label}@base64`` is base64 with ``-`` and ``_``, so that it may hold a
    slash or, as ``=``, nothing. An empty value keeps the label out of all series of the group.
    ``forced_service`` is one more label, whatever the address says of it.

    Raises:
        BadGrouping: it is no such address.
    Source: Pushgateway 1.11, README, "URL".
    """
    segments = path.split("/")
    if len(segments) % 2:
        raise BadGrouping("the address ends with a label that has no value; send /label/value")
    labels: dict[str, str] = {}
    for label, value in zip(segments[::2], segments[1::2], strict=True):
        name, decoded = _decoded(unquote(label), value)
        if name in labels:
            raise BadGrouping(f"label {shown(name)} stands twice in the address; send it once")
        labels[name] = decoded
    if not labels.get(JOB):
        raise BadGrouping("the address has no job; send /metrics/job/{job}")
    if forced_service:
        labels[SERVICE] = forced_service
    return tuple(sorted(labels.items()))


def plan_push(
    old: PushGroup | None,
    grouping: Pairs,
    rows: Iterable[Row],
    *,
    whole: bool,
    now_ms: int,
) -> PushPlan:
    """The group after a push of the ``whole`` of it, or of some metrics, where the others stay.

    A series may come several times where all its samples have timestamps. PUSH_TIME is ours.

    Raises:
        BadExposition: without timestamps a series is there twice.
    """
    pushed: dict[LabelSet, PushedSeries] = {}
    samples: list[Sample] = []
    for row in rows:
        if row.labels.name == PUSH_TIME:
            continue
        before = pushed.get(row.labels)
        if before is not None and (row.t_ms is None or before.value is not None):
            raise BadExposition(
                f"series {shown(str(row.labels))} is there twice once it has the labels of the"
                " address; send it once"
            )
        value = row.value if row.t_ms is None else None
        pushed[row.labels] = PushedSeries(row.labels, row.metric, value)
        samples.append(Sample(row.labels, now_ms if row.t_ms is None else row.t_ms, row.value))
    clock = LabelSet((*grouping, (NAME, PUSH_TIME)))
    pushed[clock] = PushedSeries(clock, PUSH_TIME, now_ms / 1000)
    samples.append(Sample(clock, now_ms, now_ms / 1000))
    kept: Sequence[PushedSeries] = ()
    if old is not None and not whole:
        metrics = {series.metric for series in pushed.values()}
        kept = [s for s in old.series if s.metric not in metrics and s.labels not in pushed]
    group = PushGroup(grouping, now_ms, (*kept, *pushed.values()))
    held = {series.labels for series in group.series}
    ended = [s for s in old.series if s.labels not in held] if old is not None else ()
    return PushPlan(group, samples, ended)


def _decoded(name: str, value: str) -> tuple[str, str]:
    coded = name.endswith(_BASE64)
    if coded:
        name = name.removesuffix(_BASE64)
    text = _from_base64(value) if coded else unquote(value)
    if not text and not coded:
        raise BadGrouping(f"label {shown(name)} has no value; send {name[:64]}{_BASE64}/= for none")
    try:
        check_labels({name: text})
    except Refused as refused:
        raise BadGrouping(f"address: {refused.detail}") from None
    if name.startswith("__"):
        raise BadGrouping(f"label {shown(name)}: names with __ in front are ours; rename it")
    return name, text


def _from_base64(value: str) -> str:
    digits = unquote(value).rstrip("=")
    try:
        padded = digits + "=" * (-len(digits) % 4)
        return base64.b64decode(padded, altchars=_BASE64_SIGNS, validate=True).decode()
    except (binascii.Error, ValueError):
        raise BadGrouping(
            f"{shown(value)} is no base64 of UTF-8; use the alphabet with - and _"
        ) from None
