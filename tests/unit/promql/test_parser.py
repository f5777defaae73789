import pytest

from alicia.base.limits import QUERY_BYTES_MAX, QUERY_DEPTH_MAX
from alicia.promql.ast import ValueType, type_of
from alicia.promql.errors import BadExpression
from alicia.promql.format import format_expr, format_name
from alicia.promql.parser import parse

# written | canonical
FORMS = [
    ("cpu", "cpu"),
    ("  cpu # load\n > 90", "cpu > 90"),
    ("job:cpu:avg{}", "job:cpu:avg"),
    ('cpu{a="1",b!="2",c=~"x.*",d!~"y",}', 'cpu{a="1",b!="2",c=~"x.*",d!~"y"}'),
    ("cpu{a='it\\'s'}", 'cpu{a="it\'s"}'),
    ("cpu{a=`\\d`}", 'cpu{a="\\\\d"}'),
    ('cpu{a="\\x41\\u00e9\\U0001f600\\101"}', 'cpu{a="Aé😀A"}'),
    ('{"a.b"}', '{"a.b"}'),
    ('{"cpu"}', "cpu"),
    ('{"a.b","c.d"="x"}', '{"a.b","c.d"="x"}'),
    ('{__name__="cpu"}', "cpu"),
    ('{__name__=~"cpu.*"}', '{__name__=~"cpu.*"}'),
    ("1h30m", "5400"),
    ("0x1F", "31"),
    ("1_000.5e-1", "100.05"),
    (".5", "0.5"),
    ("-Inf", "-Inf"),
    ("nan", "NaN"),
    ("-1 ^ 2", "-1 ^ 2"),
    ("+cpu", "cpu"),
    ("a-b-c", "a - b - c"),
    ("a-(b-c)", "a - (b - c)"),
    ("2^3^4", "2 ^ 3 ^ 4"),
    ("a > bool 3", "a > bool 3"),
    ("1 == bool 1", "1 == bool 1"),
    ("a+b*c", "a + b * c"),
    ("bool > 3", '{"bool"} > 3'),
]


@pytest.mark.parametrize(("text", "canonical"), FORMS)
def test_canonical_form_reads_back_to_an_equal_tree(text: str, canonical: str) -> None:
    tree = parse(text)
    assert format_expr(tree) == canonical
    if canonical != "NaN":  # a NaN differs from itself
        assert parse(canonical) == tree


# text | offset | words of the fault | words of the hint
FAULTS = [
    ("", 0, "no expression found", "cpu_percent"),
    ("   ", 3, "no expression found", "cpu_percent"),
    ("cpu >", 5, "unexpected end of input", "expected here"),
    ("cpu > > 3", 6, 'unexpected ">"', "expected here"),
    ("cpu = 3", 4, 'unexpected "="', "write == to compare"),
    ("cpu == 3)", 8, 'unexpected ")"', ""),
    ("(cpu", 4, "unexpected end of input", ") is expected"),
    ("cpu.percent > 1", 3, 'unexpected character "."', 'quote a name that has dots: {"a.b"}'),
    ("cpu && mem", 4, 'unexpected character "&"', "write and"),
    ("cpu\x00", 3, "unexpected character '\\x00'", ""),
    ('cpu{a="x}', 6, "unexpected character", "close the text"),
    ("cpu{a=x}", 6, "in label matching", "quotes"),
    ("cpu{a}", 5, "in label matching", "!="),
    ("cpu{1='x'}", 4, "in label matching", 'label="value"'),
    ('cpu{a="x" b="y"}', 10, "unexpected", ", is expected"),
    ('cpu{a=~"("}', 7, "RE2", ""),
    ('cpu{a="\\q"}', 6, "unknown escape", "double a backslash"),
    ('cpu{a="\\ud800"}', 6, "names no character", ""),
    ('cpu{__name__="mem"}', 0, "set twice", "keep one"),
    ('{a=""}', 0, "non-empty matcher", "name a metric"),
    ("{}", 0, "non-empty matcher", "name a metric"),
    ('"text"', 0, "a text is no operand", "braces"),
    ("1 > 2", 2, "must use BOOL", "> bool"),
    ("a + bool 1", 4, "only be used on comparison", "leave it out"),
    ("rate(a[5m])", 0, "function rate is not available", "selectors"),
    ("sum by (x) (a)", 0, "function sum is not available", "selectors"),
    ("a[5m]", 1, '"[" is not available', "selectors"),
    ("a offset 5m", 2, '"offset" is not available', "selectors"),
    ("a @ 0", 2, '"@" is not available', "selectors"),
    ("a and b", 2, 'operator "and" is not available', "selectors"),
    ("a + on(x) b", 4, '"on" is not available', "selectors"),
    ("__import__('os')", 0, "function __import__ is not available", "selectors"),
]


@pytest.mark.parametrize(("text", "offset", "fault", "hint"), FAULTS)
def test_fault_names_position_and_hint(text: str, offset: int, fault: str, hint: str) -> None:
    with pytest.raises(BadExpression) as caught:
        parse(text)
    assert (caught.value.offset, caught.value.line) == (offset, 1)
    assert fault in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.errors()[0].code == "bad_expression"


def test_position_counts_lines_and_columns_from_one() -> None:
    with pytest.raises(BadExpression) as caught:
        parse("cpu\n  > oops(")
    assert (caught.value.line, caught.value.column) == (2, 5)
    assert str(caught.value).startswith("2:5: parse error: ")


def test_length_is_bounded_before_anything_is_read() -> None:
    with pytest.raises(BadExpression, match="longer than 4096 bytes"):
        parse("é" * (QUERY_BYTES_MAX // 2 + 1))
    assert parse("a" * QUERY_BYTES_MAX)


@pytest.mark.parametrize("opening", ["(", "-", "2^", "1+("])
def test_depth_is_bounded(opening: str) -> None:
    with pytest.raises(BadExpression, match=f"deeper than {QUERY_DEPTH_MAX}"):
        parse(opening * 1000 + "a")


def test_long_chains_are_no_depth() -> None:
    text = " + ".join(["a"] * 1000)
    tree = parse(text)
    assert type_of(tree) is ValueType.VECTOR
    assert format_expr(tree) == text


@pytest.mark.parametrize(
    ("name", "text"), [("cpu", "cpu"), ("a.b", '{"a.b"}'), ("inf", '{"inf"}'), ("7", '{"7"}')]
)
def test_any_metric_name_can_be_written(name: str, text: str) -> None:
    assert format_name(name) == text
    assert format_expr(parse(text)) == text
