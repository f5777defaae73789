"""``GET /live`` over a real socket: ids, resume, and the end of the service."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.service.collector.collector_harness import Harness

from alicia.adapters.clock import SystemRandom
from alicia.adapters.http.roles import Role


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
                while True:  # what was on its way still comes
                    await anext(parts)
            assert time.monotonic() - started < 5
    assert live.readers == 0


@pytest.mark.parametrize("end", ["revoked", "expired", "damaged"])
async def test_a_stream_ends_with_its_token(collector_url: tuple[Harness, str], end: str) -> None:
    harness, url = collector_url
    tokens, now_ms = harness.collector.guard.tokens, harness.clock.now_ms()
    secret, token = tokens.create(
        Role.VIEWER, now_ms=now_ms, random=SystemRandom(), lifetime_ms=1000
    )
    live = harness.collector.decisions.live
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        httpx.AsyncClient(base_url=url, timeout=10, headers=headers) as client,
        client.stream("GET", "/live") as reply,
    ):
        parts = reply.aiter_text()
        live.publish("alert", "a", {"alert_id": "seen"})
        await read_until(parts, "seen")
        await harness.collector.guard.settled()  # the first use of the token is written down
        if end == "revoked":
            tokens.revoke(token.id)
        elif end == "expired":
            harness.clock.pass_ms(1000)
        else:
            (harness.collector.settings.data_dir / "tokens.json").write_text("{")
        live.publish("alert", "b", {"alert_id": "secret"})
        async with asyncio.timeout(30):
            rest = [part async for part in parts]
    assert "secret" not in "".join(rest)
    assert live.readers == 0
