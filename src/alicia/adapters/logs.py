"""Log lines on stderr: one line each, bounded, without secrets, and never one per message."""

import logging
import re
import sys
import time
from typing import Any, Final, TextIO, final

import msgspec

from alicia.base.limits import LOG_LINE_BYTES_MAX
from alicia.wire.redact import redact_text

_BURST: Final = 5
_WINDOW_SECONDS: Final = 60.0
_CODES_MAX: Final = 1000
_CUT: Final = "…"
# Values behind a secret word, our own tokens, and credentials of headers.
_SECRETS: Final = re.compile(
    r"alicia_[0-9a-f]{16,}"
    r"|(?i:(?<=bearer )|(?<=basic ))[A-Za-z0-9+/=._~-]{6,}"
    r"|(?i:(?<=password=)|(?<=token=)|(?<=secret=)|(?<=apikey=))[^\s&'\"]+"
)
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def set_up_logs(
    service: str, *, as_json: bool = False, level: str = "info", stream: TextIO | None = None
) -> None:
    """Send everything from ``level`` on to stderr, in our form; called once, by ``main``."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service) if as_json else PlainLines(service))
    handler.addFilter(Sparing())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    least = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(least)
    for name in ("httpx", "httpcore", "gmqtt", "asyncio"):
        logging.getLogger(name).setLevel(max(least, logging.WARNING))
    logging.captureWarnings(True)


@final
class Sparing(logging.Filter):
    """Lets five lines per code and minute through, and says how many it withheld.

    The code is ``extra={"code": …}``, or else the text before its arguments go in, so that peers
    cannot fill the disk by repeating a mistake.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written."""
        code = str(getattr(record, "code", record.msg))
        started, count = self._seen.get(code, (record.created, 0))
        withheld = 0
        if not 0 <= record.created - started < _WINDOW_SECONDS:  # the clock may step back
            withheld, started, count = max(0, count - _BURST), record.created, 0
        if len(self._seen) >= _CODES_MAX and code not in self._seen:
            self._seen.clear()
        self._seen[code] = (started, count + 1)
        if withheld:
            record.withheld = withheld
        return count < _BURST


@final
class PlainLines(logging.Formatter):
    """``2026-11-25T08:00:00Z warning collector: text key=value`` for people."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line, with control characters escaped; a traceback follows on its own lines."""
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        line = _one_line(record.getMessage() + extra)
        head = f"{_stamp(record)} {record.levelname.lower()} {self._service}: "
        return _bounded(head + clean(line) + _indented(clean(_traceback(record))))


@final
class JsonLines(logging.Formatter):
    """One JSON object per line, for collectors of logs."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line; the encoder escapes whatever would break it."""
        entry: dict[str, Any] = {
            "time": _stamp(record),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": clean(record.getMessage()),
        }
        entry.update({name: clean(str(value)) for name, value in _extra(record).items()})
        traceback = clean(_traceback(record))
        line = _json({**entry, "traceback": traceback} if traceback else entry)
        if len(line) <= LOG_LINE_BYTES_MAX:
            return line
        # Cut before encoding: half an object is no JSON. Escapes make a text up to 6 times longer.
        room = LOG_LINE_BYTES_MAX // 14
        short = {"message": entry["message"][:room] + _CUT, "traceback": traceback[-room:]}
        return _json({key: entry[key] for key in ("time", "level", "service", "logger")} | short)


def clean(text: str) -> str:
    """A text without the secrets that can be told by their look."""
    masked = _SECRETS.sub("***", text)  # before long lines are cut, which could leave a half
    return "\n".join(redact_text(line) for line in masked.split("\n"))


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _stamp(record: logging.LogRecord) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{whole}.{int(record.msecs):03d}Z"


def _traceback(record: logging.LogRecord) -> str:
    return logging.Formatter().formatException(record.exc_info) if record.exc_info else ""


def _indented(traceback: str) -> str:
    return "".join(f"\n  {_one_line(line)}" for line in traceback.splitlines())


def _one_line(text: str) -> str:
    """A text that cannot begin a line of its own or drive a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _bounded(line: str) -> str:
    raw = line.encode("utf-8", "backslashreplace")
    if len(raw) <= LOG_LINE_BYTES_MAX:
        return line
    # The end of a traceback says what happened, the head of a line who speaks.
    half = LOG_LINE_BYTES_MAX // 2 - len(_CUT.encode())
    return raw[:half].decode("utf-8", "ignore") + _CUT + raw[-half:].decode("utf-8", "ignore")


def _json(entry: dict[str, Any]) -> str:
    return msgspec.json.encode(entry).decode()
