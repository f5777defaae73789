"""``GET /api/v1/loadbalancer/{service}``: how the instances of a service should share its work."""

from fastapi import APIRouter

from alicia.adapters.http.roles import Role, needs
from alicia.base.errors import NotFound
from alicia.base.times import seconds
from alicia.collector.poll import Fleet
from alicia.collector.weights import Told, Weights
from alicia.fleet.weights import INSTANCES_MIN, WEIGHT_MAX, Load
from alicia.fleet.weights import weights as weights_of
from alicia.wire.names import canonical_service


def loadbalancer_routes(weights: Weights, fleet: Fleet) -> APIRouter:
    """Weights for whoever asks; telling them on the bus is a setting."""
    router = APIRouter(tags=["services"])

    @router.get("/api/v1/loadbalancer/{service}", dependencies=[needs(Role.VIEWER)])
    async def get_weights(service: str) -> dict[str, object]:
        """Weights from 1 to 100 of the live instances, and what they follow from."""
        name = service if service in fleet.records else canonical_service(service, fleet.records)
        if name not in fleet.records:
            raise NotFound(f"service {service[:64]!r}: never heard of; GET /services lists all")
        loads = weights.loads(name)
        found = weights_of(loads)
        told = weights.told.get(name)
        return {
            "service_name": name,
            "weights": found,
            "instances": {each: _instance(load, found[each]) for each, load in loads.items()},
            "reason": _reason(len(loads)),
            "mode": _mode(weights, name, told),
            "last_told": _told(told),
        }

    return router


def _instance(load: Load, weight: int) -> dict[str, object]:
    return {
        "weight": weight,
        "p95_seconds": load.p95_seconds,
        "error_ratio": load.error_ratio,
        "saturation": load.saturation,
        "degraded": load.degraded,
    }


def _reason(live: int) -> str:
    if live < INSTANCES_MIN:
        return f"{live} live instances; weights need {INSTANCES_MIN} that report their health"
    return f"by latency, errors and saturation; the best of {live} gets {WEIGHT_MAX}"


def _mode(weights: Weights, service: str, told: Told | None) -> str:
    """Whether anybody follows: ``off`` by setting, ``dry_run`` at first, then ``on``."""
    if not weights.is_chosen(service):
        return "off"
    return "dry_run" if told is None or told.dry else "on"


def _told(told: Told | None) -> dict[str, object] | None:
    if told is None or told.dry:
        return None
    return {"weights": dict(told.weights), "timestamp": seconds(told.at_ms)}
