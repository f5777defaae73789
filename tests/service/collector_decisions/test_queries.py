"""Large questions: answered beside the loop, bounded, and nobody else waits for them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.stepped_clock import START_MS, SteppedClock

from alicia.base.errors import Unavailable
from alicia.collector.queries import AT_ONCE_MAX, SLICE, WAITING_MAX, Queries
from alicia.promql.errors import QueryTimeout, TooManySamples
from alicia.promql.plan import Window
from alicia.promql.values import Matrix, Scalar
from alicia.series.labels import LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store

from .conftest import World

NOW = Window(START_MS, START_MS)


def filled(count: int, name: str = "m") -> Store:
    store = Store(Limits())
    samples = [
        Sample(LabelSet({"__name__": name, "n": str(i)}), START_MS, float(i)) for i in range(count)
    ]
    store.write(Batch(samples, START_MS))
    return store


@pytest.fixture
def queries() -> Iterator[Callable[..., Queries]]:
    made = []

    def make(store: Store, clock: SteppedClock | None = None) -> Queries:
        made.append(Queries(store, clock or SteppedClock(), name="test"))
        return made[-1]

    yield make
    for each in made:
        each.close()


def size(result: Matrix | Scalar, check: Callable[[], None]) -> int:
    check()
    return len(result.labels) if isinstance(result, Matrix) else 0


async def test_small_ones_are_answered_at_once_and_large_ones_in_a_thread(queries: Any) -> None:
    for count, at_once in ((AT_ONCE_MAX, True), (AT_ONCE_MAX + 1, False)):
        asked = queries(filled(count))
        where = await asked.ask("m", NOW, lambda _result, _check: threading.current_thread())
        assert (where is threading.current_thread()) is at_once


async def test_a_large_answer_is_the_same_as_a_small_one(queries: Any) -> None:
    store = filled(3 * SLICE)
    asked = queries(store)
    window = Window(START_MS - 1000, START_MS + 1000, 1000)

    def rows(result: Matrix | Scalar, _check: object) -> list[tuple[LabelSet, list[int]]]:
        assert isinstance(result, Matrix)
        return [(labels, t_ms.tolist()) for labels, t_ms, _ in result.rows()]

    whole = await asked.ask("m + m > 10", window, rows)
    assert len(whole) == 3 * SLICE - 6
    one = await asked.ask('m{n="77"} + m > 10', window, rows)
    assert one == [row for row in whole if row[0]["n"] == "77"]


async def test_others_get_their_turn_while_samples_are_read(queries: Any) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    assert await queries(filled(10 * SLICE)).ask("m", NOW, size) == 10 * SLICE
    waiting.cancel()
    assert turns >= 10


async def test_series_that_end_while_samples_are_read_are_left_out(queries: Any) -> None:
    store = filled(6 * SLICE)
    asking = asyncio.create_task(queries(store).ask("m + 0", NOW, size))
    await asyncio.sleep(0)
    list(store.expire(START_MS + 2 * Limits().retention_ms))
    assert await asking < 6 * SLICE


async def test_samples_and_values_are_bounded(queries: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("alicia.collector.queries.QUERY_SAMPLES_MAX", AT_ONCE_MAX)
    with pytest.raises(TooManySamples, match="into memory"):
        await queries(filled(AT_ONCE_MAX + 1)).ask("m", NOW, size)
    monkeypatch.setattr("alicia.promql.engine.QUERY_VALUES_MAX", 5)
    with pytest.raises(TooManySamples, match="3 series at 2 instants"):
        await queries(filled(3)).ask("m", Window(START_MS, START_MS + 1), size)


async def test_time_is_bounded_wherever_it_goes(queries: Any) -> None:
    clock, went_on = SteppedClock(), threading.Event()

    def slow(_result: Matrix | Scalar, check: Callable[[], None]) -> None:
        clock.pass_ms(30_000)
        check()
        went_on.set()

    for count in (1, AT_ONCE_MAX + 1):
        with pytest.raises(QueryTimeout, match="more than 30 s"):
            await queries(filled(count), clock).ask("m", NOW, slow)
    assert not went_on.is_set()


async def test_many_large_ones_wait_for_their_turn_and_more_are_refused(queries: Any) -> None:
    asked, go = queries(filled(AT_ONCE_MAX + 1)), threading.Event()

    def held(_result: Matrix | Scalar, _check: object) -> bool:
        return go.wait(30)

    waiting = [asyncio.create_task(asked.ask("m", NOW, held)) for _ in range(2 + WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="ask again"):
        await asked.ask("m", NOW, held)
    assert await asked.ask('m{n="7"}', NOW, size) == 1  # small ones wait for nobody
    go.set()
    assert all(await asyncio.gather(*waiting))


async def test_who_asked_and_left_sets_its_thread_free(queries: Any) -> None:
    asked, begun, ended = queries(filled(AT_ONCE_MAX + 1)), threading.Event(), threading.Event()

    def endless(_result: Matrix | Scalar, check: Callable[[], None]) -> None:
        begun.set()
        try:
            while True:
                check()
        finally:
            ended.set()

    asking = asyncio.create_task(asked.ask("m", NOW, endless))
    assert await asyncio.to_thread(begun.wait, 30)
    asking.cancel()
    assert await asyncio.to_thread(ended.wait, 30)


# what went wrong | status | error type
ENVELOPES: list[tuple[str, int, str]] = [
    ("alicia.collector.queries.QUERY_SECONDS_MAX=0", 503, "timeout"),
    ("alicia.collector.queries.WAITING_MAX=0", 503, "unavailable"),
    ("alicia.promql.engine.QUERY_VALUES_MAX=1", 422, "execution"),
    ("alicia.collector.queries.QUERY_SAMPLES_MAX=1", 422, "execution"),
]


@pytest.mark.parametrize(("bound", "status", "kind"), ENVELOPES)
async def test_faults_come_in_the_envelope_of_prometheus(
    world: World, monkeypatch: Any, bound: str, status: int, kind: str
) -> None:
    monkeypatch.setattr("alicia.collector.queries.AT_ONCE_MAX", 0)
    for room in "ab":
        await world.push("temp", 1, room=room)
    name, _, value = bound.partition("=")
    monkeypatch.setattr(name, int(value))
    reply = await world.http.get("/api/v1/query", params={"query": "temp"})
    body = reply.json()
    assert (reply.status_code, body["status"], body["errorType"]) == (status, "error", kind)


async def test_rules_are_evaluated_beside_the_loop_too(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("alicia.collector.queries.AT_ONCE_MAX", 0)
    await world.add_rule()
    await world.push("temp", 31)
    await world.turn()
    assert [alert["state"] for alert in await world.alerts()] == ["firing"]
    tried = await world.http.post("/alerts/rules/test", json={"condition": "temp > 30"})
    assert tried.json()["fired_count"] == 1
    monkeypatch.setattr("alicia.collector.queries.QUERY_SECONDS_MAX", 0)
    await world.turn()
    rule = (await world.http.get("/alerts/rules/hot")).json()
    assert (rule["health"], rule["state"]) == ("unhealthy", "firing")
