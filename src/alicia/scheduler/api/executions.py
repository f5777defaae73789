"""``/executions``: history, one execution, cancel, report an outcome.

Source: contract.md §4.
"""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from alicia.adapters.http.body import read_object
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.query import query_choice, query_text, query_time_ms
from alicia.adapters.http.roles import Caller, Role, caller_of, needs
from alicia.base.errors import BadField, Denied, NotFound
from alicia.scheduler.api.events import list_limit, with_cursor
from alicia.scheduler.api.rendering import in_turns
from alicia.scheduler.secrets import shown_execution
from alicia.scheduler.track import Tracker
from alicia.scheduling.execution import Execution, ExecutionStatus, Reason
from alicia.scheduling.ports import ExecutionFilter, Ledger
from alicia.wire.commands import Outcome, Report

_OUTCOMES = {"completed": Outcome.COMPLETED, "failed": Outcome.FAILED}


def execution_routes(ledger: Ledger, tracker: Tracker) -> APIRouter:
    """The routes of executions."""
    router = APIRouter(tags=["executions"])

    async def history(request: Request, event_id: str) -> Response:
        since_ms = query_time_ms(request, "since")
        status = query_choice(request, "status", tuple(ExecutionStatus))
        page = await ledger.history(
            ExecutionFilter(
                event_id=event_id,
                status=ExecutionStatus(status) if status else None,
                since_us=None if since_ms is None else since_ms * 1000,
            ),
            limit=list_limit(request),
            cursor=query_text(request, "cursor") or "",
        )
        rows = await in_turns(page.items, shown_execution)
        return Json(with_cursor({"executions": rows}, page.next_cursor))

    @router.get("/executions", dependencies=[needs(Role.VIEWER)])
    async def list_executions(request: Request) -> Response:
        """Executions of one event or of all, newest first."""
        return await history(request, query_text(request, "event_id") or "")

    @router.get("/executions/{some_id}", dependencies=[needs(Role.VIEWER)])
    async def get_executions(some_id: str, request: Request) -> Response:
        """The history of an event; or, by its own id, one execution with its attempts."""
        try:
            return Json({"execution": shown_execution(await ledger.execution(some_id))})
        except NotFound:
            await _must_exist(ledger, some_id)
        return await history(request, some_id)

    @router.post("/executions/{execution_id}/cancel", dependencies=[needs(Role.OPERATOR)])
    async def cancel_execution(execution_id: str) -> Mapping[str, object]:
        """End an execution; a final one stays what it is."""
        execution = await ledger.execution(execution_id)
        if not execution.status.final:
            execution = await tracker.cancel(execution, reason=Reason.REQUESTED)
        return {"execution": shown_execution(execution)}

    @router.post(
        "/executions/{execution_id}/complete",
        dependencies=[needs(Role.OPERATOR, Role.INGEST)],
    )
    async def complete_execution(execution_id: str, request: Request) -> Mapping[str, object]:
        """Report the outcome of an execution; the first final word counts."""
        report = _report(execution_id, await read_object(request))
        execution = await ledger.execution(execution_id)
        await _check_reporter(caller_of(request), execution, ledger)
        applied = not execution.status.final and await tracker.report(report)
        stored = await ledger.execution(execution_id)
        return {"execution": shown_execution(stored), "applied": applied}

    return router


async def _must_exist(ledger: Ledger, some_id: str) -> None:
    try:
        await ledger.get(some_id)
    except NotFound:
        raise NotFound(f"there is no event and no execution {some_id[:64]!r}") from None


async def _check_reporter(caller: Caller, execution: Execution, ledger: Ledger) -> None:
    """A service may report only on executions that are meant for it (security.md §3)."""
    if caller.role is not Role.INGEST or not caller.service:
        return
    record = await ledger.get(execution.event_id)
    if record.event.target_service != caller.service:
        raise Denied(f"this execution is not meant for {caller.service}")


def _report(execution_id: str, body: Mapping[str, object]) -> Report:
    status, error = body.get("status"), body.get("error")
    outcome = _OUTCOMES.get(status) if isinstance(status, str) else None
    if outcome is None:
        raise BadField("status", "status: write completed or failed", reason="bad_status")
    if error is not None and not isinstance(error, str):
        raise BadField("error", "error: must be a text", reason="bad_error")
    return Report(
        execution_id=execution_id,
        outcome=outcome,
        result=body.get("result"),
        error=error or "",
        source="",
    )
