"""Mosquitto as a supervised child, with a configuration that drops nothing in silence."""

import socket
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from alicia.adapters.broker.child import Child
from alicia.adapters.files import make_private_folder, write_atomically
from alicia.adapters.users import user_name

_CONFIG: Final = "mosquitto.conf"
_DATABASE: Final = "mosquitto.db"
_READING_SECONDS_MAX: Final = 10.0  # a database that takes longer to read is at least readable
_LOOK_SECONDS: Final = 0.02


def mosquitto_child(program: str, *, folder: Path, port: int, lan: bool) -> Child:
    """A broker on loopback without accounts, or with ``lan`` on all interfaces with them."""
    return Child(
        argv=(program, "-c", str(folder / _CONFIG)),
        port=port,
        announces=False,
        tethered=True,
        prepare=partial(_prepare, program, folder, port, lan),
    )


def mosquitto_config(folder: Path, *, user: str, port: int, lan: bool) -> str:
    """The configuration file.

    Without ``user`` a start as root drops to an account that cannot write there. The default
    queue of 1000 drops silently; ``memory_limit`` and ``max_packet_size`` disconnect instead.
    Only errors and warnings are logged, since they come out among our own lines.
    Source: bus.md §10.
    """
    listener = f"listener {port}" if lan else f"listener {port} 127.0.0.1"
    access = [
        "allow_anonymous false",
        f"password_file {folder}/passwords",
        f"acl_file {folder}/acl",
    ]
    lines = [
        f"user {user}",
        listener,
        *(access if lan else ["allow_anonymous true"]),
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 10",
        "persistent_client_expiration 1d",
        "max_queued_messages 0",
        "memory_limit 536870912",
        "max_inflight_messages 100",
        "max_packet_size 67108864",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
        "log_type error",
        "log_type warning",
    ]
    return "\n".join(lines) + "\n"


def _prepare(program: str, folder: Path, port: int, lan: bool) -> list[str]:
    make_private_folder(folder)
    text = mosquitto_config(folder, user=user_name(), port=port, lan=lan)
    write_atomically(folder / _CONFIG, text.encode())
    database = folder / _DATABASE
    if not database.exists() or _can_read(program, database):
        return []
    aside = database.with_name(f"{_DATABASE}.bad-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    database.rename(aside)
    return [f"Mosquitto cannot read its stored sessions: starting empty, the file is now {aside}"]


def _can_read(program: str, database: Path) -> bool:
    """Whether this Mosquitto starts with the database, tried on a link to it.

    An unreadable one stops the broker (eclipse/mosquitto#2639, #3159), and only the program
    itself knows what it can read. The trial listens on a socket file and is killed, so that it
    writes nothing.
    """
    with tempfile.TemporaryDirectory(prefix="alicia-") as name:
        folder = Path(name)
        (folder / _DATABASE).symlink_to(database.absolute())
        door = folder / "door"
        config = folder / _CONFIG
        config.write_text(
            f"user {user_name()}\nlistener 0 {door}\nallow_anonymous true\n"
            f"persistence true\npersistence_location {folder}/\nautosave_interval 0\n"
            "log_dest none\n"
        )
        trial = subprocess.Popen(  # noqa: S603 - the broker found on PATH, with our own file
            [program, "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return _opens(trial, door)
        finally:
            trial.kill()
            trial.wait()


def _opens(trial: subprocess.Popen[bytes], door: Path) -> bool:
    deadline = time.monotonic() + _READING_SECONDS_MAX
    while time.monotonic() < deadline:
        if trial.poll() is not None:
            return False
        with socket.socket(socket.AF_UNIX) as visitor:
            if visitor.connect_ex(str(door)) == 0:
                return True
        time.sleep(_LOOK_SECONDS)
    return True
