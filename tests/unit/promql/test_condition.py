import pytest

from alicia.promql.condition import read_condition
from alicia.promql.errors import BadExpression

# condition | subject | operator | threshold
SPLITS = [
    ("cpu > 90", "cpu", ">", 90.0),
    ("(cpu > 90)", "cpu", ">", 90.0),
    ("90 < cpu", "cpu", ">", 90.0),
    ("90 >= cpu", "cpu", "<=", 90.0),
    ("0 == up", "up", "==", 0.0),
    ("(a + b) != -1.5", "a + b", "!=", -1.5),
    ('cpu{service="x"} <= (5)', 'cpu{service="x"}', "<=", 5.0),
    ("a > 1 > 2", "a > 1", ">", 2.0),
    ("a / b > 1h", "a / b", ">", 3600.0),
    ("a > b", "a > b", None, None),
    ("a > bool 3", "a > bool 3", None, None),
    ("a", "a", None, None),
    ("-a", "-a", None, None),
]


@pytest.mark.parametrize(("text", "subject", "operator", "threshold"), SPLITS)
def test_split_at_the_top(
    text: str, subject: str, operator: str | None, threshold: float | None
) -> None:
    condition = read_condition(text)
    assert (condition.subject, condition.operator, condition.threshold) == (
        subject,
        operator,
        threshold,
    )


@pytest.mark.parametrize("text", ["1", "2 > bool 1", "(3)", "-5"])
def test_a_number_is_no_condition(text: str) -> None:
    with pytest.raises(BadExpression, match="must select series"):
        read_condition(text)
