"""Write requests against the series that live: a known series costs one look-up of its bytes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import numpy as np

from alicia.series.kinds import MetricType
from alicia.series.labels import INSTANCE, SERVICE, LabelSet, service_of
from alicia.tsdb.catalog import doubled
from alicia.tsdb.head import Head
from alicia.tsdb.identity import encode_labels
from alicia.tsdb.kernels import head as k
from alicia.tsdb.kernels.bits import Words
from alicia.tsdb.kernels.head import Codes
from alicia.tsdb.kernels.keys import GONE
from alicia.tsdb.kernels.protobuf import SAMPLES_END, SCATTERED
from alicia.tsdb.metadata import COMPOUND_SUFFIXES
from alicia.tsdb.request import BadLabels, WriteRequest
from alicia.tsdb.rows import Rows
from alicia.tsdb.series_table import SeriesTable
from alicia.tsdb.verdict import BY_CODE, Verdict

REFUSALS_LISTED: Final = 10  # of one request; all are counted
_SPELLING_BYTES_MAX: Final = 256  # that a spelling may be longer than the series' own key
_SHOWN_CHARS: Final = 200
_SENDERS_MIN: Final = 1024

Sender = tuple[str, str]  # service and instance


class Refusal(NamedTuple):
    """One series of a request of which samples were refused.

    ``row`` is its place in the body. ``series`` is empty, and ``detail`` says why, where the
    labels cannot be read.
    """

    row: int
    code: str
    series: str
    detail: str = ""


class RequestOutcome(NamedTuple):
    """What became of the samples of a request.

    ``refused`` counts samples by code; ``first`` names the first REFUSALS_LISTED series.
    """

    stored: int
    repeated: int
    refused: Mapping[str, int]
    first: Sequence[Refusal]
    senders: Sequence[Sender]


class Resolved(NamedTuple):
    """A request as rows; ``refs`` are the series, ``faults`` those that cannot be stored."""

    rows: Rows
    refs: Words
    faults: Mapping[int, Refusal]


class RequestWriter:
    """From label bytes to series. Belongs to the store's thread, which holds the guard."""

    def __init__(self, table: SeriesTable, head: Head) -> None:
        self._table = table
        self._head = head
        self._senders = _Senders(table, head)

    def resolve(
        self, request: WriteRequest, *, received_ms: int, bounds: tuple[int, int]
    ) -> Resolved:
        """Find the series of a request and begin those that are new.

        ``bounds``: oldest and newest time that are taken; a series without a sample between
        them does not begin.
        """
        refs: Words = np.empty(len(request.series), np.int64)
        faults: dict[int, Refusal] = {}
        if self._table.catalog.find_all(request.data, request.spans, refs):
            floor_ms, ceiling_ms = bounds
            taken = (request.t_ms >= floor_ms) & (request.t_ms <= ceiling_ms)
            for row in np.flatnonzero(refs == GONE).tolist():
                may_begin = bool(taken[request.samples_of(row)].any())
                found = self._find_or_begin(request, row, received_ms if may_begin else None)
                if isinstance(found, Refusal):
                    faults[row] = found
                else:
                    refs[row] = found
        rows = Rows(np.repeat(refs, request.counts), request.t_ms, request.values)
        return Resolved(rows, refs, faults)

    def _find_or_begin(
        self, request: WriteRequest, row: int, begin_ms: int | None
    ) -> int | Refusal:
        """The reference of a series; GONE where it is not there and may not begin now."""
        catalog, key = self._table.catalog, request.key(row)
        ref = catalog.find_key(key)  # it may have begun a few rows before
        if ref >= 0:
            return ref
        try:
            labels = request.label_set(row)
        except BadLabels as bad:
            return Refusal(request.before + row, bad.code, "", bad.detail)
        own_key = encode_labels(labels)
        ref = catalog.find_key(own_key)
        if ref < 0:
            if begin_ms is None:
                return GONE
            begun = self._table.begin(labels, now_ms=begin_ms)
            if isinstance(begun, Verdict):
                return Refusal(request.before + row, begun, _shown(labels))
            ref = begun
        longer_bytes = len(key) - len(own_key)
        spelled = key != own_key and not request.series[row, SCATTERED]
        if spelled and longer_bytes <= _SPELLING_BYTES_MAX:
            catalog.add_spelling(key, ref)
        return ref

    def outcome(self, request: WriteRequest, resolved: Resolved, codes: Codes) -> RequestOutcome:
        """What became of a request whose samples got these codes."""
        counts = np.bincount(codes, minlength=k.SKIPPED + 1)
        stored, repeated = int(counts[: k.LAST_STORED + 1].sum()), int(counts[k.REPEAT])
        refused: Counter[str] = Counter()
        first: list[Refusal] = []
        if stored + repeated < len(codes):
            for code in (k.DUPLICATE, k.TOO_OLD, k.TOO_FAR_AHEAD):
                refused[BY_CODE[code]] = int(counts[code])
            for row, fault in resolved.faults.items():
                refused[fault.code] += int((codes[request.samples_of(row)] == k.SKIPPED).sum())
            first = self._first_refused(request, resolved, codes)
        return RequestOutcome(stored, repeated, +refused, first, self._senders.of(resolved.refs))

    def describe(self, request: WriteRequest, resolved: Resolved) -> None:
        """Keep what a request says of metrics; before outcome().

        2.0 says it with every sample; it is read when this process meets a series first.
        """
        for metric, metadata in request.metadata.items():
            self._table.metadata.describe(request.service, metric, metadata)
        if request.notes is None:
            return
        for row in self._senders.unseen(resolved.refs).tolist():
            note = request.notes.of(row)
            if note is not None:
                labels = self._table.catalog.labels(int(resolved.refs[row]))
                self._table.metadata.describe(
                    labels.get(SERVICE, ""), family_name(labels.name, note.type), note
                )

    def _first_refused(
        self, request: WriteRequest, resolved: Resolved, codes: Codes
    ) -> list[Refusal]:
        found: dict[int, Refusal] = {}
        ends = request.series[:, SAMPLES_END]
        places = np.flatnonzero(codes > k.REPEAT)
        rows = np.searchsorted(ends, places, side="right")
        for place, row in zip(places.tolist(), rows.tolist(), strict=True):
            if len(found) == REFUSALS_LISTED:
                break
            if row not in found:
                found[row] = self._refusal(request, resolved, row, int(codes[place]))
        return list(found.values())

    def _refusal(self, request: WriteRequest, resolved: Resolved, row: int, code: int) -> Refusal:
        if code == k.SKIPPED:
            return resolved.faults[row]
        ref, shown = int(resolved.refs[row]), ""
        if ref != GONE:
            shown = _shown(self._table.catalog.labels(ref))
        else:
            with suppress(BadLabels):
                shown = _shown(request.label_set(row))
        return Refusal(request.before + row, BY_CODE[code], shown)


class _Senders:
    """Service and instance of each series, computed once in its life.

    ``numbers`` tell whether a reference still means the series that was looked at.
    """

    def __init__(self, table: SeriesTable, head: Head) -> None:
        self._table = table
        self._head = head
        self._known: list[Sender] = []
        self._places: dict[Sender, int] = {}
        self._ids: Words = np.zeros(_SENDERS_MIN, np.int64)
        self._numbers: Words = np.zeros(_SENDERS_MIN, np.int64)

    def of(self, refs: Words) -> list[Sender]:
        """The senders of these series, each once; GONE ones have none."""
        if len(self._known) > 2 * self._table.catalog.references + _SENDERS_MIN:
            self._forget()
        for row in self.unseen(refs).tolist():
            self._note(int(refs[row]))
        ids = self._ids[refs[refs != GONE]]
        turns = ids[np.flatnonzero(ids[1:] != ids[:-1])]  # series of one sender stand together
        return [self._known[i] for i in {*turns.tolist(), *ids[-1:].tolist()}]

    def unseen(self, refs: Words) -> Words:
        """The rows of series that of() has not met yet."""
        while self._table.catalog.references > len(self._ids):
            self._ids, self._numbers = doubled(self._ids), doubled(self._numbers)
        rows: Words = np.flatnonzero(
            (refs != GONE) & (self._numbers[refs] != self._head.numbers(refs))
        )
        return rows

    def _note(self, ref: int) -> None:
        labels = self._table.catalog.labels(ref)
        sender = service_of(labels), labels.get(INSTANCE, "")
        if sender not in self._places:
            self._places[sender] = len(self._known)
            self._known.append(sender)
        self._ids[ref] = self._places[sender]
        self._numbers[ref] = self._head.numbers(np.array([ref]))[0]

    def _forget(self) -> None:
        """Begin anew: most of what is known is of series that ended."""
        self._known.clear()
        self._places.clear()
        self._numbers[:] = 0


def family_name(series_name: str, kind: MetricType) -> str:
    """The metric that a series of this type belongs to: ``x`` for ``x_bucket``."""
    if kind in (MetricType.HISTOGRAM, MetricType.SUMMARY):
        for suffix in COMPOUND_SUFFIXES:
            if series_name.endswith(suffix):
                return series_name.removesuffix(suffix)
    return series_name


def _shown(labels: LabelSet) -> str:
    return str(labels)[:_SHOWN_CHARS]
