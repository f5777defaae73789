"""``/docs``: the routes of a service as one page that needs no script and no network."""

import hashlib
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse, Response

from alicia.adapters.http.roles import Role, needs

_METHODS: Final = ("get", "post", "put", "patch", "delete")


def docs_router(app: FastAPI) -> APIRouter:
    """``/docs``, its style sheet, and ``/openapi.json`` of ``app``."""
    router = APIRouter(include_in_schema=False)
    style = files("alicia.adapters.http").joinpath("docs.css").read_bytes()
    # Changes with the content, so that browsers may keep it.
    style_path = f"/docs/style-{hashlib.sha256(style).hexdigest()[:12]}.css"

    @router.get("/openapi.json", dependencies=[needs(Role.VIEWER)])
    async def openapi() -> dict[str, Any]:
        """The routes as OpenAPI."""
        return app.openapi()

    @router.get("/docs", dependencies=[needs(Role.VIEWER)])
    async def docs() -> Response:
        """The routes as a page."""
        return HTMLResponse(render(app.openapi(), style_path))

    @router.get(style_path, dependencies=[needs(Role.PUBLIC)])
    async def style_sheet() -> Response:
        """What the page looks like."""
        return Response(
            style,
            media_type="text/css",
            headers={"Cache-Control": "public, max-age=31536000, immutable"},
        )

    return router


def render(schema: Mapping[str, Any], style_path: str) -> str:
    """The page of an OpenAPI document; every text in it is escaped."""
    title = escape(f"{schema['info']['title']} {schema['info']['version']}")
    rows = "\n".join(_operations(schema["paths"]))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{style_path}">
</head>
<body>
<main>
<h1>{title}</h1>
<p>Machine-readable: <a href="/openapi.json">openapi.json</a>.
Errors are <code>application/problem+json</code> (RFC 9457); every code is explained in
docs/errors.md.</p>
{rows}
</main>
</body>
</html>
"""


def _operations(paths: Mapping[str, Any]) -> Iterable[str]:
    for path, operations in paths.items():
        for method in _METHODS:
            if method in operations:
                yield _operation(method, path, operations[method])


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    text = escape(operation.get("description") or operation.get("summary") or "")
    parameters = "".join(_parameter(item) for item in operation.get("parameters", ()))
    listed = f"<ul>{parameters}</ul>" if parameters else ""
    return (
        f'<section><h2><span class="method {method}">{method.upper()}</span>'
        f" <code>{escape(path)}</code></h2><p>{text}</p>{listed}</section>"
    )


def _parameter(item: Mapping[str, Any]) -> str:
    kind = escape(str(item.get("schema", {}).get("type", "")))
    return f"<li><code>{escape(item['name'])}</code> {escape(item['in'])} {kind}</li>"
