from dataclasses import replace
from typing import Any

import pytest

from alicia.base.sighting import Sight, Sighting
from alicia.fleet.history import bars, uptime_ratio, with_word
from alicia.fleet.known import KNOWN
from alicia.fleet.poke import polls
from alicia.fleet.record import ServiceRecord, observe, shifted
from alicia.fleet.restarts import in_loop, is_restart
from alicia.fleet.status import Status, judge
from alicia.fleet.words import Word, word_of
from alicia.wire.names import FLEET

T0 = 1_700_000_000_000
SECOND, MINUTE = 1000, 60_000
CADENCE = 30 * SECOND
LONG_AGO = T0 - 10 * MINUTE


def seen(kind: Sight = Sight.HEALTH, at: int = 0, instance: str = "a", **more: Any) -> Sighting:
    return Sighting(kind, "a", instance, T0 + at, **more)


def after(*sightings: Sighting, bus_up_since_ms: int | None = LONG_AGO) -> ServiceRecord:
    record: ServiceRecord | None = None
    for sighting in sightings:
        record = observe(
            record, sighting, bus_up_since_ms=bus_up_since_ms, default_cadence_ms=CADENCE
        )
    assert record is not None
    return record


def status(record: ServiceRecord, at: int, bus_up_since_ms: int | None = LONG_AGO) -> Status:
    return judge(
        record, now_ms=T0 + at, bus_up_since_ms=bus_up_since_ms, default_cadence_ms=CADENCE
    )


@pytest.mark.parametrize(
    ("raw", "word"),
    [("Healthy", "up"), (" online ", "up"), ("busy", "degraded"), ("failed", "down"),
     ("maintenance", "muted"), ("purple", "unknown"), ("", "unknown")],
)  # fmt: skip
def test_words_of_peers(raw: str, word: str) -> None:
    assert word_of(raw).value == word


# sightings | judged after | word | code | sentence
JUDGEMENTS: list[tuple[list[Sighting], int, str, str, str]] = [
    ([seen(status="healthy")], 0, "up", "reported", "reports healthy"),
    ([seen(status="busy")], 0, "degraded", "reported", "reports busy"),
    ([seen(status="failed")], 0, "down", "reported", "reports failed"),
    ([seen(status="purple")], 0, "unknown", "odd_status", "reports 'purple'"),
    ([seen(status="maintenance")], 10 * MINUTE, "muted", "maintenance", "in maintenance"),
    ([seen()], 0, "up", "heard", "heard; reports no health"),
    ([seen(Sight.CHATTER)], 0, "up", "heard", "heard; reports no health"),
    ([seen()], 90 * SECOND, "up", "heard", "heard; reports no health"),
    ([seen()], 94 * SECOND, "down", "silent", "silent 94 s; usually every 30 s"),
    ([seen(), seen(at=100), seen(at=200)], 16 * SECOND, "down", "silent",
     "silent 15 s; usually every 5 s"),
    ([seen(), seen(at=2 * MINUTE)], 7 * MINUTE, "up", "heard", "heard; reports no health"),
    ([seen(), seen(at=2 * MINUTE)], 9 * MINUTE, "down", "silent",
     "silent 7 min; usually every 2 min"),
    ([seen(), seen(Sight.CHATTER, 90 * SECOND)], 100 * SECOND, "up", "heard",
     "heard; reports no health"),
    ([seen(Sight.CHATTER)], 94 * SECOND, "unknown", "silent",
     "silent 94 s; never reported its health"),
    ([seen(Sight.REGISTER, retained=True)], 0, "unknown", "never_heard", "never heard"),
    ([seen(status="ok"), seen(at=60_000, retained=True, status="ok")], 94 * SECOND, "down",
     "silent", "silent 94 s; usually every 30 s"),
    ([seen(status="ok"), seen(Sight.UNREGISTER, 1, retained=True)], 2, "up", "reported",
     "reports ok"),
    ([seen(retained=True, status="online")], 0, "unknown", "never_heard",
     "never heard; was online"),
    ([seen(Sight.STORED)], 90 * SECOND, "unknown", "metrics_only",
     "sends metrics; has never reported health"),
    ([seen(Sight.METRICS)], 91 * SECOND, "unknown", "metrics_only",
     "sent its last metrics 91 s ago; has never reported health"),
    ([seen(), seen(Sight.METRICS, 90 * SECOND)], 100 * SECOND, "up", "heard",
     "heard; reports no health"),
    ([seen(), seen(Sight.STORED, 90 * SECOND)], 100 * SECOND, "down", "silent",
     "silent 100 s; usually every 30 s"),
    ([seen(status="failed"), seen(Sight.STORED, instance="b")], 0, "down", "reported",
     "reports failed"),
    ([seen(Sight.STORED), seen(status="ok", at=1)], 2, "up", "reported", "reports ok"),
    ([seen(Sight.HEARSAY)], 0, "unknown", "never_heard", "never heard"),
    ([seen(), seen(Sight.UNREGISTER, 1)], 2, "down", "good_bye", "said good-bye"),
    ([seen(), seen(Sight.UNREGISTER, 1), seen(at=2)], 3, "up", "heard",
     "heard; reports no health"),
    ([seen(), seen(status="offline", at=1)], 2, "down", "reported", "reports offline"),
    ([seen(status="offline"), seen(Sight.CHATTER, 1)], 2, "up", "heard",
     "heard; reports no health"),
    ([seen(status="offline"), seen(Sight.REGISTER, 1, status="online")], 2, "up", "reported",
     "reports online"),
    ([seen(), seen(instance="b", status="failed")], 0, "degraded", "some_down",
     "1 of 2 instances down: reports failed"),
    ([seen(), seen(instance="b"), seen(Sight.UNREGISTER, instance="b")], 1, "up", "heard",
     "heard; reports no health"),
]  # fmt: skip


@pytest.mark.parametrize("row", JUDGEMENTS, ids=[f"{row[2]}-{row[3]}" for row in JUDGEMENTS])
def test_judgements(row: tuple[list[Sighting], int, str, str, str]) -> None:
    sightings, at, word, code, sentence = row
    assert status(after(*sightings), at) == Status(Word(word), code, sentence)


def test_nobody_is_judged_while_our_connection_is_down() -> None:
    record = after(seen(status="healthy"))
    kept = status(record, 10 * MINUTE, bus_up_since_ms=None)
    assert kept == Status(record.word, record.code, record.sentence)


def test_metrics_prove_nothing_but_are_seen_also_without_a_bus() -> None:
    record = after(seen(Sight.STORED, at=5), bus_up_since_ms=None)
    assert (record.only_metrics, record.seen_ms) == (True, T0 + 5)
    assert status(record, 10, bus_up_since_ms=None).code == "metrics_only"
    assert not after(seen(Sight.STORED), seen(Sight.UNREGISTER, 1)).only_metrics
    assert not after(seen(Sight.STORED), seen(at=1)).only_metrics


def test_after_a_lost_connection_everyone_gets_one_full_limit() -> None:
    record = after(seen())
    back = T0 + 10 * MINUTE
    assert status(record, 11 * MINUTE, bus_up_since_ms=back).word is Word.UP
    assert status(record, 12 * MINUTE, bus_up_since_ms=back).word is Word.DOWN


def test_a_gap_over_our_own_outage_is_no_cadence() -> None:
    record = after(seen(), seen(at=20 * MINUTE), bus_up_since_ms=T0 + 19 * MINUTE)
    assert record.instances["a"].gaps == ()


@pytest.mark.parametrize(("moved", "restart"), [(5 * SECOND, False), (5001, True), (-9999, False)])
def test_a_restart_moves_the_start_forward(moved: int, restart: bool) -> None:
    assert is_restart(T0, T0 + moved) is restart
    sure = {"start_is_sure": True}
    record = after(seen(started_ms=T0, **sure), seen(started_ms=T0 + moved, **sure))
    assert record.restarts_total == int(restart)


def test_registering_anew_after_a_broker_restart_is_no_restart() -> None:
    registered = seen(Sight.REGISTER, started_ms=T0)
    again = seen(Sight.REGISTER, MINUTE, started_ms=T0 + MINUTE)
    assert after(registered, again, bus_up_since_ms=T0 + MINUTE - 1).restarts_total == 0
    assert after(registered, again).restarts_total == 1
    # Where uptime is known, a registration says nothing about the start.
    known = seen(started_ms=T0 - 1, start_is_sure=True)
    assert after(known, registered, again).restarts_total == 0


def test_a_restart_loop_is_degraded_while_pokes_are_answered() -> None:
    def start(at: int) -> Sighting:
        return seen(Sight.REGISTER, at, started_ms=T0 + at)

    loop = [start(i * MINUTE) for i in range(4)]
    assert status(after(*loop), 3 * MINUTE) == Status(
        Word.DOWN, "restart_loop", "3 restarts in 5 min"
    )
    answered = after(*loop, seen(at=3 * MINUTE + 1))
    assert status(answered, 3 * MINUTE + 1).word is Word.DEGRADED
    assert in_loop(answered.instances["a"].restarts, T0 + 8 * MINUTE - 1)
    assert not in_loop(answered.instances["a"].restarts, T0 + 8 * MINUTE)


def test_instances_are_bounded() -> None:
    record = after(*(seen(at=i, instance=str(i)) for i in range(150)))
    assert len(record.instances) == 100
    assert "149" in record.instances
    assert "0" not in record.instances


def test_bars_tell_the_worst_of_each_part_of_the_day() -> None:
    hour = 3_600_000
    now = T0 + 24 * hour
    history = with_word((), T0 + 6 * hour, Word.UP)
    history = with_word(history, T0 + 13 * hour, Word.DOWN)
    history = with_word(history, T0 + 14 * hour, Word.UP)
    assert with_word(history, now, Word.UP) is history
    assert bars(history, 4, now) == [None, "up", "down", "up"]
    assert bars(history, 1, now) == ["down"]
    assert bars(((now, Word.UP),), 2, now) == [None, "up"]
    assert bars((), 2, now) == [None, None]
    assert uptime_ratio(history, T0, now) == pytest.approx(17 / 18)
    assert uptime_ratio((), T0, now) is None


def test_history_forgets_what_is_older_than_a_day_but_how_the_day_began() -> None:
    day = 86_400_000
    history = ((T0, Word.DOWN), (T0 + 1, Word.UP))
    assert with_word(history, T0 + 2 * day, Word.DOWN) == (
        (T0 + 1, Word.UP), (T0 + 2 * day, Word.DOWN),
    )  # fmt: skip
    assert bars(history, 2, T0 + 3 * day) == ["up", "up"]


@pytest.mark.parametrize(("after_ms", "kept"), [(-1, 2), (0, 1)])
def test_a_change_of_exactly_a_day_ago_says_how_the_day_began(after_ms: int, kept: int) -> None:
    day = 86_400_000
    history = ((T0 - 5, Word.DOWN), (T0, Word.UP))
    assert len(with_word(history, T0 + day + after_ms, Word.DOWN)) == kept + 1


def test_bars_bear_changes_that_lie_ahead_of_the_clock() -> None:
    history = ((T0 - 5 * SECOND, Word.UP), (T0 + 120 * MINUTE, Word.DOWN))
    assert bars(history, 4, T0) == [None, None, None, "down"]


def test_a_step_of_the_clock_moves_all_instants_of_a_record() -> None:
    record = after(seen(), seen(Sight.STORED, at=SECOND), seen(Sight.UNREGISTER, at=2 * SECOND))
    record = replace(record, history=((T0, Word.UP), (T0 + SECOND, Word.MUTED)))
    moved = shifted(record, -MINUTE)
    assert moved.history == ((T0 - MINUTE, Word.UP), (T0 + SECOND - MINUTE, Word.MUTED))
    assert moved.first_ms == T0 - MINUTE
    assert moved.instances["a"].seen_ms == T0 - MINUTE
    assert shifted(moved, MINUTE) == record


def test_the_silent_are_asked_where_they_are_known_to_be() -> None:
    def asked(record: ServiceRecord, at: int) -> list[str]:
        found = polls([record], now_ms=T0 + at, default_cadence_ms=CADENCE, ours=frozenset({"me"}))
        return [poll.url for poll in found]

    told = after(seen(address="10.0.0.7:8001"))
    assert asked(told, 45 * SECOND) == []
    assert asked(told, 45 * SECOND + 1) == ["http://10.0.0.7:8001/health"]
    left = after(seen(address="10.0.0.7:8001"), seen(Sight.UNREGISTER, 1))
    assert asked(left, MINUTE) == []
    assert asked(after(seen()), MINUTE) == []  # no address, and no planned port
    planned = after(Sighting(Sight.HEALTH, "stt_service", "stt_service", T0))
    assert asked(planned, MINUTE) == ["http://127.0.0.1:8001/health"]
    ours = after(Sighting(Sight.HEALTH, "me", "me", T0, address="127.0.0.1:1"))
    assert asked(ours, MINUTE) == []


def test_the_plan_names_the_services_whose_spelling_is_known() -> None:
    assert set(KNOWN) == set(FLEET)
    assert len(KNOWN) == 22
