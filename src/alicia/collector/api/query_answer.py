"""Values as the ``data`` of a Prometheus answer, written row by row.

An answer may hold millions of values, so the text is made here and no object for each. One call
into C holds up all threads until it returns, so none is made over the whole of a large answer but
the last, which only copies.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from alicia.promql.ports import Check
from alicia.promql.values import Matrix, Scalar
from alicia.series.labels import LabelSet
from alicia.wire.prom_json import format_time, format_value

_ROWS_AT_ONCE: Final = 1000
T = TypeVar("T")


def instant_answer(result: Matrix | Scalar, check: Check) -> bytes:
    """The answer to an instant query: a vector, or a scalar."""
    time = format_time(int(result.t_ms[0]))
    if isinstance(result, Scalar):
        value = format_value(float(result.values[0]))
        return _answer("scalar", [f'[{time},"{value}"]'.encode()], brackets=False)
    rows = []
    for number, element in enumerate(result.at(0)):
        if number % _ROWS_AT_ONCE == 0:
            check()
        value = format_value(element.value)
        rows.append(f'{{"metric":{_metric(element.labels)},"value":[{time},"{value}"]}}'.encode())
    return _answer("vector", rows)


def range_answer(result: Matrix | Scalar, check: Check) -> bytes:
    """The answer to a range query: a matrix, sorted by labels."""
    if isinstance(result, Scalar):
        found = iter([(LabelSet(), result.t_ms, result.values)])
    else:
        found = _in_order(list(result.rows()), lambda row: row[0].pairs)
    times = {t_ms: f"[{format_time(t_ms)}," for t_ms in result.t_ms.tolist()}
    rows = []
    for labels, t_ms, values in found:
        check()
        points = ",".join(
            f'{times[at_ms]}"{format_value(value)}"]'
            for at_ms, value in zip(t_ms.tolist(), values.tolist(), strict=True)
        )
        rows.append(f'{{"metric":{_metric(labels)},"values":[{points}]}}'.encode())
    return _answer("matrix", rows)


def _in_order(rows: Sequence[T], key: Callable[[T], tuple[tuple[str, str], ...]]) -> Iterator[T]:
    """The rows sorted, a part at a time."""
    parts = (
        sorted(rows[start : start + _ROWS_AT_ONCE], key=key)
        for start in range(0, len(rows), _ROWS_AT_ONCE)
    )
    return iter(heapq.merge(*parts, key=key))


def _answer(kind: str, rows: list[bytes], *, brackets: bool = True) -> bytes:
    opening, closing = ("[", "]") if brackets else ("", "")
    head = f'{{"status":"success","data":{{"resultType":"{kind}","result":{opening}'
    pieces = [head.encode()]
    for row in rows:
        pieces += (row, b",")
    if rows:
        pieces.pop()
    pieces.append(f"{closing}}}}}".encode())
    return b"".join(pieces)


def _metric(labels: LabelSet) -> str:
    return msgspec.json.encode(dict(labels.pairs)).decode()
