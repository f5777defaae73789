"""The fleet at work: sightings in, pokes and polls out, a judgement of everyone each second.

Source: bus.md §4, architecture.md §3.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from alicia.adapters.bus.speaker import Speaker
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.errors import Unavailable
from alicia.base.sighting import Sight, Sighting
from alicia.base.version import __version__
from alicia.collector.clock_watch import ClockWatch
from alicia.collector.live import LiveHub
from alicia.collector.poll_http import HealthPoller
from alicia.collector.poll_metrics import MetricSenders
from alicia.collector.poll_shape import service_to_api
from alicia.collector.poll_up import UpSeries
from alicia.collector.publish import CAPABILITIES
from alicia.fleet.history import uptime_ratio, with_word
from alicia.fleet.poke import polls
from alicia.fleet.ports import Registry
from alicia.fleet.record import ServiceRecord, observe, shifted
from alicia.fleet.status import Status, is_up, judge, judge_each
from alicia.fleet.words import Word
from alicia.series.labels import SERVICE
from alicia.wire.envelope import Unwrapped
from alicia.wire.fleet import chatterer, decode_sightings
from alicia.wire.names import COLLECTOR, FLEET, UNKNOWN_SERVICE, canonical_service
from alicia.wire.ports import Bus, Message

SERVICES_MAX: Final = 1000
METRIC_SERVICES_MAX: Final = 500  # those that only send metrics; others are not kept out by them
CHATTER_MS: Final = 1000  # signs of life are booked once in this time
SENDERS_KEPT: Final = 10_000
FORGOTTEN_AFTER_MS: Final = 7 * 86_400_000
METRIC_SERVICE_KEPT_MS: Final = 3_600_000  # of those without any series left


class FleetParts:
    """What the fleet's keeper works with; ``own_status`` is the word of our own health."""

    def __init__(
        self,
        *,
        registry: Registry,
        bus: Bus,
        poller: HealthPoller,
        up: UpSeries,
        senders: MetricSenders,
        live: LiveHub,
        speaker: Speaker,
        clock: Clock,
        counters: Counters,
        own_status: Callable[[], str],
    ) -> None:
        self.registry = registry
        self.bus = bus
        self.poller = poller
        self.up = up
        self.senders = senders
        self.live = live
        self.speaker = speaker
        self.clock = clock
        self.counters = counters
        self.own_status = own_status


class Fleet:
    """All known services. Belongs to the event loop.

    Family counted: ``services`` by ``overflow``.
    """

    def __init__(self, parts: FleetParts, *, interval_ms: int) -> None:
        self._parts = parts
        self._interval_ms = interval_ms
        self._started_ms = parts.clock.now_ms()
        self.records: dict[str, ServiceRecord] = {}
        self.spellings = Spellings(lambda: self.records)
        self._unsaved: set[str] = set()
        self._heard: dict[str, int] = {}  # when mere signs of life were last booked, by sender
        self._connection = (0, 0)  # what the bus says it stands since, and that on our clock
        # Of every instance, by service and instance, as last judged; and the same for ``up``.
        self._words: dict[str, dict[str, Word]] = {}
        self._up: dict[str, dict[str, bool]] = {}
        self._watch = ClockWatch(parts.clock)

    async def load(self) -> None:
        """Take up what an earlier process knew; how it was meanwhile is unknown."""
        for name, record in (await self._parts.registry.load()).items():
            last_ms = max(record.seen_ms or 0, record.history[-1][0] if record.history else 0)
            history = with_word(record.history, last_ms, Word.UNKNOWN)
            self.records[name] = replace(
                record, history=history, word=Word.UNKNOWN, code="not_judged",
                sentence="not judged yet since our start",
            )  # fmt: skip

    def observe(self, message: Message, opened: Unwrapped) -> None:
        """Take in one message of a peer; never raises."""
        at_ms = message.received_ms or self._parts.clock.now_ms()
        if not message.retained and self._heard_just_now(chatterer(message, opened), at_ms):
            return
        sightings = decode_sightings(
            message,
            opened,
            topics=self._parts.speaker.topics,
            received_ms=at_ms,
            registered=self.spellings,
        )
        for sighting in sightings:
            self._sight(sighting)

    async def ask(self) -> None:
        """Poke everyone on the bus; they answer with their health (L1)."""
        speaker, bus = self._parts.speaker, self._parts.bus
        if bus.state.connected:
            status = self._parts.own_status()
            payload = {"service_name": COLLECTOR, "status": status, "version": __version__}
            poke = speaker.publication(speaker.topics.health_check, payload)
            # The next one makes it pointless, so nobody is poked by a queue.
            expiry_seconds = max(1, self._interval_ms // 1000)
            await speaker.say(bus, replace(poke, expiry_seconds=expiry_seconds))

    async def poke(self) -> None:
        """Ask everyone on the bus, and those who are silent there over HTTP (L2)."""
        await self.ask()
        await self._forget_the_gone()
        due = polls(
            self.records.values(),
            now_ms=self._parts.clock.now_ms(),
            default_cadence_ms=self._interval_ms,
            ours=frozenset({COLLECTOR}),
        )
        answers = await asyncio.gather(
            *(self._parts.poller.ask(each, self.records) for each in due)
        )
        for sighting in filter(None, answers):
            self._sight(sighting)
        self._parts.up.write(self._up, self._parts.clock.now_ms(), changed_only=False)
        for record in self.records.values():
            self._parts.live.publish("service", record.service, self.shape(record))
        await self.flush()

    async def judge(self) -> None:
        """Judge everyone; changes are told, written as ``up``, and saved."""
        now_ms = self._parts.clock.now_ms()
        self._follow_clock()
        up_since_ms = self._bus_up_since(now_ms)
        self._see_ourselves(self._parts.own_status())
        self._see_senders()
        for name, record in tuple(self.records.items()):
            status = self._judged(record, now_ms, up_since_ms)
            if (status.word, status.code) == (record.word, record.code):
                if status.sentence != record.sentence:
                    self.records[name] = replace(record, sentence=status.sentence)
                continue
            history = with_word(record.history, now_ms, status.word)
            changed = replace(
                record, history=history, word=status.word, code=status.code,
                sentence=status.sentence,
            )  # fmt: skip
            self.records[name] = changed
            self._unsaved.add(name)
            self._parts.live.publish("service", name, self.shape(changed))
        self._parts.up.write(self._up, now_ms, changed_only=True)
        await self._save()

    async def flush(self) -> None:
        """Save everything, with what changes all the time, such as when who was seen."""
        self._unsaved.update(self.records)
        await self._save()

    def shape(self, record: ServiceRecord) -> dict[str, object]:
        """A service in its API shape."""
        return service_to_api(
            record, self._words.get(record.service, {}), default_cadence_ms=self._interval_ms
        )

    def word_of(self, service: str, instance: str) -> str:
        """The word for one instance, for other parts of the API."""
        return self._words.get(service, {}).get(instance, Word.UNKNOWN).value

    def life_of(self, service: str, window_ms: int) -> dict[str, object]:
        """Uptime ratio and restarts of a service, within what is remembered of the window."""
        record, now_ms = self.records.get(service), self._parts.clock.now_ms()
        if record is None:
            return {"uptime_ratio": None, "restarts": None}
        since_ms = now_ms - window_ms
        times = (at for each in record.instances.values() for at in each.restarts)
        return {
            "uptime_ratio": uptime_ratio(record.history, since_ms, now_ms),
            "restarts": sum(at >= since_ms for at in times),
        }

    def departed(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels' service said good-bye."""
        record = self.records.get(labels.get(SERVICE, ""))
        return record is not None and record.code == "good_bye"

    def _heard_just_now(self, sender: str, at_ms: int) -> bool:
        """Whether a mere sign of life adds nothing to what the last second said."""
        if not sender:
            return False
        if 0 <= at_ms - self._heard.get(sender, 0) < CHATTER_MS:
            return True
        if len(self._heard) >= SENDERS_KEPT:
            self._heard.clear()
        self._heard[sender] = at_ms
        return False

    def _sight(self, sighting: Sighting) -> None:
        name = sighting.service
        record = self.records.get(name)
        if record is None and not self._welcome(sighting):
            return
        after = observe(
            record,
            sighting,
            bus_up_since_ms=self._bus_up_since(sighting.at_ms),
            default_cadence_ms=self._interval_ms,
        )
        self.records[name] = after
        if record is None or after.restarts_total != record.restarts_total:
            self._unsaved.add(name)
            self._parts.live.publish("service", name, self.shape(after))

    def _welcome(self, sighting: Sighting) -> bool:
        """Whether it makes a service known: its own word, samples, any word of a planned one."""
        if sighting.kind is Sight.METRICS:
            return False  # whether there is anything of it to show, the stored samples tell
        if sighting.kind is Sight.CHATTER and sighting.service not in FLEET:
            return False
        if len(self.records) >= SERVICES_MAX:
            self._parts.counters.add("services", "overflow")
            return False
        return True

    def _see_ourselves(self, status: str) -> None:
        now_ms = self._parts.clock.now_ms()
        self._sight(
            Sighting(
                Sight.HEALTH,
                COLLECTOR,
                COLLECTOR,
                now_ms,
                status=status,
                version=__version__,
                started_ms=self._started_ms,
                start_is_sure=True,
                capabilities=CAPABILITIES,
            )
        )

    def _see_senders(self) -> None:
        """Book whose samples were stored; of services known by nothing else, a bounded number."""
        room = METRIC_SERVICES_MAX - sum(each.only_metrics for each in self.records.values())
        for (sent_as, instance), at_ms in self._parts.senders.take().items():
            service = canonical_service(sent_as, self.spellings)
            if service not in self.records:
                if service == UNKNOWN_SERVICE:
                    continue  # samples that belong to nobody make no service
                if room <= 0:
                    self._parts.counters.add("services", "overflow")
                    continue
                room -= 1
            self._sight(Sighting(Sight.STORED, service, instance, at_ms))

    def _judged(self, record: ServiceRecord, now_ms: int, up_since_ms: int | None) -> Status:
        if record.service == COLLECTOR:
            up_since_ms = self._started_ms  # we need no bus to know how we are
        if up_since_ms is not None:
            each = judge_each(
                record,
                now_ms=now_ms,
                bus_up_since_ms=up_since_ms,
                default_cadence_ms=self._interval_ms,
            )
            self._words[record.service] = {name: item.word for name, item in each.items()}
            self._up[record.service] = {
                name: up for name, item in each.items() if (up := is_up(item)) is not None
            }
        return judge(
            record,
            now_ms=now_ms,
            bus_up_since_ms=up_since_ms,
            default_cadence_ms=self._interval_ms,
        )

    def _bus_up_since(self, now_ms: int) -> int | None:
        """Since when the bus is connected, on the wall clock as it is now."""
        state = self._parts.bus.state
        if not state.connected:
            return None
        if state.since_ms != self._connection[0]:
            self._connection = (state.since_ms, min(state.since_ms, now_ms))
        return self._connection[1]

    def _follow_clock(self) -> None:
        """Move what was seen with a step of the wall clock, so that it makes nobody silent."""
        step_ms = self._watch.step_ms()
        if step_ms:
            self._started_ms += step_ms
            self._connection = (self._connection[0], self._connection[1] + step_ms)
            self._heard.clear()
            self.records = {name: shifted(record, step_ms) for name, record in self.records.items()}

    async def _forget_the_gone(self) -> None:
        """Services of which nothing was heard for a week are no part of the fleet any more.

        Of those that only ever sent metrics nothing is left as soon as their series are gone.
        """
        now_ms, has_series = self._parts.clock.now_ms(), self._parts.senders.has_series
        for name, record in tuple(self.records.items()):
            ended = record.only_metrics and not has_series(name)
            kept_ms = METRIC_SERVICE_KEPT_MS if ended else FORGOTTEN_AFTER_MS
            if max(record.seen_ms or 0, record.first_ms) < now_ms - kept_ms:
                await self._parts.registry.forget(name)
                del self.records[name]
                self._unsaved.discard(name)
                self._words.pop(name, None)
                self._up.pop(name, None)
                self._parts.live.publish("service", name, {"service_name": name, "removed": True})

    async def _save(self) -> None:
        names, self._unsaved = self._unsaved, set()
        if not names:
            return
        try:
            await self._parts.registry.save([self.records[name] for name in sorted(names)])
        except Unavailable:
            self._unsaved |= names & self.records.keys()
            raise


class Spellings:
    """Names that count as registered spellings, now (bus.md T9)."""

    def __init__(self, records: Callable[[], Mapping[str, ServiceRecord]]) -> None:
        self._records = records

    def __contains__(self, name: object) -> bool:
        return name in FLEET or name in self._records()
