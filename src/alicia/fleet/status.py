"""Judging a service: one word, one code, one sentence (bus.md L2-L7)."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from alicia.fleet.cadence import cadence_ms, limit_ms
from alicia.fleet.record import Instance, ServiceRecord, reported_word, sends_only_metrics
from alicia.fleet.restarts import in_loop, recent
from alicia.fleet.words import Word

_COUNT_ALONE: Final = frozenset({"good_bye", "never_heard", "metrics_only"})


@dataclass(frozen=True, slots=True)
class Status:
    """A judgement; ``code`` is stable, ``sentence`` is for people."""

    word: Word
    code: str
    sentence: str


def judge(
    record: ServiceRecord,
    *,
    now_ms: int,
    bus_up_since_ms: int | None,
    default_cadence_ms: int,
) -> Status:
    """Decide how a service is.

    While our own connection is down nobody is judged anew; after it everyone gets one full
    limit, because their reports may have been lost with it.
    """
    if bus_up_since_ms is None and record.only_metrics:
        bus_up_since_ms = now_ms  # they come by other ways too, and nobody is found down by them
    if bus_up_since_ms is None:
        return Status(record.word, record.code, record.sentence)
    each = judge_each(
        record,
        now_ms=now_ms,
        bus_up_since_ms=bus_up_since_ms,
        default_cadence_ms=default_cadence_ms,
    )
    return _combined(list(each.values()))


def judge_each(
    record: ServiceRecord, *, now_ms: int, bus_up_since_ms: int, default_cadence_ms: int
) -> dict[str, Status]:
    """Decide how every instance is."""
    return {
        name: _judge_instance(instance, now_ms, bus_up_since_ms, default_cadence_ms)
        for name, instance in record.instances.items()
    }


def is_up(status: Status) -> bool | None:
    """Whether it counts as up for rules and charts; None where nobody can say.

    A restart loop is down all the while, also when a poke is answered now and then, so that it
    is one alert from its first restart to its last (L7).
    """
    if status.word in (Word.UNKNOWN, Word.MUTED):
        return None
    return status.word is not Word.DOWN and status.code != "restart_loop"


def _judge_instance(
    instance: Instance, now_ms: int, bus_up_since_ms: int, default_cadence_ms: int
) -> Status:
    word = reported_word(instance)
    if word is Word.MUTED:
        return Status(Word.MUTED, "maintenance", "in maintenance")
    if instance.left_ms is not None:
        return Status(Word.DOWN, "good_bye", "said good-bye")
    if word is Word.DOWN:
        return Status(Word.DOWN, "reported", f"reports {instance.status}")
    if sends_only_metrics(instance):
        return _metrics_only(instance, now_ms, default_cadence_ms)
    if instance.seen_ms is None:
        said = f"never heard; was {instance.status}" if instance.status else "never heard"
        return Status(Word.UNKNOWN, "never_heard", said)
    usual_ms = cadence_ms(instance.gaps, default_ms=default_cadence_ms)
    silent_ms = now_ms - max(instance.seen_ms, bus_up_since_ms)
    if silent_ms > limit_ms(instance.gaps, default_ms=default_cadence_ms):
        return _silent(instance, now_ms - instance.seen_ms, usual_ms)
    if in_loop(instance.restarts, now_ms):
        return _looping(instance, now_ms)
    return _reported(instance, word)


def _metrics_only(instance: Instance, now_ms: int, default_cadence_ms: int) -> Status:
    """Unknown, because samples may come from anybody and by detours, and prove nothing."""
    assert instance.metrics_ms is not None, "it sends metrics"
    silent_ms = now_ms - instance.metrics_ms
    late = silent_ms > limit_ms((), default_ms=default_cadence_ms)
    sends = f"sent its last metrics {_span(silent_ms)} ago" if late else "sends metrics"
    return Status(Word.UNKNOWN, "metrics_only", f"{sends}; has never reported health")


def _silent(instance: Instance, silent_ms: int, usual_ms: int) -> Status:
    if instance.health_ms is None:
        return Status(
            Word.UNKNOWN, "silent", f"silent {_span(silent_ms)}; never reported its health"
        )
    sentence = f"silent {_span(silent_ms)}; usually every {_span(usual_ms)}"
    return Status(Word.DOWN, "silent", sentence)


def _looping(instance: Instance, now_ms: int) -> Status:
    count = recent(instance.restarts, now_ms)
    sentence = f"{count} restarts in 5 min" if count > 1 else "restarted again and again"
    answered = instance.health_ms is not None and instance.health_ms >= instance.restarts[-1]
    return Status(Word.DEGRADED if answered else Word.DOWN, "restart_loop", sentence)


def _reported(instance: Instance, word: Word | None) -> Status:
    if word is None:
        return Status(Word.UP, "heard", "heard; reports no health")
    if word is Word.UNKNOWN:
        return Status(Word.UNKNOWN, "odd_status", f"reports {instance.status[:64]!r}")
    return Status(word, "reported", f"reports {instance.status}")


def _combined(each: list[Status]) -> Status:
    """One status of several: instances that left or said nothing yet count only alone."""
    if not each:
        return Status(Word.UNKNOWN, "never_heard", "never heard")
    counting = [status for status in each if status.code not in _COUNT_ALONE] or each
    words = Counter(status.word for status in counting)
    if len(words) == 1:
        return counting[0]
    if words[Word.DOWN]:
        worst = next(status for status in counting if status.word is Word.DOWN)
        told = f"{words[Word.DOWN]} of {len(counting)} instances down: {worst.sentence}"
        return Status(Word.DEGRADED, "some_down", told)
    order = (Word.DEGRADED, Word.UP, Word.MUTED, Word.UNKNOWN)
    return min(counting, key=lambda status: order.index(status.word))


def _span(length_ms: int) -> str:
    """A length for people: seconds below two minutes, then minutes, hours, days."""
    if length_ms < 120_000:
        return f"{length_ms // 1000} s"
    if length_ms < 2 * 3_600_000:
        return f"{length_ms // 60_000} min"
    if length_ms < 2 * 86_400_000:
        return f"{length_ms // 3_600_000} h"
    return f"{length_ms // 86_400_000} d"
