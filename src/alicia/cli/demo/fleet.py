"""The simulated fleet as one process: twenty clients of the bus that behave like the real ones.

A service is stopped by ``{"command": "crash"}`` (silent) or ``"stop"`` (with good-bye) on
``alicia/services/<name>/control``, or by ``POST /stop`` on its own port; ``"start"`` on that topic
brings it back, ``"restart"`` does both. ``DATA_DIR/run/demo.json`` says where each listens.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from alicia.adapters.bus.connect import make_bus
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.files import make_private_folder, write_atomically
from alicia.adapters.lifetime import Ending
from alicia.adapters.logs import set_up_logs
from alicia.adapters.settings import Settings
from alicia.base.clock import Clock, Random
from alicia.cli.bus import broker_url
from alicia.cli.demo import agenda
from alicia.cli.demo.cast import Role, roles
from alicia.cli.demo.chaos import Mood, mood_at
from alicia.cli.demo.service import SimulatedService
from alicia.wire.envelope import Unwrapped, unwrap
from alicia.wire.ports import Bus, BusState, Message
from alicia.wire.topics import Topics

_CHAOS_SEED: Final = 1  # the same troubles at the same time of every day they are looked at
_CHAOS_LOOK_SECONDS: Final = 1.0
_PLAN_AGAIN_SECONDS: Final = 5.0
_CLEAR_SECONDS: Final = 2.0
_log: Final = logging.getLogger(__name__)


def run_demo(settings: Settings, services: int = 20, rate: float = 1.0, chaos: bool = False) -> int:
    """Play the fleet until SIGTERM, Ctrl-C or the supervisor's death; returns the exit code.

    ``rate`` is messages of metrics per second and service.
    """
    # Twenty clients would each tell of the same lost broker; the control's word is enough.
    set_up_logs("demo", level=settings.log_level)
    logging.getLogger("alicia.adapters.bus").setLevel(logging.ERROR)
    return uvloop.run(_play(settings, services=services, rate=rate, chaos=chaos))


async def _play(settings: Settings, *, services: int, rate: float, chaos: bool) -> int:
    ending = Ending(os.environ)
    fleet = Fleet(
        settings,
        services=services,
        rate=rate,
        chaos=chaos,
        clock=SystemClock(),
        random=SystemRandom(),
    )
    await fleet.start()
    print(f"alicia demo: {services} simulated services on {fleet.address}", flush=True)
    await ending.wait()
    await fleet.stop()
    return 0


class Fleet:
    """All services, and the one client that takes commands about them."""

    def __init__(
        self,
        settings: Settings,
        *,
        services: int,
        rate: float,
        chaos: bool,
        clock: Clock,
        random: Random,
    ) -> None:
        # Looked up once: collector and scheduler see the same broker.
        self._settings = replace(settings, mqtt_url=broker_url(settings))
        self._topics = Topics(settings.topic_prefix)
        self._chaos = chaos
        self._clock = clock
        self._random = random
        self._note = settings.data_dir / "run" / "demo.json"
        self._control = self._bus("alicia-demo-control")
        self._services = {role.name: self._service(role, rate) for role in roles(services)}
        self._tasks: set[asyncio.Task[None]] = set()
        self._was_connected = False

    @property
    def address(self) -> str:
        """The broker's address, without credentials."""
        return self._control.state.address

    async def start(self) -> None:
        """Bring all services up, and begin to listen to commands."""
        for service in self._services.values():
            await service.start()
        await self._control.subscribe([self._topics.under("services", "+", "control")])
        await self._control.start(self._on_control, self._on_state)
        if self._chaos:
            self._spawn(self._chaos_loop())
        self._spawn(self._plan_loop())
        _write_note(self._note, {name: item.url for name, item in self._services.items()})

    async def stop(self) -> None:
        """Let every service say good-bye."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*(service.stop() for service in self._services.values()))
        with contextlib.suppress(TimeoutError):
            clearing = asyncio.to_thread(agenda.clear, self._settings)
            await asyncio.wait_for(clearing, _CLEAR_SECONDS)
        self._was_connected = False  # of an end that was asked for there is nothing to tell
        await self._control.stop()
        self._note.unlink(missing_ok=True)

    def _service(self, role: Role, rate: float) -> SimulatedService:
        return SimulatedService(
            role,
            bus=partial(self._bus, f"alicia-demo-{role.name}"),
            mood=partial(self._mood, role.name),
            rate=rate,
            topics=self._topics,
            clock=self._clock,
            random=self._random,
        )

    def _bus(self, client_id: str) -> Bus:
        assert self._settings.mqtt_url is not None
        return make_bus(
            self._settings,
            client_id=client_id,
            will=None,
            clock=self._clock,
            random=self._random,
            default_url=self._settings.mqtt_url,
            session_seconds=0,  # nothing of a play stays behind on a broker that may be real
        )

    def _mood(self, name: str) -> Mood:
        if not self._chaos:
            return Mood.WELL
        return mood_at(_CHAOS_SEED, name, self._clock.now_ms() / 1000)

    def _on_state(self, state: BusState) -> None:
        if state.connected != self._was_connected:
            self._was_connected = state.connected
            _log.log(logging.INFO if state.connected else logging.WARNING, "bus: %s", state.detail)

    def _on_control(self, message: Message) -> None:
        name = message.topic.split("/")[-2]
        service = self._services.get(name)
        opened = unwrap(message.body)
        if service is None or message.retained or not isinstance(opened, Unwrapped):
            return
        command = opened.value.get("command") if isinstance(opened.value, dict) else None
        acts: dict[object, Callable[[], Coroutine[None, None, None]]] = {
            "crash": service.crash,
            "stop": service.stop,
            "start": partial(_start, service),
            "restart": partial(_restart, service),
        }
        if command in acts:
            self._spawn(acts[command]())

    async def _chaos_loop(self) -> None:
        """Let crash whose time has come, and bring back who crashed by chaos."""
        crashed: set[str] = set()
        while True:
            for name, service in self._services.items():
                falls = self._mood(name) is Mood.CRASHED
                if falls and service.alive:
                    crashed.add(name)
                    await service.crash()
                elif not falls and name in crashed:
                    crashed.discard(name)
                    await _start(service)
            await asyncio.sleep(_CHAOS_LOOK_SECONDS)

    async def _plan_loop(self) -> None:
        """Put the home's events into the schedule as soon as a scheduler takes them."""
        while True:
            now = self._clock.now_ms() / 1000
            if await asyncio.to_thread(agenda.plan, self._settings, now=now):
                return
            await asyncio.sleep(_PLAN_AGAIN_SECONDS)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _start(service: SimulatedService) -> None:
    if not service.alive:
        await service.start()


async def _restart(service: SimulatedService) -> None:
    await service.crash()
    await service.start()


def _write_note(path: Path, services: dict[str, str]) -> None:
    make_private_folder(path.parent)
    write_atomically(path, msgspec.json.encode({"pid": os.getpid(), "services": services}))
