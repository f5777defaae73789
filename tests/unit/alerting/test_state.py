"""The table of metrics.md §9, over the full product of states and inputs."""

from itertools import product

import pytest

from alicia.alerting.state import (
    RESOLVED_KEPT_MS,
    Alert,
    Phase,
    Reading,
    Timing,
    ended,
    retimed,
    shifted,
    step,
)

NOW = 1_000_000_000
FOR, KEEP, COOLDOWN = 60_000, 30_000, 120_000
TIMING = Timing(for_ms=FOR, keep_firing_ms=KEEP, cooldown_ms=COOLDOWN)
TRUE, HELD, CLEAR = Reading.TRUE, Reading.HELD, Reading.CLEAR

PENDING_YOUNG = Alert(Phase.PENDING, NOW - FOR + 1)
PENDING_DUE = Alert(Phase.PENDING, NOW - FOR, quiet_until_ms=7)
FIRED = Alert(Phase.FIRING, NOW - FOR, fired_ms=NOW - 5)
CLEARING = Alert(Phase.FIRING, NOW - FOR, fired_ms=NOW - 5, clear_ms=NOW - KEEP + 1)
CLEARED = Alert(Phase.FIRING, NOW - FOR, fired_ms=NOW - 5, clear_ms=NOW - KEEP)
JUST = NOW - RESOLVED_KEPT_MS + 1
RESOLVED_YOUNG = Alert(Phase.RESOLVED, 1, fired_ms=2, resolved_ms=JUST)
RESOLVED_OLD = Alert(Phase.RESOLVED, 1, fired_ms=2, resolved_ms=NOW - RESOLVED_KEPT_MS)

BEGUN = Alert(Phase.PENDING, NOW)
TABLE = {
    (None, TRUE): BEGUN,
    (None, HELD): None,
    (None, CLEAR): None,
    (PENDING_YOUNG, TRUE): PENDING_YOUNG,
    (PENDING_YOUNG, HELD): None,
    (PENDING_YOUNG, CLEAR): None,
    (PENDING_DUE, TRUE): Alert(Phase.FIRING, NOW - FOR, fired_ms=NOW, quiet_until_ms=7),
    (PENDING_DUE, HELD): None,
    (PENDING_DUE, CLEAR): None,
    (FIRED, TRUE): FIRED,
    (FIRED, HELD): FIRED,
    (FIRED, CLEAR): Alert(Phase.FIRING, NOW - FOR, fired_ms=NOW - 5, clear_ms=NOW),
    (CLEARING, TRUE): FIRED,
    (CLEARING, HELD): FIRED,
    (CLEARING, CLEAR): CLEARING,
    (CLEARED, TRUE): FIRED,
    (CLEARED, HELD): FIRED,
    (CLEARED, CLEAR): Alert(Phase.RESOLVED, NOW - FOR, fired_ms=NOW - 5, resolved_ms=NOW),
    (RESOLVED_YOUNG, TRUE): Alert(Phase.PENDING, NOW, quiet_until_ms=JUST + COOLDOWN),
    (RESOLVED_YOUNG, HELD): RESOLVED_YOUNG,
    (RESOLVED_YOUNG, CLEAR): RESOLVED_YOUNG,
    (RESOLVED_OLD, TRUE): Alert(
        Phase.PENDING, NOW, quiet_until_ms=NOW - RESOLVED_KEPT_MS + COOLDOWN
    ),
    (RESOLVED_OLD, HELD): None,
    (RESOLVED_OLD, CLEAR): None,
}


def test_the_table_covers_the_full_product() -> None:
    states = {state for state, _ in TABLE}
    assert set(TABLE) == set(product(states, Reading))
    assert len(states) == 8


@pytest.mark.parametrize(("state", "reading"), TABLE)
def test_step(state: Alert | None, reading: Reading) -> None:
    assert step(state, reading=reading, now_ms=NOW, timing=TIMING) == TABLE[state, reading]


def test_without_for_an_alert_fires_in_its_first_step() -> None:
    expected = Alert(Phase.FIRING, NOW, fired_ms=NOW)
    assert step(None, reading=TRUE, now_ms=NOW, timing=Timing()) == expected


def test_without_keep_firing_for_it_resolves_in_the_step_that_is_clear() -> None:
    after = step(FIRED, reading=CLEAR, now_ms=NOW, timing=Timing())
    assert after == Alert(Phase.RESOLVED, NOW - FOR, fired_ms=NOW - 5, resolved_ms=NOW)


def test_a_resolved_alert_is_remembered_for_its_whole_cooldown() -> None:
    timing = Timing(cooldown_ms=2 * RESOLVED_KEPT_MS)
    assert step(RESOLVED_OLD, reading=CLEAR, now_ms=NOW, timing=timing) == RESOLVED_OLD


@pytest.mark.parametrize("state", [PENDING_YOUNG, FIRED, CLEARING, RESOLVED_YOUNG])
def test_after_its_rule_is_gone(state: Alert) -> None:
    after = ended(state, now_ms=NOW)
    if state.phase is Phase.PENDING:
        assert after is None
    elif state.phase is Phase.RESOLVED:
        assert after is state
    else:
        assert after == Alert(Phase.RESOLVED, NOW - FOR, fired_ms=NOW - 5, resolved_ms=NOW)


def test_a_longer_for_sends_firing_back_and_a_shorter_one_changes_nothing() -> None:
    back = retimed(FIRED, timing=Timing(for_ms=FOR + 1), now_ms=NOW)
    assert back == Alert(Phase.PENDING, NOW - FOR)
    assert retimed(FIRED, timing=Timing(for_ms=FOR), now_ms=NOW) is FIRED
    assert retimed(PENDING_YOUNG, timing=Timing(for_ms=1), now_ms=NOW) is PENDING_YOUNG


def test_time_in_which_nobody_looked_counts_for_no_running_clock() -> None:
    assert shifted(PENDING_YOUNG, 500).active_ms == PENDING_YOUNG.active_ms + 500
    assert shifted(CLEARING, 500).clear_ms == NOW - KEEP + 501
    assert shifted(CLEARING, 500).active_ms == CLEARING.active_ms
    assert shifted(FIRED, 500) == FIRED
