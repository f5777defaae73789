"""One observation of a service, from the bus or from an HTTP poll.

``wire`` reads it, ``fleet`` judges by it; neither knows the other.
"""

from dataclasses import dataclass
from enum import StrEnum


class Sight(StrEnum):
    """What kind of observation it is."""

    HEALTH = "health"  # it told how it is; these set the cadence
    REGISTER = "register"  # it said that it is there
    UNREGISTER = "unregister"  # it said good-bye
    CHATTER = "chatter"  # it sent anything else
    METRICS = "metrics"  # it sent metrics: a sign of life, but of whom is not sure before others
    STORED = "stored"  # samples of it were stored, whoever sent them
    HEARSAY = "hearsay"  # somebody else told about it: facts, but no sign of life


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one message or poll says about one instance of a service.

    ``status`` is the sender's own text, "" where it gave none. ``started_ms`` is when the
    process says that it began, by ``uptime`` or, less surely, by its registration
    (``start_is_sure``). ``retained``: the broker kept the message, so it is a state and no sign
    of life. ``address`` is ``host:port`` on this machine or a private network, or "".
    """

    kind: Sight
    service: str
    instance: str
    at_ms: int
    status: str = ""
    started_ms: int | None = None
    start_is_sure: bool = False
    retained: bool = False
    version: str = ""
    capabilities: tuple[str, ...] = ()
    address: str = ""
