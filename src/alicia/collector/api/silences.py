"""``/alerts/silences``: quiet for a while."""

from collections.abc import Callable
from datetime import tzinfo
from http import HTTPStatus

from fastapi import APIRouter, Request

from alicia.adapters.http.audited import note_change
from alicia.adapters.http.body import read_json
from alicia.adapters.http.paging import page, read_page
from alicia.adapters.http.roles import Role, caller_of, needs
from alicia.alerting.silence import parse_silence, silence_to_api
from alicia.base.clock import Clock, Random, uuid7
from alicia.base.errors import LimitExceeded
from alicia.collector.rules import Rules

SILENCES_MAX = 1000


def silence_routes(
    rules: Rules, clock: Clock, random: Random, *, zones: Callable[[str], tzinfo]
) -> APIRouter:
    """Listing, adding and ending silences."""
    router = APIRouter(tags=["alerts"])

    @router.get("/alerts/silences", dependencies=[needs(Role.VIEWER)])
    async def get_silences(request: Request) -> dict[str, object]:
        """All silences, oldest first; those that are over stay for a week."""
        found = sorted(rules.silences.values(), key=lambda silence: silence.silence_id)
        part = page(found, lambda silence: (silence.silence_id,), read_page(request))
        now_ms = clock.now_ms()
        return part.body("silences", [silence_to_api(each, now_ms=now_ms) for each in part.items])

    @router.post(
        "/alerts/silences", status_code=HTTPStatus.CREATED, dependencies=[needs(Role.OPERATOR)]
    )
    async def add_silence(request: Request) -> dict[str, object]:
        """Silence all alerts that satisfy the matchers."""
        if len(rules.silences) >= SILENCES_MAX:
            raise LimitExceeded(f"{SILENCES_MAX} silences are kept at most; end some")
        now_ms = clock.now_ms()
        silence = parse_silence(
            await read_json(request),
            silence_id=uuid7(now_ms=now_ms, random=random),
            now_ms=now_ms,
            default_author=caller_of(request).token_id or "loopback",
            zones=zones,
        )
        await rules.add_silence(silence)
        added = silence_to_api(silence, now_ms=now_ms)
        note_change(request, after=added)
        return added

    @router.delete("/alerts/silences/{silence_id}", dependencies=[needs(Role.OPERATOR)])
    async def end_silence(request: Request, silence_id: str) -> dict[str, object]:
        """End a silence now."""
        now_ms = clock.now_ms()
        before = rules.silences.get(silence_id)
        ended = silence_to_api(await rules.end_silence(silence_id), now_ms=now_ms)
        assert before is not None, "what has ended was there"
        note_change(request, before=silence_to_api(before, now_ms=now_ms), after=ended)
        return ended

    return router
