"""How both services make their HTTP app: our routes, our errors, our front, and nothing else."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import wraps
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from alicia.adapters.http.docs import docs_router
from alicia.adapters.http.errors import answer, plain_answer
from alicia.adapters.http.front import Front
from alicia.adapters.http.guard import Guard
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.roles import UndeclaredRole, caller_of, declared
from alicia.adapters.http.session_routes import session_router
from alicia.adapters.http.shortcut import LEAN, Shortcut
from alicia.base.counters import Counters
from alicia.base.errors import AliciaError, BadRequest, FieldError
from alicia.base.version import __version__

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_app(
    *,
    title: str,
    guard: Guard,
    routers: Sequence[APIRouter],
    counters: Counters | None = None,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """The app of one service.

    Handlers are coroutines; what they return is encoded as JSON unless it is a Response.
    ``app.state.shutting_down`` is an event that HttpServer sets when it begins to stop: endless
    answers end at it, and where their caller is ``still_let_in`` no more.

    Raises:
        UndeclaredRole: a route has no ``needs(...)``, or is no coroutine.
    """
    counted = Counters() if counters is None else counters
    app = FastAPI(
        title=title,
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # its route would have no role; ours in docs.py has
        redirect_slashes=False,  # the redirect would repeat whatever Host says
    )
    app.state.shutting_down = asyncio.Event()
    app.state.guard = guard
    for router in (*routers, session_router(guard), docs_router(app)):
        for route in router.routes:
            _add(app, route)
    _add_handlers(app, counted)
    app.add_middleware(Shortcut, routes=_lean_routes(app), counters=counted)
    app.add_middleware(Front, guard=guard, counters=counted)
    return app


def shutting_down(request: Request) -> asyncio.Event:
    """The event at which endless answers end."""
    event = request.app.state.shutting_down
    assert isinstance(event, asyncio.Event)
    return event


def still_let_in(request: Request) -> bool:
    """Whether the caller's credentials, good when the request came, are good now."""
    guard = request.app.state.guard
    assert isinstance(guard, Guard)
    return guard.still_lets_in(caller_of(request))


def _add(app: FastAPI, route: object) -> None:
    """Add one route, without the response models that FastAPI would make of annotations."""
    if not isinstance(route, APIRoute) or declared(route.dependencies) is None:
        where = getattr(route, "path", repr(route))
        raise UndeclaredRole(f"route {where}: declare dependencies=[needs(Role…)]")
    if not inspect.iscoroutinefunction(route.endpoint):
        # A plain function would run in another thread, and state has one owner thread.
        raise UndeclaredRole(f"route {route.path}: write its handler as async def")
    endpoint = _plain(route.endpoint, route.status_code or 200)
    for method in sorted(route.methods or ()):  # one by one, so that each has an id in OpenAPI
        app.router.add_api_route(
            route.path,
            endpoint,
            response_model=None,
            status_code=route.status_code,
            tags=route.tags,
            dependencies=route.dependencies,
            summary=route.summary,
            description=route.description,
            methods=[method],
            name=route.name,
            include_in_schema=route.include_in_schema,
            openapi_extra=route.openapi_extra,
        )


def _lean_routes(app: FastAPI) -> dict[tuple[str, str], APIRoute]:
    return {
        (method, route.path): route
        for route in app.routes
        if isinstance(route, APIRoute) and LEAN in (route.openapi_extra or {})
        for method in route.methods or ()
    }


def _plain(endpoint: Callable[..., Any], status: int) -> Callable[..., Any]:
    @wraps(endpoint)
    async def encoded(*args: Any, **kwargs: Any) -> Response:
        result = await endpoint(*args, **kwargs)
        return result if isinstance(result, Response) else Json(result, status)

    return encoded


def _add_handlers(app: FastAPI, counters: Counters) -> None:
    async def on_alicia_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, AliciaError)
        counters.add("http_errors", error.code)
        return answer(error, path=request.url.path)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        counters.add("http_errors", "bad_request")
        return answer(_as_bad_request(error), path=request.url.path)

    async def on_http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return _wrong_method(request)
        return plain_answer(
            error.status_code,
            _why(request, error),
            path=request.url.path,
            headers=error.headers,
        )

    app.add_exception_handler(AliciaError, on_alicia_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http_exception)


def _why(request: Request, error: HTTPException) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"there is nothing at {request.url.path[:200]}; /docs lists every path"
    return str(error.detail)


def _wrong_method(request: Request) -> Response:
    path = request.url.path
    routes = (route for route in request.app.routes if isinstance(route, APIRoute))
    methods = {m for route in routes if route.path_regex.match(path) for m in route.methods or ()}
    if "GET" in methods:
        methods.add("HEAD")  # see Front
    allowed = ", ".join(sorted(methods))
    return plain_answer(
        HTTPStatus.METHOD_NOT_ALLOWED,
        f"{request.method} is not taken at {path[:200]}; send {allowed}",
        path=path,
        headers={"Allow": allowed},
    )


def _as_bad_request(error: RequestValidationError) -> BadRequest:
    """What FastAPI refused, without the input that it would repeat."""
    faults = []
    for item in error.errors():
        loc = tuple(part for part in item["loc"] if part not in ("query", "path", "body"))
        name = ".".join(str(part) for part in loc) or "request"
        faults.append(FieldError(loc or ("request",), f"{name}: {item['msg']}", item["type"]))
    return BadRequest(tuple(faults))
