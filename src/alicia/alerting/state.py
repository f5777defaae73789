"""The life of one alert: a pure step per evaluation.

Source: metrics.md §9.
"""

from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Final

RESOLVED_KEPT_MS: Final = 15 * 60 * 1000


class Phase(StrEnum):
    """Where an alert stands; values equal those of the API."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Reading(Enum):
    """What one evaluation saw of one label set."""

    TRUE = "true"  # the condition holds
    HELD = "held"  # it does not, but the value has not passed resolve_threshold either
    CLEAR = "clear"  # false or absent


@dataclass(frozen=True, slots=True)
class Timing:
    """The durations of a rule that shape the life of its alerts; all 0 or more."""

    for_ms: int = 0
    keep_firing_ms: int = 0
    cooldown_ms: int = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert at one instant.

    ``clear_ms``: since when a firing alert is no longer held (its keep clock). Before
    ``quiet_until_ms`` it fires without notice, because one of its kind resolved just before.
    """

    phase: Phase
    active_ms: int
    fired_ms: int | None = None
    clear_ms: int | None = None
    resolved_ms: int | None = None
    quiet_until_ms: int = 0


def step(prev: Alert | None, *, reading: Reading, now_ms: int, timing: Timing) -> Alert | None:
    """Advance one alert by one evaluation; ``None`` means "no alert"."""
    match prev:
        case None:
            return _begun(0, now_ms, timing) if reading is Reading.TRUE else None
        case Alert(phase=Phase.PENDING):
            # resolve_threshold is for firing alerts only: a pending one must stay true.
            return _waited(prev, now_ms, timing) if reading is Reading.TRUE else None
        case Alert(phase=Phase.FIRING):
            return _kept(prev, reading, now_ms, timing)
        case Alert(phase=Phase.RESOLVED):
            assert prev.resolved_ms is not None, "a resolved alert knows when"
            if reading is Reading.TRUE:
                return _begun(prev.resolved_ms + timing.cooldown_ms, now_ms, timing)
            # A cooldown longer than the usual 15 minutes needs its memory that long.
            kept_ms = max(RESOLVED_KEPT_MS, timing.cooldown_ms)
            return None if now_ms - prev.resolved_ms >= kept_ms else prev
    raise AssertionError(prev)


def ended(alert: Alert, *, now_ms: int) -> Alert | None:
    """The alert after its rule is gone: firing resolves at once, pending vanishes."""
    if alert.phase is Phase.FIRING:
        return replace(alert, phase=Phase.RESOLVED, resolved_ms=now_ms, clear_ms=None)
    return alert if alert.phase is Phase.RESOLVED else None


def retimed(alert: Alert, *, timing: Timing, now_ms: int) -> Alert:
    """The alert under a changed rule: a longer ``for`` sends firing back to pending."""
    if alert.phase is not Phase.FIRING or now_ms - alert.active_ms >= timing.for_ms:
        return alert
    return replace(alert, phase=Phase.PENDING, fired_ms=None, clear_ms=None)


def shifted(alert: Alert, by_ms: int) -> Alert:
    """The alert with its running clocks moved, after downtime or a step of the wall clock.

    Time in which nobody looked counts neither for ``for`` nor for ``keep_firing_for``.
    """
    clear_ms = None if alert.clear_ms is None else alert.clear_ms + by_ms
    if alert.phase is Phase.PENDING:
        return replace(alert, active_ms=alert.active_ms + by_ms)
    return replace(alert, clear_ms=clear_ms)


def _begun(quiet_until_ms: int, now_ms: int, timing: Timing) -> Alert:
    new = Alert(Phase.PENDING, active_ms=now_ms, quiet_until_ms=quiet_until_ms)
    return _waited(new, now_ms, timing)


def _waited(pending: Alert, now_ms: int, timing: Timing) -> Alert:
    if now_ms - pending.active_ms < timing.for_ms:
        return pending
    return replace(pending, phase=Phase.FIRING, fired_ms=now_ms)


def _kept(firing: Alert, reading: Reading, now_ms: int, timing: Timing) -> Alert:
    if reading is not Reading.CLEAR:
        return replace(firing, clear_ms=None)
    clear_ms = now_ms if firing.clear_ms is None else firing.clear_ms
    if now_ms - clear_ms < timing.keep_firing_ms:
        return replace(firing, clear_ms=clear_ms)
    return replace(firing, phase=Phase.RESOLVED, resolved_ms=now_ms, clear_ms=None)
