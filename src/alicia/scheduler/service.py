"""All parts of one scheduler, and the order in which they start and stop."""

from typing import Final

from fastapi import FastAPI

from alicia.adapters.actions import Actions
from alicia.adapters.bus.connect import make_bus
from alicia.adapters.bus.speaker import Presence, Speaker
from alicia.adapters.closing import Step, end_in_order
from alicia.adapters.health import Check, Condition, Health
from alicia.adapters.http.app import build_app
from alicia.adapters.http.guard import make_guard
from alicia.adapters.http.health_routes import health_routes
from alicia.adapters.http.outbound import Outbound
from alicia.adapters.http.server import HttpServer
from alicia.adapters.lifetime import RunFile
from alicia.adapters.loops import Loops
from alicia.adapters.settings import Settings
from alicia.adapters.sql.database import Database
from alicia.adapters.sql.ledger import SqlLedger
from alicia.adapters.zones import load_zone
from alicia.base.clock import Clock, Random
from alicia.base.counters import Counters
from alicia.scheduler.api.changes import change_routes, order_routes
from alicia.scheduler.api.events import event_routes
from alicia.scheduler.api.executions import execution_routes
from alicia.scheduler.api.planning import import_routes, preview_routes, window_routes
from alicia.scheduler.api.rendering import Rendering
from alicia.scheduler.api.standing import standing_routes
from alicia.scheduler.attempts import Attempts
from alicia.scheduler.audit import Auditor
from alicia.scheduler.calendar import Calendar
from alicia.scheduler.chains import event_named
from alicia.scheduler.cleanup import Cleanup
from alicia.scheduler.commands import Inbox, own_filters
from alicia.scheduler.desk import Desk
from alicia.scheduler.dispatch import Dispatcher
from alicia.scheduler.leasing import Leasing
from alicia.scheduler.listeners import Listeners
from alicia.scheduler.notices import Notices
from alicia.scheduler.obedience import Obedience
from alicia.scheduler.outcomes import Outcomes
from alicia.scheduler.secrets import shown_execution
from alicia.scheduler.starts import Starts
from alicia.scheduler.stats import Stats
from alicia.scheduler.timings import Timings
from alicia.scheduler.track import Tracker
from alicia.scheduling.execution import Execution
from alicia.scheduling.lease import Lease
from alicia.scheduling.ports import ClaimResult
from alicia.wire.names import SCHEDULER
from alicia.wire.ports import Bus, BusState
from alicia.wire.topics import Topics

_RESUME_EVERY_MS: Final = 1000
_STOP_GRACE_SECONDS: Final = 1.0
_HTTP_GRACE_SECONDS: Final = 1.5
_CAPABILITIES: Final = ("scheduling", "events", "executions")
_FAULTY: Final = ("ledger", "lease", "plan", "dispatch", "execution", "resume", "loop")


class Scheduler:
    """Belongs to the event loop that starts it. ``bus`` is given by tests only."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        node: str,
        clock: Clock,
        random: Random,
        bus: Bus | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.random = random
        self.counters = Counters()
        self.topics = Topics(settings.topic_prefix)
        self.timings = Timings(load_zone)
        self._loops = Loops(
            self.counters, expected=("fire", "lease", "notices", "resume", "cleanup")
        )
        self._run_file = RunFile(settings.data_dir, "scheduler")
        self._port = settings.scheduler_port
        lease = Lease(node, random.token_hex(8), clock.monotonic_ms())
        self.ledger = SqlLedger(database, lease=lease, clock=clock, random=random)
        self.leasing = Leasing(self.ledger, lease, clock=clock, counters=self.counters)
        self._build_bus(bus, node)
        self._guard = make_guard(settings, clock=clock, random=random, service="scheduler")
        self.outbound = Outbound(
            allow=settings.outbound_allow, local_ok=lambda: not self._guard.exposed
        )
        self._build_engine()
        self._build_desk()
        self.app = self._build_app()
        self._server = HttpServer(
            self.app,
            settings.host,
            settings.scheduler_port,
            guard=self._guard,
            tls_cert=settings.tls_cert,
            tls_key=settings.tls_key,
        )

    async def start(self) -> str:
        """Take up what an earlier life left, listen, connect, fire; returns the address.

        Raises:
            AliciaError: the port is taken, or the ledger does not answer.
        """
        await self.take_up()
        self._port = await self._server.start()
        self._run_file.write(
            url=self._server.url, port=self._port, started=self.clock.now_ms() / 1000
        )
        await self.begin()
        return self._server.url

    async def take_up(self) -> None:
        """Make the open rows of an earlier life ours, before anybody can ask for new ones.

        Raises:
            Unavailable: the ledger does not answer.
        """
        await self.leasing.acquire()
        self._loops.keep("lease", self.leasing.renew_loop())
        await self.listeners.load()
        await self.starts.take_over()

    async def begin(self) -> None:
        """Everything behind the door: bus and loops."""
        await self.bus.start(self.inbox.handle, self._on_bus_state)
        self._loops.keep("notices", self.notices.send_loop())
        self._loops.keep("fire", self.dispatcher.fire_loop())
        self._loops.every(
            "resume", _RESUME_EVERY_MS, self.desk.resume_due, first_after_ms=_RESUME_EVERY_MS
        )
        cleanup_ms = self.settings.cleanup_interval_ms
        self._loops.every("cleanup", cleanup_ms, self._cleanup.step, first_after_ms=cleanup_ms)

    async def stop(self) -> None:
        """End everything in the reverse order; safe after a start that failed half-way."""
        steps = (
            Step("firing", lambda: self._loops.end("fire", "resume", "cleanup"), 0.5),
            Step("HTTP", lambda: self._server.stop(_HTTP_GRACE_SECONDS), 1.8),
            Step("executions", lambda: self.tracker.stop(_STOP_GRACE_SECONDS), 1.3),
            Step("loops", self._loops.end, 0.5),
            Step("good-bye", self._say_good_bye, 0.5),
            Step("bus", self.bus.stop, 0.8),
            Step("outbound", self.outbound.close, 0.3),
            Step("lease", self.leasing.release, 0.5),
        )
        await end_in_order(steps)
        self._run_file.remove()

    def _build_bus(self, bus: Bus | None, node: str) -> None:
        speaker = Speaker(
            SCHEDULER,
            self.topics,
            node=node,
            clock=self.clock,
            random=self.random,
            counters=self.counters,
        )
        self.presence = Presence(speaker, self.clock, capabilities=_CAPABILITIES)
        self.bus: Bus = bus or make_bus(
            self.settings,
            client_id=f"alicia-scheduler-{node}",
            will=self.presence.will(),
            clock=self.clock,
            random=self.random,
            default_url=f"mqtt://127.0.0.1:{self.settings.mqtt_port_local}",
            counters=self.counters,
        )
        self.notices = Notices(
            self.bus,
            source=SCHEDULER,
            node=node,
            clock=self.clock,
            random=self.random,
            counters=self.counters,
        )

    def _build_engine(self) -> None:
        """What fires: dispatcher, attempts, tracker, starts."""
        actor = Actions(
            self.bus,
            self.outbound,
            source=SCHEDULER,
            report_topic=self.topics.scheduler_executions,
            clock=self.clock,
        )
        self.attempts = Attempts(
            ledger=self.ledger,
            actor=actor,
            leasing=self.leasing,
            timings=self.timings,
            on_change=self._on_change,
            clock=self.clock,
            counters=self.counters,
            workers=self.settings.workers,
        )
        self.dispatcher = Dispatcher(
            ledger=self.ledger,
            leasing=self.leasing,
            timings=self.timings,
            take=self._take,
            clock=self.clock,
            counters=self.counters,
            check_interval_ms=self.settings.check_interval_ms,
        )
        self.tracker = Tracker(
            ledger=self.ledger,
            attempts=self.attempts,
            event_of=self.dispatcher.record_of,
            event_named=lambda name: event_named(self.ledger, name),
            on_change=self._on_change,
            send_cancel=self._send_cancel,
            clock=self.clock,
            random=self.random,
            counters=self.counters,
        )
        self.starts = Starts(
            ledger=self.ledger,
            leasing=self.leasing,
            tracker=self.tracker,
            on_change=self._on_change,
            clock=self.clock,
            random=self.random,
        )

    def _build_desk(self) -> None:
        """What people and services talk to."""
        self.listeners = Listeners(self.ledger, self.bus, own=own_filters(self.topics))
        self.rendering = Rendering(self.timings, self.clock)
        self.desk = Desk(
            ledger=self.ledger,
            dispatcher=self.dispatcher,
            listeners=self.listeners,
            starts=self.starts,
            tracker=self.tracker,
            outcomes=Outcomes(self.notices, self.rendering, self.topics),
            timings=self.timings,
            outbound=self.outbound,
            default_zone=self.settings.timezone,
            topic_prefix=self.settings.topic_prefix,
            node=self.leasing.lease.node_id,
            clock=self.clock,
            random=self.random,
            counters=self.counters,
        )
        self.health = Health(
            SCHEDULER,
            {"ledger": self._check_ledger, "loops": self._loops.check},
            bus=self.bus,
            clock=self.clock,
            counters=self.counters,
            processed=("messages",),
            errors=(f"{part}_errors" for part in _FAULTY),
        )
        self.inbox = Inbox(
            topics=self.topics,
            doer=Obedience(self.desk, self.rendering),
            listeners=self.listeners,
            report=self.tracker.report,
            on_poke=lambda: self.presence.answer_poke(self.bus, self.health.answer()),
            notices=self.notices,
            clock=self.clock,
            counters=self.counters,
        )
        self._cleanup = Cleanup(
            self.ledger,
            keep=self.settings.max_executions_per_event,
            clock=self.clock,
            counters=self.counters,
        )

    def _build_app(self) -> FastAPI:
        stats = Stats(
            ledger=self.ledger,
            dispatcher=self.dispatcher,
            tracker=self.tracker,
            attempts=self.attempts,
            inbox=self.inbox,
            notices=self.notices,
            health=self.health,
            bus=self.bus,
            clock=self.clock,
            counters=self.counters,
        )
        auditor = Auditor(
            self.ledger,
            self.timings,
            live_owners=lambda: frozenset({self.leasing.lease.node_id}),
        )
        calendar = Calendar(self.ledger, self.timings, self.clock)
        return build_app(
            title="Alicia event scheduler",
            guard=self._guard,
            counters=self.counters,
            routers=(
                health_routes(self.health, exposed=lambda: self._guard.exposed),
                standing_routes(stats),
                preview_routes(load_zone, self.clock, default_zone=self.settings.timezone),
                import_routes(self.desk, self.rendering),
                event_routes(self.desk, self.ledger, self.rendering),
                change_routes(self.desk, self.ledger, self.rendering),
                order_routes(self.desk, self.rendering),
                execution_routes(self.ledger, self.tracker),
                window_routes(auditor, calendar, self.clock),
            ),
        )

    async def _take(self, result: ClaimResult) -> None:
        await self.starts.claimed(result)

    def _on_change(self, execution: Execution) -> None:
        self.notices.put(self.topics.scheduler_executions, shown_execution(execution))

    def _send_cancel(self, topic: str, execution_id: str) -> None:
        order = {"command": "cancel", "execution_id": execution_id}
        self.notices.put(f"{topic}/cancel", order, message_type="command")

    def _on_bus_state(self, state: BusState) -> None:
        self.attempts.bus_changed(connected=state.connected)
        if state.connected:
            self._loops.keep("arrive", self.presence.arrive(self.bus, port=self._port))

    async def _say_good_bye(self) -> None:
        if self.bus.state.connected:
            await self.notices.send_waiting()
            await self.presence.leave(self.bus, port=self._port)

    def _check_ledger(self) -> Check:
        if self.leasing.may_act():
            return Check(Condition.HEALTHY, "the ledger answers")
        return Check(
            Condition.UNHEALTHY,
            "the ledger has not answered for 10 s; nothing is published until it does",
        )
