"""What goes wrong and when, as a pure function of seed, service and time."""

import zlib
from enum import Enum
from typing import Final

_SPELL_SECONDS: Final = 180  # longer than three pokes, so that a crash is noticed
_CRASH_SHARE: Final = 0.06
_SLOW_SHARE: Final = 0.12


class Mood(Enum):
    """How a service does during one spell."""

    WELL = "well"
    SLOW = "slow"  # eight times the latency, one request in five fails
    CRASHED = "crashed"  # silent, without a good-bye


SLOWNESS: Final = {Mood.WELL: 1.0, Mood.SLOW: 8.0}
ERROR_RATIO: Final = {Mood.WELL: 0.004, Mood.SLOW: 0.2}


def mood_at(seed: int, name: str, t: float) -> Mood:
    """The mood of a service at ``t``; spells of different services begin apart.

    A spell after a crash is never another one, so that every service comes back.
    """
    offset = zlib.crc32(name.encode()) % _SPELL_SECONDS
    spell = int((t + offset) // _SPELL_SECONDS)
    mood = _drawn(seed, name, spell)
    if mood is Mood.CRASHED and _drawn(seed, name, spell - 1) is Mood.CRASHED:
        return Mood.WELL
    return mood


def _drawn(seed: int, name: str, spell: int) -> Mood:
    draw = zlib.crc32(f"{seed}/{name}/{spell}".encode()) / 2**32
    if draw < _CRASH_SHARE:
        return Mood.CRASHED
    return Mood.SLOW if draw < _CRASH_SHARE + _SLOW_SHARE else Mood.WELL
