"""What a broker tells of itself below ``$SYS``, as metrics (bus.md §2)."""

import re
from typing import Final, NamedTuple

from alicia.base.limits import NAME_BYTES_MAX
from alicia.series.kinds import MetricType
from alicia.series.samples import Metadata

SYS: Final = "$SYS/"
_NUMBER: Final = re.compile(rb"(-?\d{1,19}(?:\.\d{1,9})?)(?: (seconds|bytes))?")
_NOT_IN_NAME: Final = re.compile(r"[^a-zA-Z0-9]+")
_COUNTED: Final = frozenset({"received", "sent", "dropped", "expired"})


class BrokerReading(NamedTuple):
    """One number of a broker; ``name`` begins with ``broker``."""

    name: str
    value: float
    metadata: Metadata


def decode_broker(topic: str, body: bytes) -> BrokerReading | None:
    """``$SYS/broker/uptime`` with ``940 seconds`` is ``broker_uptime_seconds`` 940.

    None for what is no number, such as the version, and for what is no topic of a broker.

    Source: mosquitto(8), "Broker Status".
    """
    parts = topic.removeprefix(SYS).split("/")
    found = _NUMBER.fullmatch(body.strip())
    if found is None or not topic.startswith(SYS) or not parts[0].startswith("broker"):
        return None
    unit = (found[2] or b"").decode()
    name = _NOT_IN_NAME.sub("_", "_".join([*parts, unit] if unit else parts)).strip("_")
    if len(name) > NAME_BYTES_MAX:
        return None
    # The loads are means over some minutes, and move both ways.
    grows = parts[-1] in _COUNTED and "load" not in parts
    kind = MetricType.COUNTER if grows else MetricType.GAUGE
    text = f"What the broker tells under {topic}."
    return BrokerReading(name, float(found[1]), Metadata(kind, unit, text))
