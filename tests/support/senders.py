"""Clients that send samples which nobody else sends, and note what was acknowledged."""

import asyncio
import time
from collections.abc import Callable

import httpx
from tests.support.collector_process import CollectorProcess
from tests.support.scheduler_process import Target
from tests.support.write_requests import HEADERS, series, snappy

TOPIC = "alicia/metrics/collect"
_PAUSE_SECONDS = 0.02
_ANSWER_SECONDS_MAX = 20


class Sender:
    """Samples of one series, each time and each value once; sent again until acknowledged."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: dict[int, float] = {}  # value by time in ms
        self.acked: dict[int, float] = {}
        self._newest_ms = 0

    def batch(self, size: int) -> dict[int, float]:
        """New samples."""
        first_ms = max(self._newest_ms + 1, time.time_ns() // 1_000_000)
        self._newest_ms = first_ms + size - 1
        made = {first_ms + i: float(len(self.sent) + i) for i in range(size)}
        self.sent |= made
        return made

    def body(self, batch: dict[int, float]) -> list[dict[str, object]]:
        """What is sent of a batch."""
        return [
            {"name": self.name, "value": value, "service_name": "s", "timestamp": t_ms / 1000}
            for t_ms, value in batch.items()
        ]


class HttpSender(Sender):
    """POST /metrics; a body without an answer, or refused, is sent again until it is taken.

    ``refusals`` are the answers that said so.
    """

    def __init__(self, name: str, url: Callable[[], str], *, batch: int = 20) -> None:
        super().__init__(name)
        self._url = url
        self._size = batch
        self.refusals: list[httpx.Response] = []

    async def run(self, ended: asyncio.Event) -> None:
        """Send until ``ended``, and then until all is acknowledged."""
        async with httpx.AsyncClient(timeout=_ANSWER_SECONDS_MAX) as client:
            while not ended.is_set():
                batch = self.batch(self._size)
                while True:
                    if await self._is_taken(client, batch):
                        break
                    await asyncio.sleep(_PAUSE_SECONDS)
                self.acked |= batch

    async def _is_taken(self, client: httpx.AsyncClient, batch: dict[int, float]) -> bool:
        try:
            reply = await self._post(client, batch)
        except httpx.TransportError:
            return False
        if reply.is_success:
            self._check(reply, batch)
        else:
            self.refusals.append(reply)
        return reply.is_success

    async def _post(self, client: httpx.AsyncClient, batch: dict[int, float]) -> httpx.Response:
        return await client.post(self._url() + "/metrics", json=self.body(batch))

    def _check(self, reply: httpx.Response, batch: dict[int, float]) -> None:
        assert reply.json() == {"accepted": len(batch), "rejected": []}


class RemoteWriteSender(HttpSender):
    """POST /api/v1/write, as Prometheus sends."""

    async def _post(self, client: httpx.AsyncClient, batch: dict[int, float]) -> httpx.Response:
        labels = [("__name__", self.name), ("service", "s")]
        content = snappy(series(labels, list(batch.items())))
        return await client.post(self._url() + "/api/v1/write", content=content, headers=HEADERS)

    def _check(self, reply: httpx.Response, batch: dict[int, float]) -> None:
        assert reply.status_code == 204


class MqttSender(Sender):
    """One metric a message at QoS 1; ``acked`` means: by the broker."""

    def __init__(self, name: str, bus: Target) -> None:
        super().__init__(name)
        self._bus = bus

    async def run(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            batch = self.batch(1)
            await self._bus.say(TOPIC, self.body(batch))
            self.acked |= batch
            await asyncio.sleep(0.001)  # some 500 a second are enough


def stored(collector: CollectorProcess, sender: Sender) -> list[tuple[int, float]]:
    """All samples of a sender's series, in the order of the answers."""
    found: list[tuple[int, float]] = []
    cursor = ""
    while True:
        page = collector.get(f"/metrics/s/{sender.name}?limit=5000&cursor={cursor}")
        found += [(round(row["timestamp"] * 1000), row["value"]) for row in page["samples"]]
        cursor = page.get("next_cursor", "")
        if not cursor:
            return found


def faults(collector: CollectorProcess, sender: Sender) -> dict[str, int]:
    """What is wrong with the stored samples of a sender, counted; empty where nothing is."""
    found = stored(collector, sender)
    once = dict(found)
    counted = {
        "doubled": len(found) - len(once),
        "lost": sum(once.get(t_ms) != value for t_ms, value in sender.acked.items()),
        "invented": sum(sender.sent.get(t_ms) != value for t_ms, value in once.items()),
    }
    return {name: count for name, count in counted.items() if count}


async def until(true: Callable[[], bool]) -> None:
    """Ask until it is so; a plain HTTP service offers no other signal."""
    async with asyncio.timeout(120):
        while True:
            if await asyncio.to_thread(true):
                return
            await asyncio.sleep(0.02)


async def until_all_arrived(collector: CollectorProcess, sender: Sender) -> None:
    """Wait until the broker delivered everything."""
    await until(lambda: len(stored(collector, sender)) >= len(sender.acked))
