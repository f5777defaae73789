"""The collector: everything is built here, started in order, and stopped in reverse."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from threading import RLock
from typing import Final

from alicia.adapters.bus.connect import make_bus
from alicia.adapters.bus.speaker import Presence, Speaker
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.closing import Step, end_in_order
from alicia.adapters.disk import FolderDisk
from alicia.adapters.disk_space import probe as probe_space
from alicia.adapters.health import Health
from alicia.adapters.host import HostProbe
from alicia.adapters.http.app import build_app
from alicia.adapters.http.guard import make_guard
from alicia.adapters.http.health_routes import health_routes
from alicia.adapters.http.server import HttpServer
from alicia.adapters.lifetime import RunFile
from alicia.adapters.loops import Loops
from alicia.adapters.process import node_name, run_service
from alicia.adapters.settings import Settings
from alicia.base.clock import Clock, Random
from alicia.base.counters import Counters
from alicia.collector.api.build import build_routes
from alicia.collector.api.dashboard import dashboard_router
from alicia.collector.api.ingest import ingest_routes
from alicia.collector.api.metrics import metric_routes
from alicia.collector.api.rejects import reject_routes
from alicia.collector.api.remote_write import remote_write_routes
from alicia.collector.api.snapshot import page_snapshot
from alicia.collector.api.stats import stats_routes
from alicia.collector.api.storage import storage_routes
from alicia.collector.broker import BrokerMetrics
from alicia.collector.canary import Canary
from alicia.collector.decisions import FEED_MS, JUDGE_MS, STOP_SECONDS_MAX, Decisions
from alicia.collector.disk import DiskWatch
from alicia.collector.engine import Engine
from alicia.collector.ingest import Ingest
from alicia.collector.ingest_requests import RequestIngest
from alicia.collector.poll import Spellings
from alicia.collector.poll_metrics import MetricSenders
from alicia.collector.publish import CAPABILITIES, Reports
from alicia.collector.rejects import RejectLog
from alicia.collector.route import RouteParts, Router
from alicia.collector.stats import Stats
from alicia.collector.store_thread import StoreThread, Writer
from alicia.collector.system import HOST_SERVICE, SystemMetrics
from alicia.collector.write_gate import WriteGate
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Store
from alicia.wire.broker import SYS
from alicia.wire.names import COLLECTOR, SERIES_NAMES_MAX, SeriesNames
from alicia.wire.ports import Bus, BusState, Publication
from alicia.wire.topics import Topics

_TICK_MS: Final = 10_000
_DISK_MS: Final = 1000
_FIRST_LOOK_MS: Final = 1000  # the first CPU percentage needs a span to cover
_IO_THREADS: Final = 4
_SEED_BYTES: Final = 7
_HTTP_GRACE_SECONDS: Final = 1.5
_STATIC: Final = Path(__file__).with_name("static")
Connect = Callable[[str, Publication], Bus]
_LOOPS: Final = frozenset(
    {
        "tick",
        "disk",
        "system",
        "summary",
        "poke",
        "push",
        "weights",
        "judge",
        "feed",
        "rules",
        "outbox",
        "log",
    }
)
REFUSED: Final = {
    "DATABASE_URL": "the collector keeps rules, alerts and services in SQLite only; unset it, and"
    " the file in DATA_DIR is used",
    "METRICS_REMOTE_URL": "the collector stores and queries samples itself only; unset it, and"
    " the built-in store is used",
}
IDLE: Final = {
    "ROLLUPS": "samples are kept as they came, for RETENTION",
    "HOME_ASSISTANT": "nothing is announced to Home Assistant",
}


def run(settings: Settings) -> int:
    """Run the collector until it is told to end; the exit code of the process."""
    return run_service("collector", settings, _start, refused=REFUSED, idle=IDLE)


async def _start(settings: Settings, stack: AsyncExitStack) -> str:
    collector = make_collector(settings)
    stack.push_async_callback(collector.stop)
    return await collector.start()


def make_collector(settings: Settings) -> "Collector":
    """A collector on the real clock and a real bus, not started yet.

    Raises:
        BadField: the broker's address or a TLS file cannot be used.
    """
    clock, random, counters = SystemClock(), SystemRandom(), Counters()

    def connect(client_id: str, will: Publication) -> Bus:
        return make_bus(
            settings,
            client_id=client_id,
            will=will,
            clock=clock,
            random=random,
            default_url=f"mqtt://127.0.0.1:{settings.mqtt_port_local}",
            counters=counters,
        )

    def write_with(store: Store, gate: WriteGate) -> Writer:
        return StoreThread(
            store, gate, counters, clock=clock, sync_always=settings.wal_sync == "always"
        )

    return Collector(
        settings,
        clock=clock,
        random=random,
        counters=counters,
        connect=connect,
        write_with=write_with,
    )


class Collector:
    """All parts of one collector. Belongs to the event loop that starts it.

    ``connect`` makes the bus, given its client id and its will; ``write_with`` makes who writes
    the store while the gate lets it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        random: Random,
        counters: Counters,
        connect: Connect,
        write_with: Callable[[Store, WriteGate], Writer],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.random = random
        self.counters = counters
        self._connect = connect
        self.topics = Topics(settings.topic_prefix)
        self.names = SeriesNames(
            Spellings(lambda: self.decisions.fleet.records),
            kept=max(SERIES_NAMES_MAX, settings.max_series),
        )
        self.store = Store(
            Limits(
                settings.retention_ms,
                settings.max_samples_per_series,
                settings.max_series,
                settings.max_series_per_service,
            ),
            seed=int(random.token_hex(_SEED_BYTES), 16),
            disk=FolderDisk(settings.data_dir / "metrics"),
            guard=RLock(),
        )
        self._gate = WriteGate(self.store, counters)
        self._writer = write_with(self.store, self._gate)
        self._engine = Engine(self.store, self._writer, self.clock)
        self.rejects = RejectLog(self.counters, self.clock)
        self._senders = MetricSenders(self.store, self.counters)
        self.ingest = Ingest(self._writer, self.counters, self.rejects, self._senders.note)
        self._io = ThreadPoolExecutor(_IO_THREADS, thread_name_prefix="io")
        self._loops = Loops(self.counters, expected=_LOOPS)
        self._requests = RequestIngest(
            self._writer, self.counters, self.rejects, self._senders.note
        )
        self._run_file = RunFile(settings.data_dir, "collector")
        self._port = settings.collector_port
        self._build_bus()
        self._build_reports()
        self._build_decisions()
        self._build_http()

    async def start(self) -> str:
        """Listen, connect, begin the loops; the address. A lost broker stops nothing.

        Raises:
            AliciaError: the port is taken, or the guard refuses to listen there.
        """
        await self._engine.open()
        await self.decisions.load()
        self._port = await self._server.start()
        started = self.clock.now_ms() / 1000
        self._run_file.write(url=self._server.url, port=self._port, started=started)
        await self.bus.start(self.router.handle, self._on_bus_state)
        await self.bus.subscribe((self.topics.everything, f"{SYS}#"))
        settings, every = self.settings, self._loops.every
        every("tick", _TICK_MS, self.stats.tick)
        every("disk", _DISK_MS, self._disk.look)
        every(
            "system", settings.system_metrics_interval_ms, self._look, first_after_ms=_FIRST_LOOK_MS
        )
        every("summary", settings.collection_interval_ms, self._summarise)
        every("poke", settings.collection_interval_ms, self.decisions.fleet.poke)
        every("weights", settings.collection_interval_ms, self.decisions.weights.tell)
        every("push", settings.collection_interval_ms, self.decisions.pushes.repeat)
        every("judge", JUDGE_MS, self.decisions.fleet.judge)
        every("feed", FEED_MS, self.decisions.tick)
        self._loops.keep("rules", self.decisions.rules.run())
        self._loops.keep("outbox", self.decisions.outbox.run())
        self._loops.keep("log", self._writer.sync_loop())
        return self._server.url

    async def stop(self) -> None:
        """End everything in the reverse order; safe after a start that failed half-way."""
        steps = (
            Step("loops", self._loops.end, 0.5),
            Step("HTTP", lambda: self._server.stop(_HTTP_GRACE_SECONDS), 1.8),
            Step("good-bye", self._leave, 0.6),
            Step("bus", self.bus.stop, 0.8),
            Step("rules and services", self.decisions.stop, STOP_SECONDS_MAX + 0.1),
            Step("store", self._writer.stop, 1.0),
            Step("run file", self._run_file.remove),
            Step("threads", lambda: self._io.shutdown(wait=False, cancel_futures=True)),
        )
        await end_in_order(steps)

    async def _leave(self) -> None:
        if self.bus.state.connected:
            await self._presence.leave(self.bus, port=self._port)

    def _build_bus(self) -> None:
        node = node_name(self.settings)
        self._speaker = Speaker(
            COLLECTOR,
            self.topics,
            node=node,
            clock=self.clock,
            random=self.random,
            counters=self.counters,
        )
        self._presence = Presence(self._speaker, self.clock, capabilities=CAPABILITIES)
        self._canary = Canary()
        self.bus = self._connect(f"alicia-collector-{node}", self._presence.will())

    def _build_reports(self) -> None:
        self._reports = Reports(self._speaker, self.bus, self._writer, self.clock, self._canary)
        probe = HostProbe((self.settings.data_dir,))
        self.system = SystemMetrics(
            probe.read,
            self._engine.readings,
            self._writer,
            self.counters,
            clock=self.clock,
            io=self._io,
        )
        folder, reserve = self.settings.data_dir, self.settings.min_free_disk
        self._disk = DiskWatch(
            lambda: probe_space(folder, min_free_bytes=reserve), self._io, self._gate.looked
        )
        self._health = Health(
            COLLECTOR,
            {
                "delivery": self._canary.check,
                "disk": self._disk.check,
                "loops": self._loops.check,
                "writing": self._gate.check,
            },
            bus=self.bus,
            clock=self.clock,
            counters=self.counters,
            processed=("messages", "http_bodies"),
            errors=("rejected", "loop_errors"),
        )
        self.stats = Stats(
            self.store,
            self._engine,
            self._writer,
            self.counters,
            health=self._health,
            bus=self.bus,
            clock=self.clock,
            system=self.system.view,
            active_alerts=lambda: self.decisions.rules.active_by_severity(),
        )
        broker = BrokerMetrics(self._writer, self.clock)
        self.router = Router(
            self.topics,
            self.names,
            self.clock,
            RouteParts(
                self.ingest,
                self.rejects,
                self.counters,
                lambda message, opened: self.decisions.observe(message, opened),
                self._reports.on_summary,
                broker.take,
            ),
        )

    def _build_decisions(self) -> None:
        self.decisions = Decisions(
            self.settings,
            bus=self.bus,
            store=self.store,
            writer=self._writer,
            senders=self._senders,
            speaker=self._speaker,
            clock=self.clock,
            random=self.random,
            counters=self.counters,
            rejects=self.rejects,
            own_status=lambda: self._health.condition().word,
            exposed=lambda: self.guard.exposed,
        )

    def _build_http(self) -> None:
        settings = self.settings
        guard = make_guard(settings, clock=self.clock, random=self.random, service="collector")
        self.guard = guard
        fleet = self.decisions.fleet

        def known(service: str) -> bool:
            return service == HOST_SERVICE or service in fleet.records

        self.app = build_app(
            title="Alicia metrics collector",
            guard=guard,
            counters=self.counters,
            routers=(
                health_routes(self._health, exposed=lambda: guard.exposed),
                build_routes(),
                ingest_routes(self.ingest, self.names, self.clock, self.counters),
                metric_routes(
                    self.store,
                    self.clock,
                    fleet.word_of,
                    known,
                ),
                stats_routes(self.stats, self.store, self.clock, fleet.life_of, known),
                storage_routes(self.store, self.clock),
                reject_routes(self.rejects, self.counters),
                *self.decisions.routes(),
                remote_write_routes(self._requests, self.clock, self.counters),
                dashboard_router(
                    _STATIC,
                    page_snapshot(fleet, self.decisions.rules, self.stats, self.clock),
                ),
            ),
        )
        self._server = HttpServer(
            self.app,
            settings.host,
            settings.collector_port,
            guard=guard,
            tls_cert=settings.tls_cert,
            tls_key=settings.tls_key,
        )

    async def _look(self) -> None:
        await self.system.collect()
        await self._reports.host(self.system.view())

    async def _summarise(self) -> None:
        self.decisions.live.publish("stats", "stats", self.stats.whole())
        await self._reports.summary(self.stats.summary)

    def _on_bus_state(self, state: BusState) -> None:
        self._reports.on_state(state)
        if state.connected:
            self.decisions.outbox.wake()
            self._loops.keep("ask", self.decisions.fleet.ask())
            self._loops.keep("arrive", self._presence.arrive(self.bus, port=self._port))
