"""Checks of the machine: data folder, disk, SQLite, clock, mosquitto, tokens."""

import os
import sqlite3
import stat
from pathlib import Path
from typing import Final

from alicia.adapters.broker.choose import find_mosquitto
from alicia.adapters.disk_space import probe
from alicia.adapters.http.audit import audit_files
from alicia.adapters.http.audit_chain import first_break
from alicia.adapters.http.bind import is_local
from alicia.adapters.settings import Settings
from alicia.base.clock import Clock
from alicia.base.errors import BadField
from alicia.cli.doctor.finding import Finding, fail, ok, warn

# The WAL-reset race is fixed in these and later patches of their lines (reliability.md §11).
_SQLITE_FIXED: Final = {(3, 44): 6, (3, 50): 7, (3, 51): 3}
_RELEASED_MS: Final = 1_764_000_000_000  # 2025-11-24: no true clock is earlier than this program


def data_folder(settings: Settings) -> Finding:
    """It is ours alone, and we may write to it."""
    name, folder = "data folder", settings.data_dir
    try:
        status = folder.stat()
    except FileNotFoundError:
        return ok(name, f"{folder} will be created")
    except OSError as error:
        return fail(name, f"{folder}: {error.strerror}", fix="choose another one with --data-dir")
    if not stat.S_ISDIR(status.st_mode):
        return fail(name, f"{folder} is no folder", fix="choose another one with --data-dir")
    if not os.access(folder, os.W_OK | os.X_OK):
        return fail(name, f"{folder} cannot be written", fix=f"chown it to us: {os.geteuid()}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        return warn(name, f"others may look into {folder} ({mode})", fix=f"chmod 700 {folder}")
    return ok(name, f"{folder}, ours alone")


def disk_space(settings: Settings) -> Finding:
    """More is free than the reserve at which writing stops."""
    space = probe(_existing(settings.data_dir), min_free_bytes=settings.min_free_disk)
    if space.is_low:
        return fail("disk", space.sentence(), fix="free some space, or lower MIN_FREE_DISK")
    if space.free_bytes < 2 * space.reserve_bytes:
        return warn("disk", space.sentence(), fix="free some space soon")
    return ok("disk", space.sentence())


def sqlite_version(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> Finding:
    """The library has no known fault that could cost data."""
    text = ".".join(map(str, version))
    fixed = version >= (3, 51, 3) or version[2] >= _SQLITE_FIXED.get(version[:2], 1 << 30)
    if fixed:
        return ok("SQLite", text)
    return warn(
        "SQLite",
        f"{text} has a rare race in resetting its log; Alicia avoids it with one connection",
        fix="update to 3.51.3 or later when the system offers it",
    )


def wall_clock(clock: Clock) -> Finding:
    """The time can be true; whether it is, only a time service knows."""
    now_ms = clock.now_ms()
    if now_ms < _RELEASED_MS:
        fix = "set the clock: install chrony or systemd-timesyncd"
        return fail("clock", "lies before this program was made", fix=fix)
    return ok("clock", "plausible")


def mosquitto_program(settings: Settings) -> Finding:
    """There is a broker that ``alicia up`` can start."""
    found = find_mosquitto()
    if found:
        return ok("mosquitto", found)
    if settings.broker_configured:
        return ok("mosquitto", "not installed, and not needed: MQTT_URL is set")
    return warn(
        "mosquitto",
        "not installed; `alicia up` would start its trial broker, which keeps nothing",
        fix="apt install mosquitto",
    )


def exposure(settings: Settings, *, bound: str = "") -> Finding:
    """Nobody from outside gets in without a token; ``bound`` is where a service listens now."""
    host = bound or settings.host
    try:
        local = is_local(host)
    except BadField as error:
        return fail("exposure", str(error), fix="set HOST to an address of this machine")
    if local:
        return ok("exposure", f"only this machine ({host})")
    if settings.insecure:
        fix = "alicia token create, then start without --insecure"
        return warn("exposure", f"{host} is open to everybody: INSECURE is on", fix=fix)
    if not (settings.data_dir / "tokens.json").exists():
        return fail("exposure", f"{host} needs a token to start", fix="alicia token create")
    return ok("exposure", f"{host}, with tokens")


def audit_log(settings: Settings) -> Finding:
    """Nobody has changed what the services noted of changes."""
    name, folder = "audit log", settings.data_dir / "audit"
    lines = 0
    for service in ("collector", "scheduler"):
        previous: bytes | None = None
        for path in audit_files(folder, service):
            try:
                content = _whole_lines(path.read_bytes())
            except OSError as error:
                return fail(
                    name, f"{path}: {error.strerror}", fix=f"chown it to us: {os.geteuid()}"
                )
            before = [] if previous is None else [previous]
            broken = first_break([*before, *content])
            if broken is not None:
                where = f"{path}, line {broken - len(before)}"
                fix = "keep a copy, find out who wrote there, then move the file away"
                return fail(name, f"{where} does not fit the line before it", fix=fix)
            previous = content[-1] if content else previous
            lines += len(content)
    return ok(name, f"{lines} lines, the chain is whole" if lines else "nothing was changed yet")


def _whole_lines(content: bytes) -> list[bytes]:
    """Without what a crash left of the last line, which the service cuts off when it starts."""
    return content[: content.rfind(b"\n") + 1].splitlines()


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())
