"""What an alert is about, in one word, so that two who watch the same thing are heard once."""

import re
from collections.abc import Mapping
from typing import Final

from alicia.alerting.rule import Rule

KIND: Final = "kind"
OTHER: Final = "other"
# The first word that a text holds decides.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "cpu": ("cpu",),
    "memory": ("memory", "mem_", "rss"),
    "disk": ("disk",),
    "errors": ("error", "failure"),
    "latency": ("response_time", "response time", "latency", "slow", "duration"),
    "offline": ("offline", "down", "unavailable", "unreachable", "not responding", "silent"),
}
_UP: Final = re.compile(r"up\b")


def kind_of_text(text: str) -> str:
    """The kind that a metric's name or a sentence of another monitor speaks of."""
    lowered = text.lower()
    found = (kind for kind, words in _WORDS.items() if any(word in lowered for word in words))
    return next(found, OTHER)


def kind_of_rule(rule: Rule) -> str:
    """The label ``kind`` of a rule, else what its expression is about."""
    if _UP.match(rule.subject):
        return rule.labels.get(KIND, "offline")
    return rule.labels.get(KIND) or kind_of_text(rule.subject)
