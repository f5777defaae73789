"""One simulated service: a client of the bus with habits."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Final

from alicia.base.clock import Clock, Random, uuid7
from alicia.base.errors import AliciaError
from alicia.cli.demo import messages, patterns
from alicia.cli.demo.cast import Role
from alicia.cli.demo.chaos import ERROR_RATIO, SLOWNESS, Mood
from alicia.cli.demo.door import Door
from alicia.cli.demo.messages import Payload
from alicia.wire.envelope import Unwrapped, unwrap
from alicia.wire.ports import Bus, BusState, Message, Publication
from alicia.wire.topics import Topics

_COMMANDS_REMEMBERED: Final = 1000
_DEVICE_EVERY: Final = 10  # messages of metrics per message of other kinds
_VOICE_EVERY: Final = 5


class SimulatedService:
    """Starts, answers pokes and commands, sends metrics, crashes and comes back.

    ``bus`` makes a fresh connection for each life. ``mood`` says how it does right now.
    """

    def __init__(
        self,
        role: Role,
        *,
        bus: Callable[[], Bus],
        mood: Callable[[], Mood],
        rate: float,
        topics: Topics,
        clock: Clock,
        random: Random,
    ) -> None:
        self.role = role
        self.url = ""
        self._make_bus = bus
        self._mood = mood
        self._rate = rate
        self._topics = topics
        self._clock = clock
        self._random = random
        self._bus: Bus | None = None
        self._door = Door(self._health, self.request_crash)
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0
        self._begin_life()

    @property
    def alive(self) -> bool:
        """Whether it runs at the moment."""
        return self._bus is not None

    async def start(self) -> None:
        """Begin a life: listen, connect, subscribe; ``register`` follows each connection."""
        assert self._bus is None, "a service lives once at a time"
        self._begin_life()
        self._port = await self._door.open(self._port or self.role.port)
        self.url = f"http://127.0.0.1:{self._port}"
        self._bus = self._make_bus()
        await self._bus.subscribe(
            [self._topics.health_check, self._topics.command_of(self.role.name)]
        )
        await self._bus.start(self._on_message, self._on_state)
        self._spawn(self._metrics_loop())

    async def stop(self) -> None:
        """End as a good service does: with ``unregister``."""
        if self._bus is not None:
            with contextlib.suppress(AliciaError):
                await self._send(self._topics.unregister, {"service_name": self.role.name})
        await self.crash()

    async def crash(self) -> None:
        """Fall silent at once; the real ones send neither a will nor ``unregister`` either."""
        bus, self._bus = self._bus, None
        self._door.close()
        for task in tuple(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()
        if bus is not None:
            await bus.stop()

    def request_crash(self) -> None:
        """Crash soon, for callers that cannot wait."""
        self._spawn(self.crash())

    # --- habits

    def _begin_life(self) -> None:
        self._born = self._last = self._now()
        self._requests = self._errors = 0.0
        self._sent = 0
        self._done: dict[str, bool] = {}  # outcomes by execution id: repeats get the same answer

    def _on_state(self, state: BusState) -> None:
        if state.connected:
            registration = messages.registration(self.role, port=self._port, now=self._now())
            self._spawn(self._send(self._topics.register, registration))
            self._spawn(self._report_health())

    def _on_message(self, message: Message) -> None:
        if message.topic == self._topics.health_check:
            if self.role.answers_poke:
                self._spawn(self._report_health())
            return
        opened = unwrap(message.body)
        if isinstance(opened, Unwrapped) and isinstance(opened.value, dict):
            execution_id = opened.value.get("execution_id")
            if isinstance(execution_id, str) and not message.retained:
                self._spawn(self._obey(execution_id))

    async def _obey(self, execution_id: str) -> None:
        """Do what the scheduler asked for, once per execution id."""
        mood = self._mood()
        seconds = self.role.latency_ms / 1000 * SLOWNESS.get(mood, 1.0)
        if execution_id not in self._done:
            self._done[execution_id] = self._random.uniform(0, 1) >= ERROR_RATIO.get(mood, 1.0)
            if len(self._done) > _COMMANDS_REMEMBERED:
                del self._done[next(iter(self._done))]
            await asyncio.sleep(seconds)
        outcome = messages.completion(
            execution_id, worked=self._done[execution_id], seconds=seconds
        )
        await self._send(self._topics.scheduler_executions, outcome)

    async def _report_health(self) -> None:
        await self._send(self._topics.health_of(self.role.name), self._health())

    def _health(self) -> Payload:
        return messages.health(
            self.role,
            status="degraded" if self._mood() is Mood.SLOW else "healthy",
            uptime=self._now() - self._born,
            messages=int(self._requests),
            errors=int(self._errors),
        )

    async def _metrics_loop(self) -> None:
        # Begin somewhere within the period, so that twenty services do not speak in chorus.
        await asyncio.sleep(self._random.uniform(0, 1 / self._rate))
        turn = 0
        while True:
            await self._send(self._topics.metrics_collect, self._metrics())
            if self.role.device and turn % _DEVICE_EVERY == 0:
                topic = self._topics.under("devices", self.role.device, "status")
                await self._send(topic, messages.device_status(self.role, self._now()))
            if self.role.stage and turn % _VOICE_EVERY == 0:
                self._spawn(self._speak())
            turn += 1
            await asyncio.sleep(1 / self._rate)

    def _metrics(self) -> Payload:
        now, mood = self._now(), self._mood()
        fresh = patterns.requests(self.role.name, self._last, now, busy=self.role.busy)
        self._last = now
        self._requests += fresh
        self._errors += fresh * ERROR_RATIO.get(mood, 0.0)
        return messages.metrics(
            self.role,
            now,
            uptime=now - self._born,
            requests=self._requests,
            errors=self._errors,
            slowness=SLOWNESS.get(mood, 1.0),
        )

    async def _speak(self) -> None:
        """One session's pass through this stage of the voice pipeline."""
        session, mood = self._random.token_hex(6), self._mood()
        stage = self.role.stage
        await self._send(
            self._topics.under("voice", stage, "request"), messages.voice_request(session)
        )
        latency = patterns.latency_ms(self.role.name, self._now(), usual_ms=self.role.latency_ms)
        latency *= SLOWNESS.get(mood, 1.0)
        await asyncio.sleep(latency / 1000)
        if self._random.uniform(0, 1) < ERROR_RATIO.get(mood, 0.0):
            topic, payload = "error", messages.voice_error(session)
        else:
            topic, payload = "response", messages.voice_response(session, latency_ms=latency)
        await self._send(self._topics.under("voice", stage, topic), payload)

    # --- means

    async def _send(self, topic: str, payload: Payload) -> None:
        """Say something; what cannot be sent now is lost, as with the real ones."""
        if self._bus is None:
            return
        now_ms = self._clock.now_ms()
        message_id = uuid7(now_ms=now_ms, random=self._random)
        body = messages.wrap(self.role, payload, now_ms=now_ms, message_id=message_id)
        with contextlib.suppress(AliciaError):
            await self._bus.publish(Publication(topic, body))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _now(self) -> float:
        return self._clock.now_ms() / 1000
