"""The state table over the full product, and what rows show."""

import pytest

from alicia.scheduling.execution import (
    MOVES,
    OPEN,
    Execution,
    ExecutionStatus,
    IllegalMove,
    Origin,
    ShownKind,
    Signal,
    transition,
)

ILLEGAL = {
    (ExecutionStatus.PENDING, Signal.ADOPTED_PUBLISHED),
    (ExecutionStatus.PENDING, Signal.ADOPTED_UNKNOWN),
    (ExecutionStatus.RUNNING, Signal.STARTED),
}


@pytest.mark.parametrize("status", ExecutionStatus)
@pytest.mark.parametrize("signal", Signal)
def test_every_pair_moves_stays_or_is_illegal(status: ExecutionStatus, signal: Signal) -> None:
    if (status, signal) in ILLEGAL:
        with pytest.raises(IllegalMove, match="BUG"):
            transition(status, signal)
    elif status in OPEN:
        assert transition(status, signal) is MOVES[status, signal]
    else:
        assert transition(status, signal) is status


def test_final_is_what_is_not_open() -> None:
    assert {status for status in ExecutionStatus if not status.final} == OPEN


def test_no_signal_leads_to_a_status_that_rows_are_born_in() -> None:
    born = {ExecutionStatus.MISSED, ExecutionStatus.SKIPPED}
    assert not born & set(MOVES.values())


@pytest.mark.parametrize(
    ("origin", "claimed_us", "kind"),
    [
        (Origin.NOMINAL, 5_000_000, ShownKind.SCHEDULED),
        (Origin.NOMINAL, 5_000_001, ShownKind.CATCH_UP),
        (Origin.CLOCK, 0, ShownKind.SCHEDULED),
        (Origin.MANUAL, 99_000_000, ShownKind.MANUAL),
        (Origin.MQTT, 0, ShownKind.MQTT),
        (Origin.CHAINED, 0, ShownKind.CHAINED),
    ],
)
def test_kind_shows_origin_and_lateness(origin: Origin, claimed_us: int, kind: ShownKind) -> None:
    row = Execution(execution_id="x", event_id="e", due_us=0, origin=origin, claimed_us=claimed_us)
    assert row.kind is kind
