"""When a dead part starts again, and when giving up says more; pure."""

from dataclasses import dataclass, replace
from typing import Final

from alicia.base.backoff import backoff_ms
from alicia.base.clock import Random

_FIRST_WAIT_MS: Final = 400
_LONGEST_WAIT_MS: Final = 30_000
# A part that ran this long has mended; its next death starts a new row of waits.
_STEADY_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Record:
    """What happened to one part since the supervisor began.

    ``restarts`` counts all of them; ``in_a_row`` those without a steady minute between them.
    ``ready`` says whether the part has ever been ready.
    """

    restarts: int = 0
    in_a_row: int = 0
    ready: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """Start the part again after the wait."""

    record: Record
    wait_ms: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The part has refused to start; it has said why, and a second try would say it again."""


def after_exit(record: Record, *, code: int, ran_ms: int, random: Random) -> Again | GiveUp:
    """Decide what the end of a part leads to; ``code`` is negative for a signal.

    A part that ends by itself before it was ever ready has refused: its port or its data folder
    is taken, or a setting is wrong. Whatever has once run, or was killed, is started again for
    ever, at last every half minute: each try says why it failed, and its owner may be mending it.
    """
    if not record.ready and code >= 0:
        return GiveUp()
    in_a_row = 1 if ran_ms >= _STEADY_MS else record.in_a_row + 1
    wait_ms = backoff_ms(in_a_row, first_ms=_FIRST_WAIT_MS, max_ms=_LONGEST_WAIT_MS, random=random)
    return Again(replace(record, restarts=record.restarts + 1, in_a_row=in_a_row), wait_ms)
