"""What happens to an execution that is due while others of its event are open.

Source: scheduling.md §4, "Overlap".
"""

from enum import Enum
from typing import Final

from alicia.scheduling.event import OverlapPolicy

QUEUE_MAX: Final = 100


class Admission(Enum):
    """What to do with a new execution."""

    START = "start"
    QUEUE = "queue"  # pending, ``queued``: started when the one before it is final
    SKIP = "skip"  # skipped, ``overlap``
    FULL = "full"  # skipped, ``queue_full``
    REPLACE = "replace"  # cancel the open ones, then start


def admit(policy: OverlapPolicy, *, running: int, queued: int, catch_up: bool) -> Admission:
    """Decide on one new execution, given the open ones of its event.

    ``queued`` counts those that wait behind a ``running`` one. Catch-up runs queue behind
    whatever is open: they were late already, and overlap must not swallow them.
    """
    if policy is OverlapPolicy.ALLOW or running + queued == 0:
        return Admission.START
    if catch_up:
        return Admission.QUEUE
    match policy:
        case OverlapPolicy.SKIP:
            return Admission.SKIP
        case OverlapPolicy.CANCEL_RUNNING:
            return Admission.REPLACE
        case OverlapPolicy.QUEUE_ONE:
            return Admission.SKIP if queued else Admission.QUEUE
        case _:
            return Admission.FULL if queued >= QUEUE_MAX else Admission.QUEUE
