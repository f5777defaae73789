"""The two HTTP APIs from a terminal: find the service, ask, turn problems into one line."""

import http.client
import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from alicia.adapters.settings import Settings
from alicia.cli.exits import NotAnswering, Refused, Unreachable
from alicia.cli.hosts import from_here

_TIMEOUT_SECONDS: Final = 35.0  # a query may take 30 s
_ANSWER_BYTES_MAX: Final = 256 * 1024 * 1024

Service = Literal["collector", "scheduler"]


def read_note(name: str, data_dir: Path) -> dict[str, Any]:
    """A running process's own note ``DATA_DIR/run/<name>.json``.

    Empty where there is none, where it cannot be read, and where its writer has died.
    """
    try:
        note = json.loads((data_dir / "run" / f"{name}.json").read_bytes())
        return dict(note) if _lives(int(note["pid"])) else {}
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return {}


def part_of(note: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One object of a note; empty where somebody else wrote something else there."""
    value = note.get(name)
    return value if isinstance(value, dict) else {}


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # under another user
    return True


def find_service(service: Service, settings: Settings, *, token: str = "") -> "Api":
    """The API of a running service; else the address that the settings give it."""
    note = noted_address(read_note(service, settings.data_dir))
    set_port = settings.collector_port if service == "collector" else settings.scheduler_port
    scheme = note.scheme or ("https" if settings.tls_cert else "http")
    host, port = from_here(note.hostname or settings.host), note.port or set_port
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    return Api(service, url, token=token, certificate=settings.tls_cert)


def noted_address(note: Mapping[str, Any]) -> SplitResult:
    """The noted address; an empty one where it is none."""
    try:
        parts = urlsplit(str(note.get("url") or ""))
        _ = parts.port, parts.hostname  # which are read only now
    except ValueError:
        return urlsplit("")
    return parts


def path(*segments: str) -> str:
    """A path of segments that may hold any character."""
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


class Api:
    """One service's HTTP API; each call is one connection.

    Calls answer the decoded JSON body, None where the body is empty.

    Raises (each call):
        Unreachable: nobody answers at the address, or what answers does not speak HTTP.
        Refused: the service answered with an error.
    """

    def __init__(
        self,
        service: str,
        url: str,
        *,
        token: str = "",
        certificate: Path | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self.service = service
        self.url = url.rstrip("/")
        self._token = token
        self._certificate = certificate
        self._timeout_seconds = timeout_seconds

    def within(self, seconds: float) -> "Api":
        """The same service, asked by somebody with less patience."""
        return Api(
            self.service,
            self.url,
            token=self._token,
            certificate=self._certificate,
            timeout_seconds=seconds,
        )

    def get(self, target: str, query: Mapping[str, Any] | None = None) -> Any:
        """Ask for something; query values of None are left out."""
        given = {k: _text(v) for k, v in (query or {}).items() if v is not None}
        return self._call("GET", target + (f"?{urlencode(given)}" if given else ""), None)

    def post(self, target: str, body: object = None) -> Any:
        """Create or do something."""
        return self._call("POST", target, body)

    def put(self, target: str, body: object) -> Any:
        """Replace something."""
        return self._call("PUT", target, body)

    def send(self, target: str, content: bytes, media_type: str) -> Any:
        """Hand over a document that is no JSON of ours."""
        return self._exchange("POST", target, content, media_type)

    def delete(self, target: str) -> Any:
        """End or remove something."""
        return self._call("DELETE", target, None)

    def health(self) -> Any:
        """The service's health, also where it says that it is unhealthy."""
        try:
            return self.get("/health")
        except Refused as error:
            if isinstance(error.problem, dict) and "service_name" in error.problem:
                return error.problem
            raise

    def _call(self, method: str, target: str, body: object) -> Any:
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        return self._exchange(method, target, content, "application/json")

    def _exchange(self, method: str, target: str, content: bytes | None, media_type: str) -> Any:
        connection = self._connect()
        try:
            connection.request(
                method, target, content, self._headers(None if content is None else media_type)
            )
            answer = connection.getresponse()
            received = answer.read(_ANSWER_BYTES_MAX)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            connection.close()
        value = _decode(received)
        if answer.status >= 400:
            raise Refused(problem_line(answer.status, value), status=answer.status, problem=value)
        if isinstance(value, str):
            what = f"what answers at {self.url} is not the {self.service}: it sends no JSON"
            raise Refused(what, status=answer.status, problem=value)
        return value

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=self._timeout_seconds)
        context = ssl.create_default_context()
        if self._certificate is not None:
            context.load_verify_locations(self._certificate)
        return http.client.HTTPSConnection(
            host, port, timeout=self._timeout_seconds, context=context
        )

    def _headers(self, media_type: str | None) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if media_type is not None:
            headers["Content-Type"] = media_type
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def _unreachable(self, error: Exception) -> Unreachable:
        if isinstance(error, TimeoutError):
            return NotAnswering(
                f"the {self.service} at {self.url} is not answering: it is there, but said nothing"
                f" for {self._timeout_seconds:g} s; if that lasts, stop it and start it again"
            )
        cause = (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
        return Unreachable(
            f"the {self.service} does not answer at {self.url} ({cause}); start it with: alicia up"
        )


def problem_line(status: int, problem: object) -> str:
    """One line of an error body: problem+json, Prometheus' envelope, or anything else."""
    if not isinstance(problem, dict):
        return f"HTTP {status} {http.client.responses.get(status, '')}".rstrip()
    text = str(problem.get("detail") or problem.get("error") or problem.get("title") or "")
    listed = problem.get("errors") or problem.get("rejected")
    faults = [_fault(item, text) for item in listed if isinstance(item, dict)] if listed else []
    line = "; ".join(filter(None, [text, *faults])) or f"HTTP {status}"
    if status == http.client.UNAUTHORIZED:
        line += " (give a token in ALICIA_TOKEN; see: alicia token create)"
    return line


def _fault(item: Mapping[str, Any], text: str) -> str:
    """One fault with its place; empty where ``text`` says it already."""
    message = str(item.get("msg") or item.get("detail") or "")
    where = ".".join(str(part) for part in item.get("loc") or ())
    if message in text:
        return ""
    return message if not where or where in message else f"{where}: {message}"


def _decode(received: bytes) -> Any:
    try:
        return json.loads(received) if received.strip() else None
    except (ValueError, RecursionError):
        return received.decode(errors="replace")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
