"""The fleet as it was planned: which services there are, in which group, on which port.

Ports are hints, and a name on the bus counts more than this table. Source: bus.md §3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

OTHER_GROUP: Final = "other"


@dataclass(frozen=True, slots=True)
class Known:
    """One planned service; ``answers`` says whether it answers the health poke."""

    group: str
    port: int
    answers: bool = True


KNOWN: Final[Mapping[str, Known]] = {
    "security_gateway": Known("core", 8080),
    "device_registry": Known("core", 8081),
    "discovery_service": Known("core", 8082),
    "health_monitor": Known("core", 8083, answers=False),
    "config_service": Known("core", 8084),
    "load_balancer": Known("management", 8013, answers=False),
    "metrics_collector": Known("management", 8024),
    "event_scheduler": Known("management", 8025),
    "configuration_manager": Known("management", 8016, answers=False),
    "service_orchestrator": Known("management", 8017, answers=False),
    "stt_service": Known("voice", 8001),
    "ai_service": Known("voice", 8002),
    "tts_service": Known("voice", 8003),
    "voice_router": Known("voice", 8004),
    "sonos_service": Known("devices", 8005),
    "device_manager": Known("devices", 8006),
    "ha_bridge": Known("devices", 8007),
    "device_control": Known("devices", 8008),
    "grok_integration": Known("advanced", 8009),
    "personality_system": Known("advanced", 8010),
    "multi_language": Known("advanced", 8011),
    "advanced_voice": Known("advanced", 8012),
}


def group_of(service: str) -> str:
    """The group in which a service is shown."""
    known = KNOWN.get(service)
    return known.group if known else OTHER_GROUP
