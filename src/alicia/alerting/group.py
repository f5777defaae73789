"""When rules are evaluated: at instants that are whole multiples of their interval."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alicia.alerting.rule import Rule


@dataclass(frozen=True, slots=True)
class Due:
    """A rule to evaluate at ``slot_ms``; ``missed`` slots before it are counted, not replayed."""

    rule: Rule
    slot_ms: int
    missed: int


def slot_of(now_ms: int, interval_ms: int) -> int:
    """The newest slot at or before ``now_ms``."""
    return now_ms // interval_ms * interval_ms


def due(rules: Iterable[Rule], last_slots: Mapping[str, int], now_ms: int) -> tuple[Due, ...]:
    """Enabled rules whose newest slot was not evaluated yet; a new rule is due at once."""
    found = []
    for rule in rules:
        if not rule.enabled:
            continue
        slot_ms, last_ms = slot_of(now_ms, rule.interval_ms), last_slots.get(rule.name)
        if last_ms is None:
            found.append(Due(rule, slot_ms, 0))
        elif slot_ms > last_ms:
            found.append(Due(rule, slot_ms, (slot_ms - last_ms) // rule.interval_ms - 1))
    return tuple(found)


def wait_ms(rules: Iterable[Rule], now_ms: int, *, longest_ms: int) -> int:
    """How long until the next slot of any enabled rule, at most ``longest_ms``."""
    waits = (rule.interval_ms - now_ms % rule.interval_ms for rule in rules if rule.enabled)
    return min(longest_ms, *waits, longest_ms)
