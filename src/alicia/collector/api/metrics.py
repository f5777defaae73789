"""``GET /metrics`` and what is below it."""

from collections.abc import Callable, Iterable

from fastapi import APIRouter, Request

from alicia.adapters.http.paging import Page, PageRequest, bad_cursor, encode_cursor, read_page
from alicia.adapters.http.query import query_choice, query_range_ms, query_text
from alicia.adapters.http.roles import Role, needs
from alicia.base.clock import Clock
from alicia.base.errors import NotFound
from alicia.base.times import seconds
from alicia.collector.api.exposition import text_answer
from alicia.collector.api.history import newest_first
from alicia.collector.view import equal, metric_row, series_of_metric
from alicia.series.labels import INSTANCE, SERVICE, LabelSet
from alicia.series.matchers import Matcher
from alicia.series.samples import Sample, is_stale
from alicia.tsdb.store import Store
from alicia.wire.exposition import Format, choose_format
from alicia.wire.names import canonical_service

# Answers the status word of one instance of a service, such as ``up``.
HealthOf = Callable[[str, str], str]
_FORMATS = tuple(kind.value for kind in Format)


def metric_routes(
    store: Store, clock: Clock, health_of: HealthOf, in_fleet: Callable[[str], bool]
) -> APIRouter:
    """Reading samples back; ``in_fleet`` says whether a service is known by other means."""
    router = APIRouter(tags=["metrics"])

    @router.get("/metrics", dependencies=[needs(Role.VIEWER)])
    async def get_metrics(request: Request) -> object:
        """The latest sample of every series, as JSON or as text."""
        kind, utf8_names = choose_format(request.headers.get("accept", ""))
        wanted = query_choice(request, "format", _FORMATS)
        if wanted is not None and Format(wanted) is not kind:
            kind, utf8_names = Format(wanted), False
        if kind is not Format.JSON:
            return await text_answer(request, store, clock.now_ms(), kind, utf8_names=utf8_names)
        part = _series_page(store, (), read_page(request))
        rows = [metric_row(sample, store) for sample in _newest(store, part.items)]
        return part.body("metrics", rows)

    @router.get("/metrics/{service_name}", dependencies=[needs(Role.VIEWER)])
    async def get_service(request: Request, service_name: str) -> object:
        """The latest samples of one service, by instance."""
        if in_fleet(service_name) and not _has_series(store, service_name):
            return {"service_name": service_name, "instances": {}}  # known, but sent none yet
        service = _known(store, service_name)
        part = _series_page(store, (equal(SERVICE, service),), read_page(request))
        instances: dict[str, dict[str, object]] = {}
        for instance, samples in _by_instance(_newest(store, part.items)).items():
            instances[instance] = {
                "metrics": [metric_row(sample, store) for sample in samples],
                "last_updated": seconds(max(sample.t_ms for sample in samples)),
                "health_status": health_of(service, instance),
            }
        reply: dict[str, object] = {"service_name": service, "instances": instances}
        if part.next_cursor is not None:
            reply["next_cursor"] = part.next_cursor
        return reply

    @router.get("/metrics/{service_name}/{metric_name:path}", dependencies=[needs(Role.VIEWER)])
    async def get_metric(request: Request, service_name: str, metric_name: str) -> object:
        """The stored samples of one metric, newest first."""
        service = _known(store, service_name)
        part = await _history(store, service, metric_name, request)
        rows = [metric_row(sample, store) for sample in part.items]
        body = part.body("samples", rows)
        return {"service_name": service, "metric_name": metric_name, **body}

    return router


async def _history(store: Store, service: str, metric: str, request: Request) -> Page[Sample]:
    instance = query_text(request, "instance_id")
    start_ms, end_ms = query_range_ms(request)
    found = series_of_metric(store, service, metric)
    if not found:
        raise NotFound(
            f"metric {metric[:64]!r} of {service}: there is none; GET /metrics/{service} lists all"
        )
    if instance is not None:
        found = [labels for labels in found if labels.get(INSTANCE, "") == instance]
    wanted = read_page(request, key_length=2)
    return await newest_first(store, found, wanted, start_ms=start_ms, end_ms=end_ms)


def _newest(store: Store, found: Iterable[LabelSet]) -> list[Sample]:
    newest = (store.newest(labels) for labels in found)
    return [sample for sample in newest if sample is not None and not is_stale(sample.value)]


def _series_page(
    store: Store, matchers: tuple[Matcher, ...], wanted: PageRequest
) -> Page[LabelSet]:
    """Series in order of creation."""
    after = 0 if wanted.after is None else wanted.after[0]
    if isinstance(after, str):
        raise bad_cursor()
    found = store.page(matchers, after=int(after), limit=wanted.limit + 1)
    part = found[: wanted.limit]
    more = len(found) > wanted.limit
    return Page([labels for _, labels in part], encode_cursor(part[-1][0]) if more else None)


def _by_instance(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.labels.get(INSTANCE, ""), []).append(sample)
    return found


def _known(store: Store, name: str) -> str:
    for candidate in (name, canonical_service(name)):
        if _has_series(store, candidate):
            return candidate
    raise NotFound(
        f"service {name[:64]!r}: no metrics of it are stored; it may be silent or misspelt"
    )


def _has_series(store: Store, service: str) -> bool:
    return bool(store.series_per_service().get(service))
