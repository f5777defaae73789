"""Time and chance as ports: cores take values, services read these once per step."""

from typing import Protocol


class Clock(Protocol):
    """Wall and monotonic time of one process."""

    def now_ms(self) -> int:
        """Wall time, milliseconds since 1970 UTC; may step in both directions."""
        ...

    def now_us(self) -> int:
        """Wall time, microseconds since 1970 UTC."""
        ...

    def monotonic_ms(self) -> int:
        """Time that never steps and goes on during suspend (CLOCK_BOOTTIME); any origin."""
        ...


class Random(Protocol):
    """A seeded source of chance; tests pass one that replays."""

    def uniform(self, a: float, b: float) -> float:
        """A float in [a, b]."""
        ...

    def token_hex(self, nbytes: int) -> str:
        """``nbytes`` random bytes as lower-case hex; unguessable in production."""
        ...


def uuid7(*, now_ms: int, random: Random) -> str:
    """A time-ordered unique id, so that lists sorted by id are sorted by birth.

    Source: RFC 9562 §5.7.
    """
    tail = int(random.token_hex(10), 16)
    value = (now_ms & (1 << 48) - 1) << 80
    value |= 0x7 << 76
    value |= (tail >> 62 & 0xFFF) << 64
    value |= 0b10 << 62
    value |= tail & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
