"""Every first word of the command line, where its code is, and what it does in one line.

The code is imported only when its command is asked for, so that ``--help`` stays quick and the
supervisor small.
"""

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """Where a command lives; its module offers ``configure(group)``."""

    module: str
    text: str


COMMANDS: Final[dict[str, Entry]] = {
    "up": Entry("up", "start broker, collector and scheduler; watch them"),
    "collector": Entry("services", "run the metrics collector alone"),
    "scheduler": Entry("services", "run the event scheduler alone"),
    "demo": Entry("demonstration", "run a simulated fleet of services"),
    "status": Entry("status", "services, fleet, alerts, next runs on one screen"),
    "doctor": Entry("doctor.command", "check broker, clock, disk, ports; name each fix"),
    "query": Entry("query", "ask a PromQL expression"),
    "push": Entry("push", "send samples: NAME=VALUE…"),
    "tail": Entry("tail", "print the messages of the bus"),
    "top": Entry("top", "watch the fleet live"),
    "events": Entry("events", "list, add, import, trigger, pause, cancel events"),
    "executions": Entry("executions", "what ran, when, and how it ended"),
    "alerts": Entry("alerts", "active alerts"),
    "rules": Entry("rules", "list, add, switch, remove, test alert rules"),
    "silence": Entry("silences", "mute alerts for a while"),
    "config": Entry("configuration", "settings and where each comes from"),
    "backup": Entry("backup", "the data folder as one file, while services run"),
    "restore": Entry("restore", "a backup as a new data folder"),
    "token": Entry("tokens", "create, list, revoke tokens"),
}
