"""The table of metrics.md §2."""

import pytest

from alicia.series.labels import LabelSet
from alicia.series.samples import STALE, Sample
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store
from alicia.tsdb.verdict import Verdict

NAN = float("nan")
SERIES = LabelSet({"__name__": "x"})


@pytest.mark.parametrize(
    ("t_ms", "value", "held", "verdict"),
    [
        (100, 1.0, None, Verdict.STORED),
        (10, 1.0, None, Verdict.STORED),  # the floor is taken
        (9, 1.0, None, Verdict.TOO_OLD),
        (600_900, 1.0, None, Verdict.STORED),  # the ceiling is taken
        (600_901, 1.0, None, Verdict.TOO_FAR_AHEAD),
        (100, 1.0, 1.0, Verdict.REPEAT),
        (100, 2.0, 1.0, Verdict.DUPLICATE_TIMESTAMP),
        (100, -0.0, 0.0, Verdict.DUPLICATE_TIMESTAMP),
        (100, NAN, NAN, Verdict.REPEAT),
        (100, STALE, STALE, Verdict.REPEAT),
        (100, STALE, NAN, Verdict.DUPLICATE_TIMESTAMP),
        (100, STALE, 1.0, Verdict.DUPLICATE_TIMESTAMP),
        (100, 1.0, STALE, Verdict.STORED),
        (100, NAN, STALE, Verdict.STORED),
        (9, 1.0, 1.0, Verdict.TOO_OLD),
    ],
)
def test_every_row(t_ms: int, value: float, held: float | None, verdict: Verdict) -> None:
    store = Store(Limits(retention_ms=890))
    if held is not None:
        store.write(Batch([Sample(SERIES, t_ms, held)], t_ms))
    now = 900  # the floor is 10, the ceiling ten minutes ahead
    assert store.write(Batch([Sample(SERIES, t_ms, value)], now)) == (verdict,)


def test_only_two_verdicts_are_successes() -> None:
    assert {verdict for verdict in Verdict if verdict.accepted} == {
        Verdict.STORED,
        Verdict.REPEAT,
    }
