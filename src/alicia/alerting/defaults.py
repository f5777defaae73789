"""The rules every installation begins with; loaded once, then the user's (contract.md §3.1)."""

from collections.abc import Mapping
from typing import Final

from alicia.alerting.rule import Rule, parse_rule
from alicia.alerting.shortform import ReadCondition

_BODIES: Final[tuple[Mapping[str, object], ...]] = (
    {
        "name": "high_cpu",
        "condition": "cpu_percent > 90",
        "severity": "warning",
        "description": "CPU of {{ $labels.service }} is at {{ $value }} %",
    },
    {
        "name": "high_memory",
        "condition": "memory_percent > 85",
        "severity": "warning",
        "description": "Memory of {{ $labels.service }} is at {{ $value }} %",
    },
    {
        "name": "high_disk",
        "condition": "disk_percent > 90",
        "severity": "error",
        "description": "A disk of {{ $labels.service }} is {{ $value }} % full",
    },
    {
        "name": "service_down",
        "condition": "up == 0",
        "severity": "critical",
        "description": "{{ $labels.service }} is down",
    },
    {
        "name": "high_error_rate",
        "condition": "error_rate > 5",
        "severity": "error",
        "description": "{{ $value }} % of the requests to {{ $labels.service }} fail",
        "depends_on": ["service_down"],
    },
    {
        "name": "response_time_high",
        "condition": "response_time > 5",
        "severity": "warning",
        "description": "{{ $labels.service }} takes {{ $value }} s to answer",
        "depends_on": ["service_down"],
    },
)


def default_rules(*, read: ReadCondition, interval_ms: int) -> tuple[Rule, ...]:
    """The six default rules, as if a user had sent them."""
    return tuple(parse_rule(dict(body), read=read, interval_ms=interval_ms) for body in _BODIES)
