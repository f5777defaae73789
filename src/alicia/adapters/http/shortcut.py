"""A way around FastAPI's machinery for the few routes that are asked very often.

The same declaration holds: role and content types are checked, the audit log sees the route, and
documentation lists it. What is left out is the search among all routes, and the reading of
arguments from annotations, which such a handler does not have.
"""

from collections.abc import Mapping
from typing import Final, final

from fastapi.routing import APIRoute
from starlette.requests import Request

from alicia.adapters.http.errors import answer
from alicia.adapters.http.front import App, Receive, Scope, Send
from alicia.adapters.http.roles import declared
from alicia.base.counters import Counters
from alicia.base.errors import AliciaError

LEAN: Final = "x-alicia-lean"  # in a route's openapi_extra


@final
class Shortcut:
    """Serves routes whose handler takes nothing but the request; all others go their usual way."""

    def __init__(
        self, app: App, *, routes: Mapping[tuple[str, str], APIRoute], counters: Counters
    ) -> None:
        self._app = app
        self._counters = counters
        self._routes = {
            place: (route, need)
            for place, route in routes.items()
            if (need := declared(route.dependencies)) is not None
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = None
        if scope["type"] == "http":
            found = self._routes.get((scope["method"], scope["path"]))
        if found is None:
            await self._app(scope, receive, send)
            return
        route, need = found
        scope["route"] = route
        request = Request(scope, receive, send)
        try:
            await need(request)
            reply = await route.endpoint(request)
        except AliciaError as error:
            self._counters.add("http_errors", error.code)
            reply = answer(error, path=scope["path"])
        await reply(scope, receive, send)
