"""Canary, rates and the ingest bound."""

import asyncio
from typing import Any

import pytest
from tests.support.inline_writer import InlineWriter

from alicia.adapters.health import Check, Condition
from alicia.base.counters import Counters
from alicia.base.limits import REJECTS_KEPT
from alicia.collector.canary import Canary
from alicia.collector.ingest import (
    QUEUED_MAX,
    REJECTS_LISTED,
    SKEWED_MAX,
    SLICE,
    Ingest,
    IngestBusy,
    Outcome,
)
from alicia.collector.rate import RateMeter
from alicia.collector.rejects import RejectLog
from alicia.series.labels import LabelSet
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Store
from alicia.wire.samples import MetricBody


def test_a_returned_summary_is_a_round_trip() -> None:
    canary = Canary()
    canary.sent("a", monotonic_ms=100)
    assert canary.seen("of another node", monotonic_ms=110) is None
    assert canary.seen("a", monotonic_ms=120) == 0.02
    assert canary.seen("a", monotonic_ms=130) is None
    assert canary.check() == Check(Condition.HEALTHY, "round trip 20.0 ms")


def test_two_lost_summaries_degrade() -> None:
    canary = Canary()
    for name in "abc":
        assert canary.check().condition is Condition.HEALTHY
        canary.sent(name, monotonic_ms=0)
    assert canary.check().condition is Condition.DEGRADED
    canary.seen("c", monotonic_ms=5)
    assert canary.check().condition is Condition.HEALTHY


def test_a_lost_connection_blames_nobody() -> None:
    canary = Canary()
    for name in "abc":
        canary.sent(name, monotonic_ms=0)
    canary.forget()
    assert canary.check().condition is Condition.HEALTHY


def test_a_rate_covers_the_last_marks() -> None:
    meter = RateMeter()
    assert meter.per_second(5, monotonic_ms=0) == 0
    for i in range(20):
        meter.note(i * 100, monotonic_ms=i * 10_000)
    assert meter.per_second(2000, monotonic_ms=200_000) == 10


async def test_too_many_waiting_samples_are_refused(clock: Any) -> None:
    counters = Counters()
    store = Store(Limits())
    ingest = Ingest(InlineWriter(store), counters, RejectLog(counters, clock))
    metric = {"name": "x", "value": 1}
    half = MetricBody([metric] * (QUEUED_MAX // 2 + 1), received_ms=clock.now_ms())
    taking = [ingest.take(half, received_ms=clock.now_ms(), entry="http") for _ in range(2)]
    first, second = (each for each in taking if not isinstance(each, Outcome))
    waiting = asyncio.ensure_future(first)
    await asyncio.sleep(0)
    with pytest.raises(IngestBusy):
        await second
    assert (await waiting).accepted == QUEUED_MAX // 2 + 1


async def test_of_very_many_rejects_the_first_are_told_and_all_are_counted(clock: Any) -> None:
    counters = Counters()
    log = RejectLog(counters, clock)
    body = MetricBody([5] * (REJECTS_LISTED + SLICE), received_ms=clock.now_ms())
    taking = Ingest(InlineWriter(Store(Limits())), counters, log).take(
        body, received_ms=clock.now_ms(), entry="http"
    )
    assert not isinstance(taking, Outcome)
    outcome = await taking
    assert [reject.index for reject in outcome.rejects] == list(range(REJECTS_LISTED))
    assert (outcome.accepted, outcome.rejected) == (0, REJECTS_LISTED + SLICE)
    assert counters.by_label("rejected") == {"bad_metric": REJECTS_LISTED + SLICE}
    assert len(log.newest()) == REJECTS_KEPT


def test_of_a_histogram_the_first_refused_sample_speaks(clock: Any) -> None:
    counters = Counters()
    log = RejectLog(counters, clock)
    ingest = Ingest(InlineWriter(Store(Limits(max_series=1))), counters, log)
    histogram = {"name": "h", "value": {"count": 1, "sum": 1, "buckets": {"1": 1}}}
    body = MetricBody([histogram], received_ms=clock.now_ms())
    outcome = ingest.take(body, received_ms=clock.now_ms(), entry="http")
    assert isinstance(outcome, Outcome)
    assert (outcome.accepted, [reject.code for reject in outcome.rejects]) == (0, ["series_limit"])
    assert counters.by_label("rejected") == {"series_limit": 1}


def test_names_without_end_and_wrong_clocks_are_not_remembered_without_end(clock: Any) -> None:
    counters, store, now_ms = Counters(), Store(Limits()), clock.now_ms()
    ingest = Ingest(InlineWriter(store), counters, RejectLog(counters, clock))

    def take(names: list[str], t_ms: int, received_ms: int) -> None:
        rows = [{"name": "x", "value": 1, "service_name": n, "timestamp": t_ms} for n in names]
        body = MetricBody(rows, received_ms=received_ms, mend_clocks=True)
        assert isinstance(ingest.take(body, received_ms=received_ms, entry="mqtt"), Outcome)

    for start in range(0, 3 * SKEWED_MAX, SLICE):
        take([f"s{i}" for i in range(start, start + SLICE)], now_ms + 10**6, now_ms)
    assert 0 < len(ingest._skewed) <= SKEWED_MAX
    newest = f"s{3 * SKEWED_MAX - 1}"
    take([newest], now_ms + 1000, now_ms + 1000)
    skew = LabelSet({"__name__": "clock_skew_seconds", "service": newest, "instance": newest})
    assert store.newest(skew).value == 0.0
