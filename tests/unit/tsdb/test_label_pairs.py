"""Label pairs are counted in steps, and nobody waits behind more than one of them."""

from types import TracebackType

from alicia.series.labels import LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store
from alicia.tsdb.store_reader import PAIRS

NOW = 10_000_000
HOUR = 3_600_000


class Guard:
    """Knows whether somebody is inside."""

    def __init__(self) -> None:
        self.depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.depth -= 1


def store_of(*series: dict[str, str], guard: Guard | None = None) -> Store:
    store = Store(Limits(max_series_per_service=100_000), guard=guard)
    store.write(Batch([Sample(LabelSet(labels), NOW, 1.0) for labels in series], NOW))
    return store


def test_every_pair_with_the_number_of_its_series() -> None:
    store = store_of({"__name__": "x", "a": "1"}, {"__name__": "x", "a": "2"}, {"__name__": "y"})
    pairs = [pair for part in store.label_pairs() for pair in part]
    assert sorted(pairs) == [
        ("__name__", "x", 2),
        ("__name__", "y", 1),
        ("a", "1", 1),
        ("a", "2", 1),
    ]
    assert list(store_of().label_pairs()) == []


def test_a_step_is_short_and_others_come_between() -> None:
    guard = Guard()
    store = store_of(*({"__name__": f"m{i}"} for i in range(2 * PAIRS + 1)), guard=guard)
    sizes = []
    for part in store.label_pairs():
        assert guard.depth == 0
        sizes.append(len(part))
    assert sizes == [PAIRS, PAIRS, 1]


def test_what_ends_between_two_steps_is_left_out() -> None:
    store = store_of(
        *({"__name__": f"m{i}"} for i in range(PAIRS + 1)), {"__name__": "z", "zone": "a"}
    )
    steps = store.label_pairs()
    assert len(next(steps)) == PAIRS
    assert sum(store.expire(NOW + HOUR + 1)) == PAIRS + 2
    assert [pair for part in steps for pair in part] == []


def test_values_of_a_label_are_counted() -> None:
    store = store_of({"__name__": "x", "a": "1"}, {"__name__": "y", "a": "1"}, {"__name__": "y"})
    assert [store.label_value_count(name) for name in ("a", "__name__", "b")] == [1, 2, 0]
