"""Who is to blame for too many series, in a memory that does not grow with them."""

import pytest

from alicia.series.labels import LabelSet
from alicia.tsdb.cardinality import (
    BIRTHS_MAX,
    OTHERS,
    REFUSED_KEPT,
    REFUSED_SHOWN,
    SERVICES_MAX,
    SUSPECTS_MAX,
    WINDOW_MS,
    Cardinality,
)

NOW = 1_700_000_400_000 // WINDOW_MS * WINDOW_MS


def series(service: str, **labels: str) -> LabelSet:
    return LabelSet({"__name__": "m", "service": service, **labels})


@pytest.mark.parametrize(("births", "suspects"), [(BIRTHS_MAX, []), (BIRTHS_MAX + 1, ["a"])])
def test_a_service_is_suspect_above_the_limit(births: int, suspects: list[str]) -> None:
    cardinality = Cardinality()
    for i in range(births):
        cardinality.born(series("a"), now_ms=NOW + i * WINDOW_MS // births)
    assert cardinality.suspects(now_ms=NOW + WINDOW_MS) == suspects


def test_who_was_refused_is_suspect_for_two_windows() -> None:
    cardinality = Cardinality()
    for user in "xyz":
        cardinality.refused(series("a", user=user), now_ms=NOW)
    assert cardinality.suspects(now_ms=NOW + 2 * WINDOW_MS - 1) == ["a"]
    accused = cardinality.accuse("a", [series("a", user="w")])
    assert (accused.label, accused.distinct, accused.refused) == ("user", 4, 3)
    assert cardinality.suspects(now_ms=NOW + 2 * WINDOW_MS) == []
    accused = cardinality.accuse("a", [series("a", user="w")])
    assert (accused.distinct, accused.refused) == (1, 3)
    assert cardinality.refusals() == {"a": 3}


def test_the_worst_suspects_come_first() -> None:
    cardinality = Cardinality()
    for i in range(SUSPECTS_MAX + 1):
        for _ in range(2 if i == SUSPECTS_MAX else 1):
            cardinality.refused(series(f"s{i:02}"), now_ms=NOW)
    assert cardinality.suspects(now_ms=NOW) == [
        f"s{SUSPECTS_MAX}", *(f"s{i:02}" for i in range(SUSPECTS_MAX - 1)),
    ]  # fmt: skip


def test_a_flood_of_services_is_told_as_one() -> None:
    cardinality = Cardinality()
    for i in range(2 * SERVICES_MAX):
        cardinality.refused(series(f"s{i}"), now_ms=NOW)
    refusals = cardinality.refusals()
    assert (len(refusals), refusals[OTHERS]) == (SERVICES_MAX + 1, SERVICES_MAX)
    assert cardinality.suspects(now_ms=NOW)[0] == OTHERS
    accused = cardinality.accuse(OTHERS, ())
    assert (accused.label, accused.born, accused.refused) == ("service", SERVICES_MAX, SERVICES_MAX)


def test_of_the_refused_label_sets_a_bounded_number_is_looked_at() -> None:
    cardinality = Cardinality()
    services = "abcde"
    for service in services:
        for i in range(REFUSED_SHOWN + 1):
            cardinality.refused(series(service, i=str(i)), now_ms=NOW)
    distinct = [cardinality.accuse(service, ()).distinct for service in services]
    assert distinct == [REFUSED_SHOWN] * (REFUSED_KEPT // REFUSED_SHOWN) + [0]
