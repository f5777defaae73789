"""Settings: flag > environment > ``.env`` > ``alicia.toml`` > default (contract.md §2).

One table says every key, its reader and its meaning; the command line, ``config show`` and the
documentation test read the same table.
"""

import io
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from alicia.adapters.zones import system_zone_name
from alicia.base.durations import format_duration_ms, parse_duration_ms
from alicia.base.errors import BadField

LEVELS: Final = ("debug", "info", "warning", "error")


class BadSetting(BadField):
    """A setting cannot be used; the message names where it came from."""

    code: ClassVar[str] = "bad_setting"


@dataclass(frozen=True, slots=True)
class Tier:
    """One rollup tier: a bucket's length and how long buckets are kept."""

    resolution_ms: int
    retention_ms: int


def _positive_duration(text: str) -> int:
    value = parse_duration_ms(text)
    if value <= 0:
        raise ValueError("must be longer than 0")
    return value


def _whole(minimum: int, maximum: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError("write a whole number") from None
        if not minimum <= value <= maximum:
            raise ValueError(f"must lie between {minimum} and {maximum}")
        return value

    return read


def _size(text: str) -> int:
    size = _bytes(text)
    if size < 0:
        raise ValueError("must not be negative")
    return size


def _bytes(text: str) -> int:
    units = {"kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
    lowered = text.strip().lower()
    try:
        for unit, factor in sorted(units.items(), key=lambda item: -len(item[0])):
            if lowered.endswith(unit):
                return round(float(lowered[: -len(unit)]) * factor)
        return int(lowered.removesuffix("b"))
    except (ValueError, OverflowError):  # "infGB" overflows
        raise ValueError("write a number of bytes, or a size such as 256MB or 1GiB") from None


def _tiers(text: str) -> tuple[Tier, ...]:
    tiers = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        resolution, colon, retention = part.partition(":")
        if not colon:
            raise ValueError("write resolution:retention pairs such as 1m:7d,1h:2y")
        tiers.append(Tier(_positive_duration(resolution), _positive_duration(retention)))
    return tuple(tiers)


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (piece.strip() for piece in text.split(","))))


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("write the path of a file or folder")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError("there is no such user to look up ~ for") from None


def _url(*schemes: str) -> Callable[[str], str]:
    hint = "write " + " or ".join(f"{scheme}://host…" for scheme in schemes)

    def read(text: str) -> str:
        try:
            parts = urlsplit(text)
            _ = parts.port  # raises where it is no number
        except ValueError:  # whose words may quote a password
            raise ValueError(
                f"{hint}, with %2F for / in a password, %3F for ?, %23 for # and %40 for @"
            ) from None
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(hint)
        return text

    return read


def _prefix(text: str) -> str:
    if not text or any(char in text for char in "+#/ \0") or text.startswith("$"):
        raise ValueError("must be one topic segment without / + # or spaces")
    return text


def _zone(text: str) -> str:
    ZoneInfo(text)
    return text


def _log_level(text: str) -> str:
    lowered = text.strip().lower()
    if lowered not in LEVELS:
        raise ValueError(f"write one of {', '.join(LEVELS)}")
    return lowered


def _wal_sync(text: str) -> str:
    if text not in ("1s", "always"):
        raise ValueError("write 1s or always")
    return text


def _switch(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("", "0", "false", "no", "off"):
        return False
    raise ValueError("write on or off")


def _chosen(text: str) -> tuple[str, ...]:
    """Which ones: "*" stands for all of them."""
    try:
        return ("*",) if _switch(text) else ()
    except ValueError:
        return _words(text)


def _key(read: Callable[[str], Any], default: Any, meaning: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"read": read, "meaning": meaning, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set, parsed and checked; immutable for the life of a process."""

    data_dir: Path = _key(_path, Path(), "all state; one writer at a time")
    host: str = _key(str, "127.0.0.1", "bind address of both services")
    collector_port: int = _key(_whole(0, 65535), 8024, "port of the collector; 0 takes a free one")
    scheduler_port: int = _key(_whole(0, 65535), 8025, "port of the scheduler; 0 takes a free one")
    mqtt_url: str | None = _key(
        _url("mqtt", "mqtts"),
        None,
        "broker to use: `mqtt[s]://[user:password@]host[:port]`, with `?version=3.1.1` or"
        " `?version=5` where only that one shall be tried",
        secret=True,
    )
    mqtt_port_local: int = _key(_whole(1, 65535), 1883, "port of the broker that `up` starts")
    database_url: str | None = _key(
        _url("postgresql", "postgres"), None, "PostgreSQL instead of SQLite files", secret=True
    )
    metrics_remote_url: str | None = _key(
        _url("http", "https"), None, "Prometheus-compatible engine instead of ours", secret=True
    )
    collection_interval_ms: int = _key(_positive_duration, 30_000, "polls, rules, summaries")
    system_metrics_interval_ms: int = _key(_positive_duration, 60_000, "host and process metrics")
    retention_ms: int = _key(_positive_duration, 3_600_000, "raw samples are kept this long")
    max_samples_per_series: int = _key(_whole(1, 10**9), 1000, "raw samples kept per series")
    rollups: tuple[Tier, ...] = _key(
        _tiers,
        (Tier(60_000, 7 * 86_400_000), Tier(3_600_000, 730 * 86_400_000)),
        "resolution:retention of each rollup tier",
    )
    max_series: int = _key(_whole(1, 10**9), 200_000, "series in all; new ones above are refused")
    max_series_per_service: int = _key(_whole(1, 10**9), 10_000, "series of one service")
    wal_sync: str = _key(_wal_sync, "1s", "fsync of the write-ahead log: 1s or always")
    scheduler_url: str | None = _key(
        _url("http", "https"), None, "scheduler that the collector forwards to, if not its own"
    )
    check_interval_ms: int = _key(_positive_duration, 10_000, "longest sleep of the scheduler")
    workers: int = _key(_whole(1, 10_000), 10, "concurrent executions per scheduler")
    max_executions_per_event: int = _key(_whole(1, 10**6), 100, "history kept per event")
    cleanup_interval_ms: int = _key(_positive_duration, 3_600_000, "clean-up of history")
    timezone: str = _key(_zone, "UTC", "default zone of events")
    topic_prefix: str = _key(_prefix, "alicia", "first segment of every topic")
    min_free_disk: int | None = _key(_size, None, "bytes at which writing stops")
    allowed_hosts: tuple[str, ...] = _key(_words, (), "further names in the Host header")
    trusted_proxies: tuple[str, ...] = _key(_words, (), "addresses whose X-Forwarded-* count")
    outbound_allow: tuple[str, ...] = _key(_words, (), "hosts, CIDRs, host:port for requests")
    tls_cert: Path | None = _key(_path, None, "certificate of both services")
    tls_key: Path | None = _key(_path, None, "its private key")
    mqtt_ca: Path | None = _key(_path, None, "certificate authority of the broker")
    mqtt_cert: Path | None = _key(_path, None, "client certificate for the broker")
    mqtt_key: Path | None = _key(_path, None, "its private key")
    load_balancer_weights: tuple[str, ...] = _key(
        _chosen, (), "whose weights the load balancer is sent: off, on, or names of services"
    )
    home_assistant: bool = _key(_switch, False, "announce services to Home Assistant")
    log_level: str = _key(
        _log_level, "info", "least log line shown: debug, info, warning, error; `up`: warning"
    )
    insecure: bool = _key(_switch, False, "bind beyond loopback without tokens")
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def broker_configured(self) -> bool:
        """Whether the owner named a broker, so that none is looked for or started."""
        return self.mqtt_url is not None


# Keys of the environment lack the unit that our attribute names carry.
_SUFFIXES: Final = ("_ms",)
_LEGACY_BROKER: Final = ("MQTT_BROKER", "MQTT_PORT", "MQTT_USERNAME", "MQTT_PASSWORD")


def setting_keys() -> Mapping[str, Any]:
    """Every key in capitals, as documented, with its dataclass field."""
    return {_key_of(item.name): item for item in fields(Settings) if item.metadata}


def load_settings(
    flags: Mapping[str, str | None] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Settings from all sources; ``folder`` is where ``.env`` and ``alicia.toml`` are looked for.

    ``flags`` are keyed like the documentation (``DATA_DIR``); a value of None is not given.

    Raises:
        BadSetting: a value or a file cannot be read, or ``alicia.toml`` or a flag holds a key
            that does not exist. Unknown names of the environment and of ``.env`` are not ours.
    """
    env = os.environ if environment is None else environment
    where = Path.cwd() if folder is None else folder
    sources = [
        ("default", _defaults(env)),
        ("alicia.toml", _from_toml(where / "alicia.toml")),
        (".env", _from_environment(_from_dotenv(where / ".env"))),
        ("environment", _from_environment(env)),
        ("flag", {k: v for k, v in (flags or {}).items() if v is not None}),
    ]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    keys = setting_keys()
    for origin, given in sources:
        for key, text in given.items():
            if key not in keys:
                raise BadSetting(
                    key,
                    f"{origin}: there is no setting {key}; see docs/settings.md",
                    reason="unknown_setting",
                )
            values[keys[key].name] = _read(keys[key], key, text, origin)
            origins[key] = origin
    return Settings(**values, origins=origins)


def show_settings(settings: Settings) -> list[dict[str, Any]]:
    """Every setting with value, origin and meaning; secrets are masked."""
    rows = []
    for key, item in setting_keys().items():
        value = getattr(settings, item.name)
        shown = "***" if item.metadata["secret"] and value else _plain(item.name, value)
        rows.append(
            {
                "key": key,
                "value": shown,
                "origin": settings.origins.get(key, "default"),
                "meaning": item.metadata["meaning"],
            }
        )
    return rows


def _defaults(env: Mapping[str, str]) -> dict[str, str]:
    base = env.get("XDG_DATA_HOME") or str(
        Path(env.get("HOME") or "~").expanduser() / ".local/share"
    )
    return {"DATA_DIR": str(Path(base) / "alicia"), "TIMEZONE": system_zone_name(env)}


def _from_environment(env: Mapping[str, str | None]) -> dict[str, str]:
    known = setting_keys()
    found = {
        key: text for key in known if (text := env.get(f"ALICIA_{key}")) is not None and text != ""
    }
    if "MQTT_URL" not in found and env.get("MQTT_BROKER"):
        found["MQTT_URL"] = _legacy_url(*(env.get(name) for name in _LEGACY_BROKER))
    return found


def _legacy_url(host: str | None, port: str | None, user: str | None, password: str | None) -> str:
    from urllib.parse import quote

    login = f"{quote(user, safe='')}:{quote(password or '', safe='')}@" if user else ""
    return f"mqtt://{login}{host}:{port or 1883}"


def _text_of(path: Path) -> str:
    """What a file holds; nothing where it is absent.

    Raises:
        BadSetting: it is there and cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        fault = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise BadSetting(
            str(path),
            f"{path}: cannot be read: {fault}; mend it, or move it aside",
            reason="unreadable_file",
        ) from None


def _from_dotenv(path: Path) -> dict[str, str | None]:
    """The lines of a ``.env``, which may be shared: only faults in lines of ours are faults."""
    good = []
    for binding in parse_stream(io.StringIO(_text_of(path))):
        raw = binding.original
        if not binding.error:
            good.append(raw.string)
        elif "ALICIA_" in raw.string or "MQTT_" in raw.string:
            raise BadSetting(
                str(path),
                f"{path}: line {raw.line} cannot be read; write ALICIA_KEY=value",
                reason="bad_dotenv",
            )
    return dotenv_values(stream=io.StringIO("".join(good)))


def _from_toml(path: Path) -> dict[str, str]:
    try:
        document = tomllib.loads(_text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(str(path), f"{path}: not TOML: {error}", reason="bad_toml") from None
    return {key.upper(): _toml_text(path, key, value) for key, value in document.items()}


def _toml_text(path: Path, key: str, value: object) -> str:
    item = setting_keys().get(key.upper())
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str | int | float):
        return str(value)
    if item is None:
        return ""  # an unknown key is refused by its name
    takes_list = item.metadata["read"] in (_words, _chosen, _tiers)
    if takes_list and isinstance(value, list):
        return ",".join(str(part) for part in value)
    wanted = "a text or a list of texts" if takes_list else "a text, a number, true or false"
    raise BadSetting(key, f"{path}: {key}: write {wanted}", reason="bad_setting")


def _read(item: Any, key: str, text: str, origin: str) -> Any:
    try:
        return item.metadata["read"](text)
    except BadField as error:
        raise BadSetting(key, f"{key} ({origin}): {error}", reason="bad_setting") from None
    except (ValueError, KeyError, OSError) as error:
        shown = "***" if item.metadata["secret"] else repr(text)
        raise BadSetting(
            key, f"{key} ({origin}): {shown} cannot be used: {error}", reason="bad_setting"
        ) from None


def _key_of(name: str) -> str:
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name.upper()


def _plain(name: str, value: Any) -> Any:
    if name.endswith("_ms"):
        return format_duration_ms(value)
    if isinstance(value, Path):
        return str(value)
    if name == "rollups":
        return ",".join(
            f"{format_duration_ms(t.resolution_ms)}:{format_duration_ms(t.retention_ms)}"
            for t in value
        )
    if isinstance(value, tuple):
        return ",".join(value)
    return value
