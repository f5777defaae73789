"""``GET /live`` of a real collector: many readers, one who crawls, and those who come back."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.brokers import BrokerProcess
from tests.support.collector_process import CollectorProcess
from tests.support.scheduler_process import Target

pytestmark = pytest.mark.broker
READERS = 20
EVENTS = 3000
PADDING = "x" * 1000  # in all more than the backlog that one reader may have


class Reader:
    """One browser: what it was sent, event by event."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str]] = []  # id, kind, data
        self.ended = asyncio.Event()
        self._grown = asyncio.Event()

    async def open(self, url: str, *, last_id: str = "") -> None:
        parts = urlsplit(url)
        stream, self._writer = await asyncio.open_connection(parts.hostname, parts.port)
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self._writer.write(f"GET /live HTTP/1.1\r\nHost: {parts.netloc}\r\n{resume}\r\n".encode())
        head = await stream.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        self._reading = asyncio.create_task(self._read(stream))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        text = b""
        try:
            while size := int(await stream.readline(), 16):
                text += await stream.readexactly(size)
                await stream.readline()
                *whole, text = text.split(b"\n\n")
                self.events += [event for each in whole if (event := _parsed(each))]
                self._grown.set()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        finally:
            self.ended.set()

    def numbers(self) -> list[int]:
        """The numbers of the events that the test made, in order."""
        made = (json.loads(data) for _, kind, data in self.events if kind == "execution")
        return [each["number"] for each in made]

    async def until_last(self, number: int, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while (self.numbers() or [-1])[-1] != number:
                self._grown.clear()
                await self._grown.wait()

    async def close(self) -> None:
        self._writer.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


def _parsed(text: bytes) -> tuple[str, str, str] | None:
    fields = dict(line.split(": ", 1) for line in text.decode().split("\n") if ": " in line)
    return (fields["id"], fields["event"], fields["data"]) if "event" in fields else None


@pytest.fixture
def collector(tmp_path: Path, broker: BrokerProcess) -> Iterator[CollectorProcess]:
    process = CollectorProcess(tmp_path / "data", mqtt_port=broker.port)
    process.start()
    hears(process)
    yield process
    process.ensure_stopped()


def hears(collector: CollectorProcess) -> None:
    """Wait until it is subscribed: the broker then tells of itself."""
    collector.until(lambda: collector.get("/health")["messages_processed"] > 0)


@pytest.fixture
async def scheduler(broker: BrokerProcess) -> AsyncIterator[Target]:
    client = Target(broker.port)
    await client.start("alicia/nothing")
    await client.until(lambda: client.connected)
    yield client
    await client.stop()


async def tell(scheduler: Target, number: int) -> None:
    """One change of an execution, as the scheduler tells it."""
    body = {
        "source": "event_scheduler", "message_id": f"m{number}", "execution_id": f"x{number}",
        "status": "completed", "number": number, "padding": PADDING,
    }  # fmt: skip
    await scheduler.say("alicia/scheduler/executions", body)


def crawler(url: str) -> socket.socket:
    """A reader whose network takes next to nothing."""
    parts = urlsplit(url)
    crawling = socket.socket()
    crawling.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    crawling.connect((parts.hostname, parts.port))
    crawling.sendall(f"GET /live HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    crawling.setblocking(False)
    return crawling


async def test_twenty_read_everything_beside_one_who_crawls(
    collector: CollectorProcess, scheduler: Target
) -> None:
    readers = [Reader() for _ in range(READERS)]
    await asyncio.gather(*(reader.open(collector.url) for reader in readers))
    crawling, took = crawler(collector.url), 0
    for number in range(EVENTS):
        await tell(scheduler, number)
        if number % 500 == 0:
            took += len(await asyncio.get_running_loop().sock_recv(crawling, 1))
    await asyncio.gather(*(reader.until_last(EVENTS - 1) for reader in readers))
    assert took == EVENTS // 500
    for reader in readers:
        assert reader.numbers() == list(range(EVENTS))
        assert not reader.ended.is_set()
    # Who crawls is let go with what its network holds, and can fetch the rest when it is back.
    rest = b""
    async with asyncio.timeout(30):
        while not rest.endswith(b"\r\n0\r\n\r\n"):
            rest += await asyncio.get_running_loop().sock_recv(crawling, 65_536)
    assert len(rest) < EVENTS * len(PADDING)
    crawling.close()
    assert collector.get("/health")["checks"]["loops"]["status"] == "healthy"
    await asyncio.gather(*(reader.close() for reader in readers))


async def test_who_comes_back_is_told_what_it_missed(
    collector: CollectorProcess, scheduler: Target
) -> None:
    first, second, third = Reader(), Reader(), Reader()
    await first.open(collector.url)
    await tell(scheduler, 0)
    await first.until_last(0)
    seen_id = next(event_id for event_id, kind, _ in first.events if kind == "execution")
    await first.close()
    for number in range(1, 50):
        await tell(scheduler, number)
    await second.open(collector.url, last_id=seen_id)
    await second.until_last(49)
    assert second.numbers() == list(range(1, 50))
    # Another process numbers its events anew: all that was known may have changed.
    await second.close()
    collector.kill()
    collector.start()
    hears(collector)
    await third.open(collector.url, last_id=seen_id)
    await tell(scheduler, 50)
    await third.until_last(50)
    assert (third.events[0][1], third.numbers()) == ("reset", [50])
    await third.close()
