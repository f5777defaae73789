import pytest

from alicia.fleet.weights import Load, weights, worth_telling

# what differs | loads | weights
CASES: list[tuple[str, dict[str, Load], dict[str, int]]] = [
    ("nothing", {"a": Load(), "b": Load()}, {"a": 100, "b": 100}),
    ("latency", {"a": Load(0.1), "b": Load(0.2)}, {"a": 100, "b": 50}),
    ("latency by far", {"a": Load(0.01), "b": Load(60.0)}, {"a": 100, "b": 1}),
    ("no latency at all", {"a": Load(0.0), "b": Load(0.001)}, {"a": 100, "b": 100}),
    ("errors", {"a": Load(error_ratio=0.0), "b": Load(error_ratio=0.1)}, {"a": 100, "b": 50}),
    ("all fail", {"a": Load(error_ratio=0.0), "b": Load(error_ratio=1.0)}, {"a": 100, "b": 1}),
    ("both fail", {"a": Load(error_ratio=1.0), "b": Load(error_ratio=1.0)}, {"a": 100, "b": 100}),
    ("busy", {"a": Load(saturation=0.0), "b": Load(saturation=0.75)}, {"a": 100, "b": 50}),
    ("room enough", {"a": Load(saturation=0.1), "b": Load(saturation=0.5)}, {"a": 100, "b": 100}),
    ("full", {"a": Load(saturation=0.2), "b": Load(saturation=1.0)}, {"a": 100, "b": 1}),
    ("degraded", {"a": Load(), "b": Load(degraded=True)}, {"a": 100, "b": 50}),
    ("two parts", {"a": Load(0.1, 0.0), "b": Load(0.2, 0.1)}, {"a": 100, "b": 25}),
    ("silence", {"a": Load(0.1), "b": Load(0.4), "c": Load()}, {"a": 100, "b": 25, "c": 62}),
    ("one", {"a": Load(3.0, 0.5, 0.9)}, {"a": 100}),
    ("none", {}, {}),
]


@pytest.mark.parametrize(("loads", "wanted"), [row[1:] for row in CASES],
                         ids=[row[0] for row in CASES])  # fmt: skip
def test_weights(loads: dict[str, Load], wanted: dict[str, int]) -> None:
    assert weights(loads) == wanted


@pytest.mark.parametrize(
    ("before", "after", "telling"),
    [({"a": 100, "b": 50}, {"a": 100, "b": 60}, False),
     ({"a": 100, "b": 50}, {"a": 100, "b": 61}, True),
     ({"a": 100, "b": 50}, {"a": 80, "b": 50}, False),
     ({"a": 100, "b": 50}, {"a": 79, "b": 50}, True),
     ({"a": 100}, {"a": 100, "b": 100}, True),
     ({"a": 100, "b": 1}, {"a": 100}, True),
     ({}, {}, False)],
)  # fmt: skip
def test_only_changes_above_a_fifth_are_told(
    before: dict[str, int], after: dict[str, int], telling: bool
) -> None:
    assert worth_telling(before, after) is telling
