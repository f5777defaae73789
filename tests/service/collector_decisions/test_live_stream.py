"""``GET /live`` over a real socket: ids, resume, and the end of the service."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.service.collector.collector_harness import Harness


@pytest.fixture
async def collector_url(tmp_path: Path) -> AsyncIterator[tuple[Harness, str]]:
    harness = Harness(tmp_path, COLLECTION_INTERVAL="10s")
    yield harness, await harness.collector.start()
    await harness.http.aclose()
    await harness.collector.stop()


async def read_until(parts: AsyncIterator[str], words: str) -> str:
    heard = ""
    async with asyncio.timeout(10):
        async for part in parts:
            heard += part
            if words in heard:
                return heard
    raise AssertionError(heard)


async def test_a_reader_resumes_and_is_let_go_at_the_end(
    collector_url: tuple[Harness, str],
) -> None:
    harness, url = collector_url
    live = harness.collector.decisions.live
    async with httpx.AsyncClient(base_url=url, timeout=10) as client:
        async with client.stream("GET", "/live") as reply:
            assert reply.headers["content-type"].startswith("text/event-stream")
            parts = reply.aiter_text()
            await read_until(parts, "retry: 1000\n\n")
            live.publish("alert", "a", {"alert_id": "first"})
            heard = await read_until(parts, "first")
            last_id = heard.rpartition("id: ")[2].partition("\n")[0]
        live.publish("alert", "b", {"alert_id": "second"})
        async with client.stream("GET", "/live", headers={"Last-Event-ID": last_id}) as reply:
            parts = reply.aiter_text()
            heard = await read_until(parts, "second")
            assert "first" not in heard
            started = time.monotonic()
            await harness.collector.stop()
            with pytest.raises((StopAsyncIteration, httpx.HTTPError)):
                await anext(parts)
            assert time.monotonic() - started < 5
    assert live.readers == 0
