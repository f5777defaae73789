"""Bounded decoding: every kind of broken body has its own code, and none surprises."""

import json

import pytest

from alicia.base.limits import JSON_DEPTH_MAX, JSON_VALUES_MAX
from alicia.wire.json import (
    BadJson,
    BadUtf8,
    TooDeep,
    TooManyValues,
    Undecodable,
    decode_bounded,
    decode_in_parts,
)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":[1,2.5,null,true]}', {"a": [1, 2.5, None, True]}),
        (b"42", 42),
        (b"\xef\xbb\xbf[1]", [1]),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b"12345678901234567890123", 12345678901234567890123),
    ],
)
def test_reads_json(body: bytes, value: object) -> None:
    assert decode_bounded(body) == value


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", BadJson),
        (b"{", BadJson),
        (b"[1] x", BadJson),
        (b"NaN", BadJson),
        (b"1e999", BadJson),
        (b"1" * 5000, BadJson),
        (b'"\\ud800"', BadJson),
        (b'"a\x00b"', BadJson),
        (b'"\xff"', BadUtf8),
        (b'{"\xff":1}', BadUtf8),
        (b"\xff", BadUtf8),
        (b"[" * 100_000, TooDeep),
        (b'{"a":' * 100_000, TooDeep),
        (b'[["' + b'\\"' * 500_000, BadJson),
        (b"[" * 40 + b'"' + b'\\"' * 500_000, TooDeep),
    ],
)
def test_breaks_with_a_typed_error(body: bytes, error: type[Undecodable]) -> None:
    with pytest.raises(error) as caught:
        decode_bounded(body)
    assert len(str(caught.value)) < 200


def test_the_deepest_value_allowed_is_read_and_one_more_level_is_not() -> None:
    deepest = b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX
    assert isinstance(decode_bounded(deepest), list)
    inside = JSON_DEPTH_MAX - 1
    branched = b"[" * inside + b"[],[]" + b"]" * inside  # more brackets than levels
    assert isinstance(decode_bounded(branched), list)
    with pytest.raises(TooDeep):
        decode_bounded(b"[" + deepest + b"]")


def test_many_brackets_side_by_side_or_in_strings_are_not_depth() -> None:
    wide = b"[" + b",".join([b'{"a":[]}'] * 500) + b"]"
    quoted = b'["' + b"[{" * 500 + b'\\"[["]'
    assert len(decode_bounded(wide)) == 500  # type: ignore[arg-type]
    assert isinstance(decode_bounded(quoted), list)


def test_codes_are_stable() -> None:
    assert [BadJson.code, BadUtf8.code, TooDeep.code] == ["bad_json", "bad_utf8", "too_deep"]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (
            b'{"a":NaN,"b":-Infinity,"c":[Infinity]}',
            {"a": "NaN", "b": "-Infinity", "c": ["Infinity"]},
        ),
        (b'{"a":1e999,"NaN":"NaN \\" NaN"}', {"a": "1e999", "NaN": 'NaN " NaN'}),
        (b"[" + b"1" * 400 + b".5]", ["1" * 400 + ".5"]),
        (b"[1e5,1e-999]", [1e5, 0.0]),
    ],
)
def test_odd_numbers_come_as_text_where_they_are_wanted(body: bytes, value: object) -> None:
    assert decode_bounded(body, odd_numbers=True) == value
    assert decode_in_parts(body, odd_numbers=True) == value


@pytest.mark.parametrize("body", [b"{NaN", b"[1,NaN", b'"NaN', b"nullNaN"])
def test_odd_numbers_mend_no_other_fault(body: bytes) -> None:
    with pytest.raises(BadJson):
        decode_bounded(body, odd_numbers=True)


_MANY = [{"name": f"m{i}", "labels": {"a": ['"[,'] * 20}} for i in range(2000)]


@pytest.mark.parametrize("value", [_MANY, {"x": 1, "deep": {"m": _MANY}}, ["x" * 100_000], 7])
def test_reading_in_parts_reads_the_same(value: object) -> None:
    body = json.dumps(value, indent=1).encode()
    assert decode_in_parts(b"\xef\xbb\xbf \n" + body) == value


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"[" + b"[1]," * 20_000 + b"x]", BadJson),
        (b"[" + b"[1]," * 20_000 + b'"\xff"]', BadUtf8),
        (b"[" + b"[1]," * 20_000 + b"[" * 40, TooDeep),
        (b"[" + b"0," * JSON_VALUES_MAX + b"0]", TooManyValues),
    ],
)
def test_reading_in_parts_breaks_alike(body: bytes, error: type[Undecodable]) -> None:
    with pytest.raises(error):
        decode_in_parts(body)


@pytest.mark.parametrize("levels", range(1, 12))
@pytest.mark.parametrize(
    "leaf", [b'"x"', b"1", b"-0", b"0.5", b"true", b"null", b"1" * 30, b"18446744073709551616"]
)
def test_a_value_of_few_levels_and_one_of_many_read_alike(levels: int, leaf: bytes) -> None:
    body = leaf
    for i in range(levels):
        body = b'{"a":' + body + b',"b":[]}' if i % 2 else b"[" + body + b",{}]"
    value = decode_bounded(body)
    expected = json.loads(body)
    assert (value, repr(value)) == (expected, repr(expected))
