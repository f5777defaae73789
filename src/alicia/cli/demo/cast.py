"""Who plays in the simulated fleet: the 20 services that are not ours (bus.md §3)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Role:
    """One service as the fleet knows it.

    ``port`` is only a hint. ``answers_poke``: it reports its health when asked over the bus;
    the others are seen by HTTP. ``wraps_twice``: it puts its messages into a second envelope.
    ``stage``: its part in the voice pipeline. ``device``: the id of a device that it owns.
    ``busy`` scales its load, ``latency_ms`` its usual answer time.
    """

    name: str
    port: int
    answers_poke: bool = True
    wraps_twice: bool = True
    stage: str = ""
    device: str = ""
    busy: float = 1.0
    latency_ms: float = 40.0


CAST: Final = (
    Role("security_gateway", 8080, wraps_twice=False, busy=6.0, latency_ms=12),
    Role("device_registry", 8081, wraps_twice=False, busy=2.0, latency_ms=18),
    Role("discovery_service", 8082, wraps_twice=False, latency_ms=9),
    Role("health_monitor", 8083, answers_poke=False, latency_ms=15),
    Role("config_service", 8084, wraps_twice=False, busy=0.5, latency_ms=11),
    Role("load_balancer", 8013, answers_poke=False, busy=8.0, latency_ms=5),
    Role("configuration_manager", 8016, answers_poke=False, busy=0.4, latency_ms=22),
    Role("service_orchestrator", 8017, answers_poke=False, latency_ms=35),
    Role("stt_service", 8001, stage="stt", busy=1.5, latency_ms=420),
    Role("ai_service", 8002, stage="ai", busy=1.5, latency_ms=900),
    Role("tts_service", 8003, stage="tts", busy=1.5, latency_ms=310),
    Role("voice_router", 8004, busy=3.0, latency_ms=25),
    Role("sonos_service", 8005, device="sonos.living_room", busy=0.8, latency_ms=60),
    Role("device_manager", 8006, device="sensor.kitchen", busy=2.5, latency_ms=30),
    Role("ha_bridge", 8007, device="light.hall", busy=3.0, latency_ms=28),
    Role("device_control", 8008, device="plug.heater", latency_ms=33),
    Role("grok_integration", 8009, busy=0.6, latency_ms=1300),
    Role("personality_system", 8010, busy=1.2, latency_ms=75),
    Role("multi_language", 8011, busy=0.7, latency_ms=140),
    Role("advanced_voice", 8012, busy=0.9, latency_ms=260),
)


def roles(count: int) -> tuple[Role, ...]:
    """The first ``count`` services; above the cast ``sim_21`` and so on, on any free port."""
    more = (Role(f"sim_{number}", 0) for number in range(len(CAST) + 1, count + 1))
    return (*CAST[:count], *more)
