"""Broker accounts that we generate: passwords, and what each may read and write."""

import base64
import hashlib
import secrets
from pathlib import Path
from typing import ClassVar, Final

from alicia.adapters.files import create_once, make_private_folder, write_atomically

_ITERATIONS: Final = 101  # Mosquitto's own number; the passwords are long and random
_SALT_BYTES: Final = 12
_PASSWORD_BYTES: Final = 24


class Accounts:
    """The files ``own.password`` (plain, for ourselves), ``passwords`` and ``acl`` of a folder.

    ``prefix`` is the first segment of every topic. Collector and scheduler share one account:
    the port is loopback's or the owner's network, and both run under one user.
    """

    OWN: ClassVar[str] = "alicia"

    def __init__(self, folder: Path, *, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix

    @property
    def passwords(self) -> Path:
        """Mosquitto's ``password_file``."""
        return self._folder / "passwords"

    @property
    def acl(self) -> Path:
        """Mosquitto's ``acl_file``."""
        return self._folder / "acl"

    def ensure_own(self) -> str:
        """Our own account, made once; returns its password."""
        make_private_folder(self._folder)
        fresh = secrets.token_urlsafe(_PASSWORD_BYTES).encode()
        password = create_once(own_password_file(self._folder), fresh).decode()
        if self.OWN not in self._names():
            self._put(self.OWN, password, ["topic readwrite #", "topic read $SYS/#"])
        return password

    def add_service(self, name: str, *, role: str | None = None) -> str:
        """Make or renew the account of a service; returns its password, shown once.

        ``role``: ``operator`` may trigger events, ``editor`` may change them too.
        Source: security.md §4.
        """
        self.ensure_own()
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        self._put(name, password, service_rules(name, role=role, prefix=self._prefix))
        return password

    def _names(self) -> set[str]:
        if not self.passwords.exists():
            return set()
        return {line.partition(":")[0] for line in self.passwords.read_text().splitlines()}

    def _put(self, name: str, password: str, rules: list[str]) -> None:
        known = self.passwords.read_text().splitlines() if self.passwords.exists() else []
        kept = [line for line in known if line.partition(":")[0] != name]
        lines = [*kept, f"{name}:{mosquitto_hash(password, secrets.token_bytes(_SALT_BYTES))}"]
        write_atomically(self.passwords, ("\n".join(lines) + "\n").encode())
        blocks = self.acl.read_text().split("\n\n") if self.acl.exists() else []
        others = [block.strip() for block in blocks if not block.startswith(f"user {name}\n")]
        block = "\n".join([f"user {name}", *rules])
        text = "\n\n".join([*filter(None, others), block]) + "\n"
        write_atomically(self.acl, text.encode())


def own_password_file(folder: Path) -> Path:
    """Where our own password is kept, readable by the owner only."""
    return folder / "own.password"


def mosquitto_hash(password: str, salt: bytes) -> str:
    """A line's second half in Mosquitto's password file (PBKDF2 with SHA-512).

    Source: mosquitto_passwd(1), format 7.
    """
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    encoded = (base64.b64encode(part).decode() for part in (salt, digest))
    return "$".join(("", "7", str(_ITERATIONS), *encoded))


def service_rules(name: str, *, role: str | None, prefix: str) -> list[str]:
    """The ACL lines of one service's account."""
    assert role in (None, "operator", "editor"), "roles are checked where they are entered"
    write = [
        "metrics/collect",
        f"metrics/{name}",
        "system/health/#",
        "system/status/#",
        "system/discovery/#",
        "scheduler/executions",
        "events/#",
    ]
    if role is not None:
        write.append("scheduler/triggers")
    if role == "editor":
        write.append("scheduler/events")
    read = [f"{name}/#", "system/health/check"]
    return [f"topic write {prefix}/{topic}" for topic in write] + [
        f"topic read {prefix}/{topic}" for topic in read
    ]
