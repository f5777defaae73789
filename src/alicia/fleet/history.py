"""How a service was over the last day: its changes, and bars of equal length."""

from typing import Final

from alicia.fleet.words import Word

DAY_MS: Final = 86_400_000
CHANGES_KEPT: Final = 1000
_WORST_FIRST: Final = (Word.DOWN, Word.DEGRADED, Word.MUTED, Word.UP, Word.UNKNOWN)

History = tuple[tuple[int, Word], ...]


def with_word(history: History, at_ms: int, word: Word) -> History:
    """The history after a judgement; the same object where the word is still the same.

    Changes older than a day go, except the last of them, which says how the day began.
    """
    if history and history[-1][1] is word:
        return history
    floor_ms = at_ms - DAY_MS
    first = max((i for i, (t, _) in enumerate(history) if t <= floor_ms), default=0)
    return (*history[first:], (at_ms, word))[-CHANGES_KEPT:]


def bars(history: History, count: int, now_ms: int) -> list[str | None]:
    """The worst word of each of ``count`` equal parts of the last day, oldest first.

    None where nothing was known of the service yet. ``count`` is at least 1.
    """
    start_ms = now_ms - DAY_MS
    found: list[set[Word]] = [set() for _ in range(count)]
    ends = (*(at_ms for at_ms, _ in history[1:]), now_ms)
    for (begin_ms, word), end_ms in zip(history, ends, strict=False):
        if end_ms < start_ms:
            continue
        first = min(max(0, (begin_ms - start_ms) * count // DAY_MS), count - 1)
        last = min(max(first, -((start_ms - end_ms) * count // DAY_MS) - 1), count - 1)
        for i in range(first, last + 1):
            found[i].add(word)
    return [next((word.value for word in _WORST_FIRST if word in each), None) for each in found]


def uptime_ratio(history: History, since_ms: int, now_ms: int) -> float | None:
    """The share of the known time since ``since_ms`` in which the service was up or degraded."""
    up_ms = known_ms = 0
    ends = (*(at_ms for at_ms, _ in history[1:]), now_ms)
    for (begin_ms, word), end_ms in zip(history, ends, strict=False):
        length_ms = end_ms - max(begin_ms, since_ms)
        if length_ms <= 0 or word in (Word.UNKNOWN, Word.MUTED):
            continue
        known_ms += length_ms
        up_ms += length_ms if word in (Word.UP, Word.DEGRADED) else 0
    return up_ms / known_ms if known_ms else None
