"""Sets of rules that are shipped and loaded on request (bus.md §7)."""

from collections.abc import Mapping
from typing import Final

# The limits of health_monitor, for who replaces it or wants to hear of the same.
_HEALTH_MONITOR: Final[tuple[Mapping[str, object], ...]] = (
    {
        "name": "health_monitor_cpu",
        "condition": "cpu_percent > 80",
        "severity": "warning",
        "labels": {"kind": "cpu"},
        "description": "CPU of {{ $labels.service }} is at {{ $value }} %",
    },
    {
        "name": "health_monitor_memory",
        "condition": "memory_mb > 500",
        "severity": "warning",
        "labels": {"kind": "memory"},
        "description": "{{ $labels.service }} uses {{ $value }} MB of memory",
    },
    {
        "name": "health_monitor_errors",
        "condition": "error_rate > 10",
        "severity": "error",
        "labels": {"kind": "errors"},
        "description": "{{ $value }} % of the requests to {{ $labels.service }} fail",
    },
    {
        "name": "health_monitor_response_time",
        "condition": "response_time > 5",
        "severity": "warning",
        "labels": {"kind": "latency"},
        "description": "{{ $labels.service }} takes {{ $value }} s to answer",
    },
    {
        "name": "health_monitor_offline",
        "condition": "up == 0",
        "for": "300s",
        "severity": "critical",
        "labels": {"kind": "offline"},
        "description": "{{ $labels.service }} is offline for 5 minutes",
    },
)
PACKS: Final[Mapping[str, tuple[Mapping[str, object], ...]]] = {"health_monitor": _HEALTH_MONITOR}
