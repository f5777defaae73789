"""Topic names of the contract, and MQTT's matching of filters."""

from dataclasses import dataclass
from functools import cached_property

from alicia.base.errors import BadField
from alicia.base.limits import TOPIC_LEVELS_MAX
from alicia.base.texts import has_controls

_TOPIC_BYTES_MAX = 65_535  # MQTT 5 §1.5.4


@dataclass(frozen=True)
class Topics:
    """Every topic of ours below one prefix (``TOPIC_PREFIX``).

    Source: contract.md §5, bus.md §2.
    """

    prefix: str = "alicia"

    def under(self, *segments: str) -> str:
        """A topic below the prefix."""
        return "/".join((self.prefix, *segments))

    @cached_property
    def everything(self) -> str:
        """The filter of all that happens below the prefix."""
        return self.under("#")

    @cached_property
    def metrics_collect(self) -> str:
        """Where services send their metrics."""
        return self.under("metrics", "collect")

    @cached_property
    def metrics_alerts(self) -> str:
        """One message per change of an alert."""
        return self.under("metrics", "alerts")

    @cached_property
    def alerts_new(self) -> str:
        """Alerts that began to fire."""
        return self.under("alerts", "new")

    @cached_property
    def alerts_resolved(self) -> str:
        """Alerts that ended."""
        return self.under("alerts", "resolved")

    @cached_property
    def metrics_summary(self) -> str:
        """Our own summary, every COLLECTION_INTERVAL."""
        return self.under("metrics", "summary")

    @cached_property
    def metrics_system(self) -> str:
        """The host's metrics, every SYSTEM_METRICS_INTERVAL."""
        return self.under("metrics", "system")

    @cached_property
    def health_check(self) -> str:
        """The poke that services answer with their health."""
        return self.under("system", "health", "check")

    def health_of(self, service: str) -> str:
        """Where a service reports its health; also our will."""
        return self.under("system", "health", service)

    @cached_property
    def monitor_alerts(self) -> str:
        """Where health_monitor tells of its alerts."""
        return self.under("system", "health", "monitor", "alerts")

    @cached_property
    def load_balancer(self) -> str:
        """Where we advise the load balancer."""
        return self.under("loadbalancer", "metrics_collector")

    @cached_property
    def register(self) -> str:
        """Where a service says that it is there."""
        return self.under("system", "discovery", "register")

    @cached_property
    def unregister(self) -> str:
        """Where a service says good-bye."""
        return self.under("system", "discovery", "unregister")

    @cached_property
    def scheduler_events(self) -> str:
        """Commands to the scheduler."""
        return self.under("scheduler", "events")

    @cached_property
    def scheduler_events_result(self) -> str:
        """Outcomes of commands to the scheduler."""
        return self.under("scheduler", "events", "result")

    @cached_property
    def scheduler_triggers(self) -> str:
        """Requests to run an event now."""
        return self.under("scheduler", "triggers")

    @cached_property
    def scheduler_executions(self) -> str:
        """Status changes of executions, and reports of their targets."""
        return self.under("scheduler", "executions")

    def command_of(self, service: str) -> str:
        """Where a service takes commands; the default topic of an event's action."""
        return self.under(service, "command")


def filter_matches(pattern: str, topic: str) -> bool:
    """Whether an MQTT filter (``+``, ``#``) covers a topic; ``$`` topics need a literal start.

    Source: MQTT 5 §4.7.
    """
    if topic.startswith("$") and not pattern.startswith("$"):
        return False
    parts, levels = pattern.split("/"), topic.split("/")
    for i, part in enumerate(parts):
        if part == "#":
            return True
        if i >= len(levels) or part not in ("+", levels[i]):
            return False
    return len(parts) == len(levels)


def check_topic(topic: str, *, field: str) -> str:
    """The topic itself, when one may publish to it.

    Raises:
        BadField: empty, too long, with a wildcard, or with a control character.
    """
    fault = _name_fault(topic)
    if not fault and ("+" in topic or "#" in topic):
        fault = "a wildcard (+ or #), and one publishes to exactly one topic"
    if fault:
        raise BadField(field, f"{field}: the topic has {fault}; name one topic", reason="bad_topic")
    return topic


def check_filter(pattern: str, *, field: str) -> str:
    """The filter itself, when one may subscribe to it.

    Raises:
        BadField: empty, too long, with a control character, or with a misplaced wildcard.
    """
    fault = _name_fault(pattern)
    parts = pattern.split("/")
    if not fault and any(len(part) > 1 and ("+" in part or "#" in part) for part in parts):
        fault = "a wildcard that does not fill its level"
    if not fault and "#" in parts[:-1]:
        fault = "a # that is not the last level"
    if fault:
        raise BadField(
            field, f"{field}: the topic filter has {fault}; write a/+/b or a/#", reason="bad_topic"
        )
    return pattern


def _name_fault(name: str) -> str:
    if not name:
        return "no characters"
    if len(name.encode(errors="surrogatepass")) > _TOPIC_BYTES_MAX:
        return f"more than {_TOPIC_BYTES_MAX} bytes"
    if has_controls(name):
        return "a control character"
    if name.count("/") >= TOPIC_LEVELS_MAX:
        return f"more than {TOPIC_LEVELS_MAX} levels"
    return ""
