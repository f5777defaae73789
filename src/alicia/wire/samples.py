"""Metric bodies of ``POST /metrics`` and ``metrics/collect``, as samples and rejects."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from alicia.series.kinds import MetricType, usual_type
from alicia.series.labels import SERVICE, LabelSet
from alicia.series.samples import Metadata, SampleList
from alicia.wire.buckets import Part, histogram_parts, summary_parts
from alicia.wire.names import UNKNOWN_SERVICE, SeriesNames
from alicia.wire.rejects import Refused, Reject
from alicia.wire.values import parse_stamp, parse_value, shown, unskewed

_TYPES: Final[Mapping[object, MetricType]] = {
    "counter": MetricType.COUNTER,
    "gauge": MetricType.GAUGE,
    "histogram": MetricType.HISTOGRAM,
    "summary": MetricType.SUMMARY,
    "unknown": MetricType.UNKNOWN,
    "untyped": MetricType.UNKNOWN,
}
_COMPOUND: Final[Mapping[MetricType | None, tuple[Callable[[object], Iterable[Part]], str]]] = {
    MetricType.HISTOGRAM: (histogram_parts, "le"),
    MetricType.SUMMARY: (summary_parts, "quantile"),
}
_PLAIN_KEYS: Final = frozenset({"name", "value", "labels"})  # of nearly all metrics no others
_EXACT_MAX: Final = 2**53  # every integer up to it is a double
_HELP_CHARS_MAX: Final = 1024
# One of them tells a body from any other object.
_BODY_KEYS: Final = frozenset({"metrics", "name", "value"})


class Decoded(NamedTuple):
    """What one body holds; a NamedTuple, since one is built for every message.

    ``indexes[i]`` is the place in the body of the metric that ``samples[i]`` comes from;
    a histogram gives many samples. ``senders`` are the services that the samples are of, each
    with its instance. ``size`` is the number of metrics in the body, ``skewed``
    the services whose clock was plainly wrong, by how many seconds (positive: ahead).
    """

    samples: SampleList
    indexes: Sequence[int]
    metadata: Mapping[tuple[str, str], Metadata]  # by service and metric
    rejects: Sequence[Reject]
    senders: frozenset[tuple[str, str]]
    skewed: Mapping[str, float]
    size: int

    @property
    def services(self) -> frozenset[str]:
        """The services that the samples are of."""
        return frozenset(service for service, _ in self.senders)


def decode_metrics(
    value: object,
    *,
    received_ms: int,
    default_service: str = "",
    default_instance: str = "",
    names: SeriesNames | None = None,
    mend_clocks: bool = False,
    forced_service: str = "",
) -> Decoded:
    """Read one metric, a list of metrics, or ``{service_name, instance_id, metrics}``.

    Never raises: a bad metric is a reject and its neighbours are kept. The defaults fill what
    the body leaves open; ``forced_service`` replaces what it says, for callers that may speak for
    one service only. With ``mend_clocks`` (the bus) a plainly wrong time becomes that of
    receipt; without (HTTP) the store judges it, since the caller reads the answer. ``names``
    is kept by the caller from body to body.

    Source: contract.md §3, bus.md §5 T1-T4.
    """
    body = MetricBody(
        value,
        received_ms=received_ms,
        default_service=default_service,
        default_instance=default_instance,
        names=names,
        mend_clocks=mend_clocks,
        forced_service=forced_service,
    )
    return body.read(0)


class MetricBody:
    """A metric body that can be read in parts, so that a large one keeps nobody waiting.

    The arguments are those of decode_metrics(); ``size`` is the number of metrics.
    """

    def __init__(
        self,
        value: object,
        *,
        received_ms: int,
        default_service: str = "",
        default_instance: str = "",
        names: SeriesNames | None = None,
        mend_clocks: bool = False,
        forced_service: str = "",
    ) -> None:
        self._received_ms = received_ms
        self._names = names or SeriesNames()
        self._mend_clocks = mend_clocks
        self._forced_service = forced_service
        self._service = UNKNOWN_SERVICE
        self._instance = ""
        self._stamp: object = None
        self._fault: Refused | None = None
        try:
            self._metrics = self._body(value, default_service, default_instance)
        except Refused as refused:
            self._metrics, self._fault = (), refused
        self.size = len(self._metrics)

    def read(self, start: int, *, parts_max: int | None = None) -> Decoded:
        """The metrics from place ``start``; a fault of the whole body is told at 0.

        ``size`` of the answer says how many metrics were read: fewer than there are where more
        than ``parts_max`` samples and rejects came of them.
        """
        self._forget()
        if self._fault is not None and start == 0:
            self._rejects.append(self._fault.at(0))
        index = start
        while index < self.size:
            parts = len(self._samples) + len(self._rejects)
            if parts_max is not None and parts >= parts_max:
                break
            end = self.size if parts_max is None else min(self.size, index + parts_max - parts)
            index = self._plain_metrics(index, end)
            if index == end:
                continue
            try:
                self._metric(index, self._metrics[index])
            except Refused as refused:
                self._rejects.append(refused.at(index))
            index += 1
        return Decoded(
            self._samples,
            self._indexes,
            self._metadata,
            self._rejects,
            frozenset(self._senders),
            self._skewed,
            index - start,
        )

    def _forget(self) -> None:
        self._samples = SampleList()
        self._indexes: list[int] = []
        self._metadata: dict[tuple[str, str], Metadata] = {}
        self._senders: set[tuple[str, str]] = set()
        self._skewed: dict[str, float] = {}
        self._rejects: list[Reject] = []

    def _body(self, value: object, service: str, instance: str) -> Sequence[object]:
        """The metrics of a body; what it says of its sender becomes their default."""
        named = value.get("service_name") if isinstance(value, dict) else None
        if named is not None or service:  # the body's own word before the envelope's
            self._service = self._names.service(service if named is None else named)
        self._instance = instance
        if isinstance(value, list):
            return value
        if not isinstance(value, dict) or _BODY_KEYS.isdisjoint(value):
            raise Refused(
                "bad_body",
                f"the body is {shown(value)}; send a metric, a list of metrics,"
                ' or {"service_name": …, "metrics": […]}',
            )
        if "metrics" not in value:
            return (value,)
        if value.get("instance_id") is not None:
            self._instance = self._names.instance(value["instance_id"])
        self._stamp = value.get("timestamp")
        return _listed(value["metrics"])

    def _plain_metrics(self, start: int, end: int) -> int:
        """As _metric(), for a run of metrics that say nothing unusual; where the run ends.

        Not a word is read twice here, since bodies are made of these.
        """
        if self._service == UNKNOWN_SERVICE:
            return start  # their labels may say whose they are
        samples, series_of, metrics = self._samples, self._names.series, self._metrics
        labels, values = samples.labels, samples.values
        index = start
        try:
            service, instance = self._sender(None, None)
            t_ms = parse_stamp(self._stamp, received_ms=self._received_ms)
            for index in range(start, end):
                raw = metrics[index]
                if type(raw) is not dict or not _PLAIN_KEYS.issuperset(raw):
                    break
                value: Any = raw.get("value")
                if type(value) is float:
                    if not math.isfinite(value):
                        break
                elif type(value) is not int or not -_EXACT_MAX <= value <= _EXACT_MAX:
                    break
                series = series_of(service, instance, raw.get("name"), raw.get("labels"))
                labels.append(series)
                values.append(float(value))
            else:
                index = end
        except Refused:
            pass  # _metric() says why
        if index > start:
            samples.t_ms += [self._mended(t_ms, service)] * (index - start)
            self._indexes += range(start, index)
            self._senders.add((service, instance))
        return index

    def _metric(self, index: int, raw: object) -> None:
        """Read one metric into samples; on a fault none of them is kept."""
        if not isinstance(raw, dict):
            raise Refused("bad_metric", f"{shown(raw)} is no metric; send an object")
        get = raw.get
        labels = get("labels")
        named = get("service_name")
        if named is None and self._service == UNKNOWN_SERVICE and isinstance(labels, dict):
            named = labels.get(SERVICE)
        service, instance = self._sender(named, get("instance_id"))
        kind = self._kind(get("metric_type") or get("type"), get("value"))
        t_ms = parse_stamp(get("timestamp", self._stamp), received_ms=self._received_ms)
        t_ms = self._mended(t_ms, service)
        series = self._names.series(service, instance, get("name"), labels)
        if kind in _COMPOUND:
            found = self._parts(series, kind, get("value"))
        else:
            found = [(series, parse_value(get("value"), field="value"))]
        self._samples.labels += [labels for labels, _ in found]
        self._samples.values += [value for _, value in found]
        self._samples.t_ms += [t_ms] * len(found)
        self._indexes += [index] * len(found)
        self._senders.add((service, instance))
        if kind is not None or "unit" in raw or "help" in raw:
            self._describe(service, series.name, kind, raw)

    def _sender(self, service: object, instance: object) -> tuple[str, str]:
        if self._forced_service:
            service = self._forced_service
        named = self._service if service is None else self._names.service(service)
        if instance is not None:
            return named, self._names.instance(instance)
        # The body's instance is one of the body's service, not of a service named by a metric.
        return named, (self._instance if named == self._service else "") or named

    def _kind(self, given: object, value: object) -> MetricType | None:
        if given is None:
            if isinstance(value, dict):
                return MetricType.SUMMARY if "quantiles" in value else MetricType.HISTOGRAM
            return None
        kind = _TYPES.get(given.lower() if isinstance(given, str) else None)
        if kind is None:
            raise Refused(
                "bad_type",
                f"metric_type: {shown(given)} is unknown;"
                " send counter, gauge, histogram or summary",
            )
        return kind

    def _mended(self, t_ms: int, service: str) -> int:
        if not self._mend_clocks:
            return t_ms
        mended = unskewed(t_ms, received_ms=self._received_ms)
        if mended != t_ms:
            self._skewed[service] = (t_ms - self._received_ms) / 1000
        return mended

    def _parts(
        self, whole: LabelSet, kind: MetricType | None, value: object
    ) -> list[tuple[LabelSet, float]]:
        read, reserved = _COMPOUND[kind]
        if reserved in whole:
            raise Refused("bad_label", f"labels.{reserved}: is ours for a {kind}; rename it")
        return [
            (self._names.part(whole, suffix, pairs), number)
            for suffix, pairs, number in read(value)
        ]

    def _describe(
        self, service: str, name: str, kind: MetricType | None, raw: Mapping[str, object]
    ) -> None:
        unit, text = raw.get("unit"), raw.get("help")
        self._metadata[service, name] = Metadata(
            kind or usual_type(name),
            unit[:64] if isinstance(unit, str) else "",
            text[:_HELP_CHARS_MAX] if isinstance(text, str) else "",
        )


def _listed(metrics: object) -> Sequence[object]:
    if isinstance(metrics, list):
        return metrics
    if isinstance(metrics, dict):  # one metric, or a mapping of names to values
        if "name" in metrics:
            return (metrics,)
        return [{"name": name, "value": value} for name, value in metrics.items()]
    raise Refused("bad_body", f"metrics: {shown(metrics)} is not a list of metrics")
