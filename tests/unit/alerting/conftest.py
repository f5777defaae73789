from collections.abc import Callable
from typing import Any

import pytest

from alicia.alerting.rule import Rule, parse_rule
from alicia.promql.condition import read_condition


@pytest.fixture
def rule_of() -> Callable[..., Rule]:
    """A rule from fields; name, condition and severity have defaults."""

    def build(**fields: Any) -> Rule:
        body = {"name": "r", "condition": "cpu > 90", "severity": "warning", **fields}
        return parse_rule(body, read=read_condition, interval_ms=30_000)

    return build
