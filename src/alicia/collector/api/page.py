"""The page as the server writes it: the wall in plain HTML, and the state as a data block.

Every word of the fleet is escaped here; the markup is ours. The classes are those of the
dashboard's style sheet, so that the first paint looks like the page that replaces it.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

import msgspec

from alicia.collector.api.bundle import Bundle

_WORDS: Final = ("down", "degraded", "unknown", "muted", "up")  # worst first

NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Alicia</title></head>
<body>
<h1>The dashboard is not built</h1>
<p>The collector runs, and its API answers: <a href="/health">/health</a>,
<a href="/metrics">/metrics</a>, <a href="/docs">/docs</a>.</p>
<p>To build the dashboard, run this in the folder <code>dashboard/</code>,
with Node 20 or newer, then reload:</p>
<pre>npm ci &amp;&amp; npm run build</pre>
</body>
</html>
"""


def render_page(bundle: Bundle, snapshot: Mapping[str, object] | None) -> bytes:
    """The whole page; without a snapshot (the caller may see nothing yet) it holds no data."""
    if snapshot is None:
        wall = "<noscript><p>Signing in needs JavaScript.</p></noscript>"
        block = "{}"
    else:
        wall = _wall(_services(snapshot))
        block = _block(snapshot)
    parts = (bundle.before_wall, wall, bundle.before_snapshot, block, bundle.after)
    return "".join(parts).encode()


def _block(snapshot: Mapping[str, object]) -> str:
    """JSON that no parser of HTML sees the end of: it holds no ``<``."""
    return msgspec.json.encode(snapshot).decode().replace("<", "\\u003c")


def _services(snapshot: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The registry's rows within the snapshot, worst first."""
    listing = snapshot.get("services")
    rows = listing.get("services") if isinstance(listing, Mapping) else None
    services = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    return sorted(services, key=lambda row: (_badness(row), str(row.get("service_name"))))


def _badness(service: Mapping[str, object]) -> int:
    return _WORDS.index(_word(service))


def _word(service: Mapping[str, object]) -> str:
    word = service.get("status")
    return word if isinstance(word, str) and word in _WORDS else "unknown"


def _wall(services: Iterable[Mapping[str, object]]) -> str:
    rows = [(service, _word(service)) for service in services]
    up = sum(word == "up" for _, word in rows)
    tiles = "".join(_tile(service, word) for service, word in rows)
    return (
        '<main class="plain">'
        f"<h1>{up} of {len(rows)} services are up</h1>"
        "<noscript><p>Without JavaScript this page shows the state at its loading.</p></noscript>"
        f'<ul class="tiles">{tiles}</ul></main>'
    )


def _tile(service: Mapping[str, object], word: str) -> str:
    name = escape(str(service.get("service_name", "")))
    reason = escape(str(service.get("reason") or ""))
    return (
        f'<li><span class="tile tile-{word}"><span class="tile-head">'
        f'<span class="mark mark-{word}" aria-hidden="true"></span>'
        f'<span class="tile-name">{name}</span><span class="word ink-{word}">{word}</span>'
        f'</span><span class="tile-reason">{reason}</span></span></li>'
    )
