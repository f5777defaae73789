"""``/api/v1/query`` and ``query_range``: Prometheus' questions in Prometheus' envelope."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.responses import Response

from alicia.adapters.http.body import read_body
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.roles import Role, needs
from alicia.base.clock import Clock
from alicia.base.durations import parse_duration_ms
from alicia.base.errors import BadField
from alicia.base.limits import QUERY_POINTS_MAX
from alicia.base.times import parse_time_ms
from alicia.collector.api.query_answer import instant_answer, range_answer
from alicia.promql.errors import BadExpression, EvaluationFailed, QueryTimeout
from alicia.promql.plan import Window
from alicia.promql.ports import Evaluator

FORM: Final = "application/x-www-form-urlencoded"
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_TIME_SECONDS_MAX: Final = 253_402_300_799.0  # 9999-12-31
Parameters = Mapping[str, str]


def query_routes(evaluator: Evaluator, clock: Clock) -> APIRouter:
    """Instant and range queries, by GET and by form."""
    router = APIRouter(tags=["prometheus"])
    guarded = [needs(Role.VIEWER, types=(FORM,))]

    @router.api_route("/api/v1/query", methods=["GET", "POST"], dependencies=guarded)
    async def query(request: Request) -> Response:
        """The value of an expression at one instant."""
        given = await _parameters(request)
        at_ms = _time_ms(given, "time", clock.now_ms())
        return await _answer(evaluator, given, Window(at_ms, at_ms), instant_answer)

    @router.api_route("/api/v1/query_range", methods=["GET", "POST"], dependencies=guarded)
    async def query_range(request: Request) -> Response:
        """The values of an expression over a window, both ends included."""
        given = await _parameters(request)
        return await _answer(evaluator, given, _window(given), range_answer)

    return router


async def _parameters(request: Request) -> Parameters:
    given = dict(request.query_params)
    if request.method == "POST":
        body = await read_body(request, (FORM,))
        try:
            given |= parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise BadField(
                "body", "body: not a form in UTF-8 with at most 100 fields", reason="bad_form"
            ) from None
    return given


async def _answer(
    evaluator: Evaluator, given: Parameters, window: Window, write: Callable[..., bytes]
) -> Response:
    try:
        body = await evaluator.ask(given.get("query", ""), window, write)
    except BadExpression as error:
        raise _invalid("query", str(error)) from None
    except EvaluationFailed as error:
        return _failed("execution", error, HTTPStatus.UNPROCESSABLE_ENTITY)
    except QueryTimeout as error:
        return _failed("timeout", error, HTTPStatus.SERVICE_UNAVAILABLE)
    return Response(body, media_type=Json.media_type)


def _failed(kind: str, error: Exception, status: HTTPStatus) -> Json:
    return Json({"status": "error", "errorType": kind, "error": str(error)}, status)


def _window(given: Parameters) -> Window:
    start_ms, end_ms = _time_ms(given, "start", None), _time_ms(given, "end", None)
    if end_ms < start_ms:
        raise _invalid("end", "end timestamp must not be before start time")
    text = given.get("step", "")
    try:
        step_ms = parse_duration_ms(text, field="step")
    except BadField as error:
        raise _invalid("step", str(error)) from None
    if step_ms < 1:
        raise _invalid(
            "step", "zero or negative query resolution step widths are not accepted;"
            " try a positive integer",
        )  # fmt: skip
    if (end_ms - start_ms) // step_ms + 1 > QUERY_POINTS_MAX:
        raise BadField(
            "step",
            "exceeded maximum resolution of 11,000 points per timeseries."
            " Try decreasing the query resolution (?step=XX)",
            reason="bad_data",
        )
    return Window(start_ms, end_ms, step_ms)


def _time_ms(given: Parameters, name: str, default_ms: int | None) -> int:
    """Seconds, negative allowed, or RFC 3339; here a number's size never changes its unit."""
    text = given.get(name, "")
    if not text and default_ms is not None:
        return default_ms
    try:
        if _NUMBER.fullmatch(text):
            number = float(text)
            if abs(number) <= _TIME_SECONDS_MAX:
                return round(number * 1000)
        elif text:
            return parse_time_ms(text, field=name)
    except BadField:
        pass
    raise _invalid(name, f"cannot parse {text[:64]!r} to a valid timestamp")


def _invalid(name: str, fault: str) -> BadField:
    return BadField(name, f'invalid parameter "{name}": {fault}', reason="bad_data")
