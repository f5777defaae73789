"""The rules at work: evaluated in their slots, saved with their notices, then told.

Source: metrics.md §9, architecture.md §3.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from alicia.adapters.bus.speaker import Speaker
from alicia.alerting.evaluation import (
    Change,
    ChangeKind,
    Evaluation,
    RuleFailed,
    adopt,
    evaluate,
    resume,
    retire,
)
from alicia.alerting.group import Due, due, wait_ms
from alicia.alerting.memory import AlertRecord, RuleMemory
from alicia.alerting.ports import AlertStore, Departed
from alicia.alerting.rule import Rule
from alicia.alerting.silence import Silence
from alicia.alerting.state import RESOLVED_KEPT_MS, Phase
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.errors import AliciaError, NotFound
from alicia.collector.clock_watch import ClockWatch
from alicia.collector.live import LiveHub
from alicia.collector.notify import Notifier
from alicia.collector.outbox import Outbox
from alicia.collector.rules_foreign import MEMORY as FOREIGN
from alicia.collector.rules_foreign import ForeignAlerts
from alicia.collector.rules_silences import Silences
from alicia.promql.plan import Window
from alicia.promql.ports import Check, Evaluator
from alicia.promql.values import Element, Matrix, Scalar

LONGEST_WAIT_MS: Final = 1000
SETTLING_MS_MIN: Final = 60_000
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuleHealth:
    """How the last evaluation of a rule went; ``error`` is "" where it went well."""

    at_ms: int
    error: str = ""


class RuleParts:
    """What the rules work with."""

    def __init__(
        self,
        *,
        store: AlertStore,
        evaluator: Evaluator,
        outbox: Outbox,
        live: LiveHub,
        speaker: Speaker,
        clock: Clock,
        counters: Counters,
        departed: Departed,
        foreign: ForeignAlerts,
    ) -> None:
        self.store = store
        self.evaluator = evaluator
        self.outbox = outbox
        self.live = live
        self.speaker = speaker
        self.clock = clock
        self.counters = counters
        self.departed = departed
        self.foreign = foreign


class Rules:
    """All rules, their memories and the silences. Belongs to the event loop.

    Every change takes the lock, is stored, and only then shows in memory and outside. Conditions
    are evaluated without it, so that nobody waits for a slow one.
    Families counted: ``rule_evaluations`` by ``ok failed missed``.
    """

    def __init__(self, parts: RuleParts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self.rules: dict[str, Rule] = {}
        self.memories: dict[str, RuleMemory] = {}
        self.silences = Silences(parts.store)
        self.health: dict[str, RuleHealth] = {}
        self.notifier = Notifier(
            parts.speaker, lambda: self.silences, lambda: self.rules, lambda: self.memories
        )
        self._last_slots: dict[str, int] = {}
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._started_ms = 0
        self._watch = ClockWatch(parts.clock)

    async def load(self, defaults: Sequence[Rule], *, interval_ms: int) -> None:
        """Read everything; time in which nobody evaluated counts for no running clock.

        ``interval_ms`` is that of rules that name none; it may differ from the last start's.
        """
        store, now_ms = self._parts.store, self._clock.now_ms()
        self._started_ms = now_ms
        await store.add_defaults(defaults)
        self.rules = {
            name: rule if rule.interval_given else replace(rule, interval_ms=interval_ms)
            for name, rule in (await store.load_rules()).items()
        }
        await self.silences.load()
        for name, memory in (await store.load_memories()).items():
            interval_ms = self.rules[name].interval_ms if name in self.rules else 0
            down_ms = now_ms - (memory.evaluated_ms or now_ms) - interval_ms
            self.memories[name] = resume(memory, by_ms=down_ms) if down_ms > 0 else memory
        await self._parts.outbox.load()

    async def run(self) -> None:
        """Evaluate for ever, each rule at its slots."""
        while True:
            try:
                await self.tick()
            except Exception:  # the outermost frame of a long task
                self._parts.counters.add("loop_errors", "rules")
                _log.exception("a tick of the rules failed; the next one follows")
            now_ms = self._clock.now_ms()
            pause_ms = wait_ms(self.rules.values(), now_ms, longest_ms=LONGEST_WAIT_MS)
            self._changed.clear()
            try:
                async with asyncio.timeout(pause_ms / 1000):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def tick(self) -> None:
        """Evaluate what is due, and age what is over; one call at a time."""
        async with self._lock:
            now_ms = self._clock.now_ms()
            self._follow_clock()
            await self._absorb(now_ms)
        for each in due(self.rules.values(), self._last_slots, now_ms):
            if not self._in_force(each.rule):
                continue  # what is there in its place is due anew
            first = each.rule.name not in self._last_slots
            self._last_slots[each.rule.name] = each.slot_ms
            # The first look is at now: a new rule shall see what is there already.
            await self._evaluate(each, now_ms if first else each.slot_ms)
        async with self._lock:
            await self._age(now_ms)

    async def add(self, rule: Rule) -> None:
        """Store a new rule; it is evaluated at once.

        Raises:
            Conflict: the name is in use.
        """
        async with self._lock:
            await self._parts.store.add_rule(rule)
            self.rules[rule.name] = rule
            self._restart(rule.name)

    async def replace(self, rule: Rule) -> None:
        """Put a rule in the place of the one with its name; alerts survive if the expression does.

        Raises:
            NotFound: there is no rule of this name.
        """
        async with self._lock:
            before, now_ms = self.rule(rule.name), self._clock.now_ms()
            memory = self.memories.get(rule.name, RuleMemory())
            if not rule.enabled:
                evaluation = retire(memory, now_ms=now_ms, reason="rule_disabled")
            elif before.expr != rule.expr:
                evaluation = retire(memory, now_ms=now_ms, reason="rule_changed")
            else:
                evaluation = Evaluation(adopt(memory, rule, now_ms=now_ms), ())
            marked, notices = self.notifier.notices(evaluation, now_ms)
            await self._parts.store.replace_rule(rule, marked.memory, notices)
            self.rules[rule.name] = rule
            self._restart(rule.name)
            self._apply(rule.name, marked)
            self._parts.outbox.add(notices)

    async def delete(self, name: str) -> None:
        """Remove a rule; its alerts resolve with the reason ``rule_removed``.

        Raises:
            NotFound: there is no rule of this name.
        """
        async with self._lock:
            self.rule(name)
            now_ms = self._clock.now_ms()
            evaluation = retire(
                self.memories.get(name, RuleMemory()), now_ms=now_ms, reason="rule_removed"
            )
            marked, notices = self.notifier.notices(evaluation, now_ms)
            await self._parts.store.delete_rule(name, marked.memory, notices)
            del self.rules[name]
            self._restart(name)
            self._apply(name, marked)
            self._parts.outbox.add(notices)

    def rule(self, name: str) -> Rule:
        """The rule of a name.

        Raises:
            NotFound: there is none.
        """
        if name not in self.rules:
            raise NotFound(f"rule {name[:64]!r}: there is none; GET /alerts/rules lists them")
        return self.rules[name]

    def records(self) -> list[AlertRecord]:
        """All alerts, oldest first."""
        found = [record for memory in self.memories.values() for record in memory.alerts.values()]
        return sorted(found, key=lambda record: (record.alert.active_ms, record.alert_id))

    def active_by_severity(self) -> Mapping[str, int]:
        """How many alerts fire now."""
        counts: dict[str, int] = {}
        for record in self.records():
            if record.alert.phase is Phase.FIRING:
                counts[record.severity.value] = counts.get(record.severity.value, 0) + 1
        return counts

    async def add_silence(self, silence: Silence) -> None:
        """Store a silence, and tell whom it keeps quiet."""
        async with self._lock:
            await self.silences.add(silence)
            self._tell_silenced(silence)

    async def end_silence(self, silence_id: str) -> Silence:
        """End a silence now; it stays listed as expired for a week.

        Raises:
            NotFound: there is no silence of this id.
        """
        async with self._lock:
            ended = await self.silences.end(silence_id, now_ms=self._clock.now_ms())
            self._tell_silenced(ended)
            return ended

    async def _evaluate(self, each: Due, at_ms: int) -> None:
        rule, counters = each.rule, self._parts.counters
        if each.missed:
            counters.add("rule_evaluations", "missed", each.missed)
        memory = self.memories.get(rule.name, RuleMemory())
        settling = at_ms - self._started_ms < max(2 * rule.interval_ms, SETTLING_MS_MIN)
        # Only what an earlier process knew can still be on its way.
        settling &= any(record.updated_ms < self._started_ms for record in _of(memory))

        def judge(result: Matrix | Scalar, _check: Check) -> Evaluation:
            return evaluate(
                rule,
                _vector(result),
                memory,
                now_ms=at_ms,
                departed=self._parts.departed,
                settling=settling,
            )

        try:
            evaluation = await self._parts.evaluator.ask(rule.subject, Window(at_ms, at_ms), judge)
        except AliciaError as error:
            if self._in_force(rule):
                counters.add("rule_evaluations", "failed")
                self.health[rule.name] = RuleHealth(at_ms, str(error))
            return
        async with self._lock:
            if self._in_force(rule):
                await self._settle(rule, evaluation, at_ms)

    def _in_force(self, rule: Rule) -> bool:
        """Whether nobody changed or removed the rule meanwhile."""
        return self.rules.get(rule.name) is rule

    async def _settle(self, rule: Rule, evaluation: Evaluation, at_ms: int) -> None:
        """Store what became of a rule's alerts, and tell it."""
        before = self.memories.get(rule.name, RuleMemory())
        marked, notices = self.notifier.notices(evaluation, at_ms)
        if _worth_saving(before, marked.memory):
            await self._parts.store.save(rule.name, marked.memory, notices)
        self._parts.counters.add("rule_evaluations", "ok")
        self.health[rule.name] = RuleHealth(at_ms)
        self._apply(rule.name, marked)
        self._parts.outbox.add(notices)

    async def _absorb(self, now_ms: int) -> None:
        """Take in what the other monitor told."""
        memory = self.memories.get(FOREIGN, RuleMemory())
        evaluation = self._parts.foreign.step(memory, now_ms=now_ms)
        if evaluation is None:
            return
        marked, notices = self.notifier.notices(evaluation, now_ms)
        if marked.memory.alerts != memory.alerts:
            await self._parts.store.save(FOREIGN, marked.memory, notices)
        self._apply(FOREIGN, marked)
        self._parts.outbox.add(notices)

    def _apply(self, name: str, evaluation: Evaluation) -> None:
        if evaluation.memory.alerts or evaluation.memory.seen:
            self.memories[name] = evaluation.memory
        else:
            self.memories.pop(name, None)
        now_ms = self._clock.now_ms()
        for change in evaluation.changes:
            self._tell(change, now_ms)

    def _tell(self, change: Change, now_ms: int) -> None:
        shape = self.notifier.shape(change.record, now_ms)
        if change.kind is ChangeKind.DROPPED:
            if change.record.alert.phase is Phase.RESOLVED:
                return  # its end was told a quarter of an hour ago
            shape |= {"state": Phase.RESOLVED.value, "resolved": True, "reason": "not_fired"}
        self._parts.live.publish("alert", change.record.alert_id, shape)

    def _tell_silenced(self, silence: Silence) -> None:
        now_ms = self._clock.now_ms()
        for record in self.records():
            if silence.covers(record.labels) and record.alert.phase is not Phase.RESOLVED:
                shape = self.notifier.shape(record, now_ms)
                self._parts.live.publish("alert", record.alert_id, shape)

    def _restart(self, name: str) -> None:
        """Forget when a rule was last evaluated, so that it is due now."""
        self._last_slots.pop(name, None)
        self.health.pop(name, None)
        self._changed.set()

    def _follow_clock(self) -> None:
        """Move running clocks with a step of the wall clock, so that it makes nothing fire."""
        step_ms = self._watch.step_ms()
        if step_ms:
            _log.warning("the clock was set by %d ms; running alerts move with it", step_ms)
            self._started_ms += step_ms
            self._last_slots.clear()
            self.memories = {
                name: resume(memory, by_ms=step_ms) for name, memory in self.memories.items()
            }

    async def _age(self, now_ms: int) -> None:
        """Drop old alerts of rules that are gone or disabled, and silences long over."""
        for name, memory in tuple(self.memories.items()):
            rule = self.rules.get(name)
            if name == FOREIGN or (rule is not None and rule.enabled):
                continue
            kept = {
                identity: record
                for identity, record in memory.alerts.items()
                if now_ms - (record.alert.resolved_ms or now_ms) < RESOLVED_KEPT_MS
            }
            if len(kept) < len(memory.alerts):
                aged = replace(memory, alerts=kept)
                await self._parts.store.save(name, aged, ())
                self._apply(name, Evaluation(aged, ()))
        await self.silences.age(now_ms)


def _vector(result: Matrix | Scalar) -> tuple[Element, ...]:
    if isinstance(result, Scalar):
        raise RuleFailed(f"the condition yields the number {result.values[0]:g}; name a metric")
    return result.at(0)


def _of(memory: RuleMemory) -> list[AlertRecord]:
    return list(memory.alerts.values())


def _worth_saving(before: RuleMemory, after: RuleMemory) -> bool:
    """Whether there is anything that a restart would have to know."""
    return bool(before.alerts or before.seen or after.alerts or after.seen)
