import pytest

from alicia.base.backoff import backoff_ms
from alicia.base.clock import uuid7
from alicia.base.counters import Counters
from alicia.base.errors import BadField, BadRequest, FieldError, Kind, NotFound


class FixedRandom:
    """Chance with a known outcome: ``share`` of every range, bytes that count up."""

    def __init__(self, share: float = 1.0) -> None:
        self.share = share

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * self.share

    def token_hex(self, nbytes: int) -> str:
        return bytes(range(nbytes)).hex()


@pytest.mark.parametrize(
    ("attempt", "share", "expected"),
    [(1, 1.0, 500), (1, 0.0, 250), (2, 1.0, 1000), (7, 1.0, 30_000), (10_000, 0.0, 15_000)],
)
def test_backoff_doubles_up_to_its_bound(attempt: int, share: float, expected: int) -> None:
    wait = backoff_ms(attempt, first_ms=500, max_ms=30_000, random=FixedRandom(share))
    assert wait == expected


def test_uuid7_sorts_by_birth_and_names_its_version() -> None:
    older = uuid7(now_ms=1_000, random=FixedRandom())
    newer = uuid7(now_ms=1_001, random=FixedRandom())
    assert older < newer
    assert older[14] == "7"
    assert older[19] in "89ab"
    assert len(older) == 36
    assert int(older.replace("-", "")[:12], 16) == 1_000


def test_counters_keep_families_apart() -> None:
    counters = Counters()
    counters.add("rejected", "bad_value")
    counters.add("rejected", "bad_name", 2)
    counters.add("messages")
    assert counters.total("rejected") == 3
    assert counters.total("never") == 0
    assert counters.by_label("rejected") == {"bad_value": 1, "bad_name": 2}
    snapshot = counters.snapshot()
    counters.add("messages")
    assert snapshot["messages"] == {"": 1}


def test_errors_carry_field_reason_and_kind() -> None:
    error = BadField(("metrics", 3, "value"), "value: not a number", reason="bad_value")
    assert error.errors() == (
        FieldError(("metrics", 3, "value"), "value: not a number", "bad_value"),
    )
    both = BadRequest((*error.errors(), FieldError(("name",), "name: missing", "missing")))
    assert [fault.code for fault in both.errors()] == ["bad_value", "missing"]
    assert str(both) == "value: not a number; name: missing"
    assert NotFound("no event e7").kind is Kind.NOT_FOUND
    assert NotFound("no event e7").errors() == ()
