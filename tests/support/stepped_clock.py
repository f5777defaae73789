"""A clock that stands still until it is told otherwise."""

START_MS = 1_795_425_234_000


class SteppedClock:
    """Fits ``base.clock.Clock``."""

    def __init__(self) -> None:
        self.wall_ms = START_MS
        self.steady_ms = 1000

    def now_ms(self) -> int:
        return self.wall_ms

    def now_us(self) -> int:
        return self.wall_ms * 1000

    def monotonic_ms(self) -> int:
        return self.steady_ms

    def pass_ms(self, passed_ms: int) -> None:
        self.wall_ms += passed_ms
        self.steady_ms += passed_ms
