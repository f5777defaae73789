"""Time zones from the machine's files; cores get ``tzinfo`` objects only."""

from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alicia.base.errors import BadField


def load_zone(name: str, *, field: str = "timezone") -> tzinfo:
    """The zone of an IANA name.

    Raises:
        BadField: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadField(
            field,
            f"{field}: there is no time zone {name[:64]!r}; write an IANA name such as Europe/Riga",
            reason="unknown_zone",
        ) from None


def system_zone_name(environment: Mapping[str, str]) -> str:
    """The IANA name of the machine's zone; UTC where it has none that can be named."""
    for candidate in (environment.get("TZ", ""), _etc_timezone(), _etc_localtime()):
        name = candidate.removeprefix(":")
        if name and _exists(name):
            return name
    return "UTC"


def _etc_timezone() -> str:
    try:
        return Path("/etc/timezone").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _etc_localtime() -> str:
    target = str(Path("/etc/localtime").resolve())
    _, found, name = target.partition("zoneinfo/")
    return name if found else ""


def _exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
