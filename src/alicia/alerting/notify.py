"""Whether people hear of a change; machines always do.

Source: metrics.md §9.
"""

from dataclasses import dataclass
from enum import StrEnum

from alicia.alerting.memory import AlertRecord
from alicia.alerting.state import Phase


class Reason(StrEnum):
    """Why a notice goes out or does not."""

    NEW = "new"
    ENDED = "ended"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    COOLDOWN = "cooldown"
    NOT_ANNOUNCED = "not_announced"  # it ended, but nobody was told that it began
    NOTHING_NEW = "nothing_new"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a notice goes out now, and why."""

    announce: bool
    reason: Reason


def decide(
    record: AlertRecord,
    *,
    resolved_now: bool,
    silenced_by: tuple[str, ...],
    inhibited_by: tuple[str, ...],
    now_ms: int,
) -> Decision:
    """Decide on one alert after one evaluation.

    An alert that fires unannounced is asked again each time, so its notice follows when the
    silence ends. The end of an announced alert is never swallowed.
    """
    if resolved_now:
        return Decision(
            *((True, Reason.ENDED) if record.announced else (False, Reason.NOT_ANNOUNCED))
        )
    if record.alert.phase is not Phase.FIRING or record.announced:
        return Decision(False, Reason.NOTHING_NEW)
    if silenced_by:
        return Decision(False, Reason.SILENCED)
    if inhibited_by:
        return Decision(False, Reason.INHIBITED)
    if now_ms < record.alert.quiet_until_ms:
        return Decision(False, Reason.COOLDOWN)
    return Decision(True, Reason.NEW)
