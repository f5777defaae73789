"""What the end of a part leads to."""

import pytest

from alicia.cli.restarts import Again, GiveUp, Record, after_exit


class Highest:
    def uniform(self, _a: float, b: float) -> float:
        return b

    def token_hex(self, nbytes: int) -> str:
        return "0" * 2 * nbytes


def judge(record: Record, code: int, ran_ms: int = 0) -> Again | GiveUp:
    return after_exit(record, code=code, ran_ms=ran_ms, random=Highest())


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_part_that_ends_by_itself_before_it_was_ready_has_refused(code: int) -> None:
    assert judge(Record(), code) == GiveUp()


def test_a_part_that_is_killed_before_it_was_ready_starts_again() -> None:
    assert judge(Record(), -9) == Again(Record(restarts=1, in_a_row=1), 400)


@pytest.mark.parametrize("code", [0, 1, -9])
def test_a_part_that_was_ready_always_starts_again(code: int) -> None:
    assert judge(Record(ready=True), code) == Again(Record(1, 1, True), 400)


def test_the_wait_doubles_up_to_its_limit() -> None:
    record, waits = Record(ready=True), []
    for _ in range(9):
        again = judge(record, 1)
        assert isinstance(again, Again)
        record = again.record
        waits.append(again.wait_ms)
    assert waits == [400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]


@pytest.mark.parametrize(("ran_ms", "wait_ms"), [(59_999, 1600), (60_000, 400)])
def test_a_steady_minute_begins_a_new_row(ran_ms: int, wait_ms: int) -> None:
    again = judge(Record(restarts=2, in_a_row=2, ready=True), 1, ran_ms)
    assert isinstance(again, Again)
    assert (again.wait_ms, again.record.restarts) == (wait_ms, 3)
