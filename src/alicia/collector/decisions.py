"""What the collector keeps in SQL, put together: fleet, rules, pushed groups, their routes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from fastapi import APIRouter

from alicia.adapters.bus.speaker import Speaker
from alicia.adapters.closing import Step, end_in_order
from alicia.adapters.http.outbound import Outbound
from alicia.adapters.settings import Settings
from alicia.adapters.sql.alerts import SqlAlertStore
from alicia.adapters.sql.database import Database
from alicia.adapters.sql.pushes import SqlPushGroups
from alicia.adapters.sql.readers import Readers
from alicia.adapters.sql.registry import SqlRegistry
from alicia.adapters.sql.schema import migrate, migrations_of
from alicia.adapters.sql.writer import Writer
from alicia.adapters.zones import load_zone
from alicia.alerting.defaults import default_rules
from alicia.base.clock import Clock, Random
from alicia.base.counters import Counters
from alicia.collector.api.alerts import alert_routes
from alicia.collector.api.forward import forward_routes
from alicia.collector.api.live import live_routes
from alicia.collector.api.loadbalancer import loadbalancer_routes
from alicia.collector.api.packs import pack_routes
from alicia.collector.api.push import push_routes
from alicia.collector.api.query import query_routes
from alicia.collector.api.rules import rule_routes
from alicia.collector.api.services import service_routes
from alicia.collector.api.silences import silence_routes
from alicia.collector.live import LiveHub
from alicia.collector.live_feed import LiveFeed
from alicia.collector.outbox import Outbox
from alicia.collector.poll import Fleet, FleetParts
from alicia.collector.poll_http import HealthPoller
from alicia.collector.poll_metrics import MetricSenders
from alicia.collector.poll_up import UpSeries
from alicia.collector.push import Pushes
from alicia.collector.queries import Queries
from alicia.collector.rejects import RejectLog
from alicia.collector.rules import RuleParts, Rules
from alicia.collector.rules_foreign import ForeignAlerts
from alicia.collector.store_thread import Writer as StoreWriter
from alicia.collector.weights import Weights
from alicia.promql.condition import read_condition
from alicia.tsdb.store import Store
from alicia.wire.envelope import Unwrapped
from alicia.wire.ports import Bus, Message
from alicia.wire.read_series import SeriesTexts

JUDGE_MS: Final = 1000
STOP_SECONDS_MAX: Final = 2.0
FEED_MS: Final = 2000


class Decisions:
    """Fleet, rules, pushed groups and live changes of one collector. Belongs to the event loop.

    ``own_status`` is the word of our own health; ``exposed`` says whether others than this
    machine can reach us.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        bus: Bus,
        store: Store,
        writer: StoreWriter,
        senders: MetricSenders,
        speaker: Speaker,
        clock: Clock,
        random: Random,
        counters: Counters,
        rejects: RejectLog,
        own_status: Callable[[], str],
        exposed: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._random = random
        self._counters = counters
        # Rules have threads of their own, so that no reader of charts can hold them up.
        self._queries = Queries(store, clock, name="query")
        self._rule_queries = Queries(store, clock, name="rules")
        self._outbound = Outbound(allow=settings.outbound_allow, local_ok=lambda: not exposed())
        self._open = False
        self._path = settings.data_dir / "collector.db"
        self._writer = Writer(self._path)
        self._database = Database(self._writer, Readers(self._path))
        self.live = LiveHub(epoch=random.token_hex(4), later=_later, counters=counters)
        self._feed = LiveFeed(self.live, speaker.topics, clock, counters)
        alert_store = SqlAlertStore(self._database, zones=load_zone)
        self.outbox = Outbox(bus, alert_store, counters, random)
        self.fleet = Fleet(
            FleetParts(
                registry=SqlRegistry(self._database),
                bus=bus,
                poller=HealthPoller(self._outbound, clock, counters),
                up=UpSeries(writer),
                senders=senders,
                live=self.live,
                speaker=speaker,
                clock=clock,
                counters=counters,
                own_status=own_status,
            ),
            interval_ms=settings.collection_interval_ms,
        )
        self._foreign = ForeignAlerts(speaker.topics, counters, self.fleet.spellings)
        self.weights = Weights(
            store,
            self.fleet,
            bus=bus,
            speaker=speaker,
            clock=clock,
            counters=counters,
            chosen=frozenset(settings.load_balancer_weights),
        )
        self.rules = self._make_rules(alert_store, speaker, counters)
        self.pushes = self._make_pushes(store, writer, rejects)

    def _make_pushes(self, store: Store, writer: StoreWriter, rejects: RejectLog) -> Pushes:
        return Pushes(
            SqlPushGroups(self._database),
            store,
            writer,
            clock=self._clock,
            counters=self._counters,
            rejects=rejects,
        )

    def _make_rules(self, store: SqlAlertStore, speaker: Speaker, counters: Counters) -> Rules:
        return Rules(
            RuleParts(
                store=store,
                evaluator=self._rule_queries,
                outbox=self.outbox,
                live=self.live,
                speaker=speaker,
                clock=self._clock,
                counters=counters,
                departed=self.fleet.departed,
                foreign=self._foreign,
            )
        )

    async def load(self) -> None:
        """Open the database and take up what an earlier process left.

        Raises:
            AliciaError: the database cannot be opened or read.
        """
        await asyncio.to_thread(migrate, self._path, migrations_of("collector"))
        await self._writer.start()
        self._open = True
        interval_ms = self._settings.collection_interval_ms
        await self.fleet.load()
        defaults = default_rules(read=read_condition, interval_ms=interval_ms)
        await self.rules.load(defaults, interval_ms=interval_ms)
        await self.pushes.load()

    async def stop(self) -> None:
        """Save the rest and close; safe after a start that failed half-way, and twice."""
        opened, self._open = self._open, False
        steps = (
            Step("live streams", self.live.close),
            Step("queries", self._queries.close),
            Step("the rules' queries", self._rule_queries.close),
            *([Step("saving the services", self.fleet.flush, 1.0)] if opened else ()),
            Step("outbound", self._outbound.close, 0.3),
            Step("database", self._database.close, 0.7),
        )
        await end_in_order(steps, seconds_max=STOP_SECONDS_MAX)

    def observe(self, message: Message, opened: Unwrapped) -> None:
        """Take in one message of a peer; never raises."""
        self.fleet.observe(message, opened)
        self._feed.observe(message, opened)
        self._foreign.observe(message, opened)

    def tick(self) -> None:
        """Tell the browsers that there are new samples."""
        self._feed.tick()

    def routes(self) -> tuple[APIRouter, ...]:
        """All routes of this half."""
        clock, interval_ms = self._clock, self._settings.collection_interval_ms
        return (
            rule_routes(self.rules, self._queries, clock, interval_ms=interval_ms),
            pack_routes(self.rules, interval_ms=interval_ms),
            silence_routes(self.rules, clock, self._random, zones=load_zone),
            alert_routes(self.rules, clock),
            service_routes(self.fleet, clock),
            loadbalancer_routes(self.weights, self.fleet),
            live_routes(self.live),
            query_routes(self._queries, clock),
            push_routes(self.pushes, SeriesTexts(), self._counters),
            forward_routes(self._outbound, self._scheduler_url),
        )

    def _scheduler_url(self) -> str:
        """Where the scheduler answers now: the one that was named, else that of our folder."""
        if self._settings.scheduler_url is not None:
            return self._settings.scheduler_url.rstrip("/")
        told = _told_url(self._settings.data_dir / "run" / "scheduler.json")
        return told or f"http://127.0.0.1:{self._settings.scheduler_port}"


def _told_url(path: Path) -> str:
    try:
        told = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return ""
    url = told.get("url") if isinstance(told, dict) else None
    return url if isinstance(url, str) else ""


def _later(seconds: float, call: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, call)
