"""Broker accounts that we generate: passwords, and what each may read and write."""

import base64
import hashlib
import re
import secrets
from pathlib import Path
from typing import ClassVar, Final

from alicia.adapters.files import create_once, make_private_folder, write_atomically
from alicia.base.errors import AliciaError, BadField, Kind

_ITERATIONS: Final = 101  # Mosquitto's own number; the passwords are long and random
_SALT_BYTES: Final = 12
_PASSWORD_BYTES: Final = 24
_OWN_PASSWORD: Final = re.compile(rb"[A-Za-z0-9_-]{32}")  # what 24 bytes become


class DamagedAccounts(AliciaError):
    """The broker's account files are not what we wrote, and may hold accounts of others."""

    code: ClassVar[str] = "damaged_accounts"
    kind: ClassVar[Kind] = Kind.CORRUPT


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
        """Our own account, made once; returns its password.

        A password file that holds none is made anew: nobody but us knows what it held.

        Raises:
            DamagedAccounts: the other files cannot be read.
        """
        make_private_folder(self._folder)
        file, fresh = own_password_file(self._folder), secrets.token_urlsafe(_PASSWORD_BYTES)
        stored = create_once(file, fresh.encode())
        damaged = _OWN_PASSWORD.fullmatch(stored) is None
        if damaged:
            write_atomically(file, fresh.encode())
        password = fresh if damaged else stored.decode()
        if damaged or self.OWN not in self._names():
            self._put(self.OWN, password, ["topic readwrite #", "topic read $SYS/#"])
        return password

    def add_service(self, name: str, *, role: str | None = None) -> str:
        """Make or renew the account of a service; returns its password, shown once.

        ``role``: ``operator`` may trigger events, ``editor`` may change them too.

        Raises:
            BadField: the name is that of our own account.
        Source: security.md §4.
        """
        check_service_account(name)
        self.ensure_own()
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        self._put(name, password, service_rules(name, role=role, prefix=self._prefix))
        return password

    def remove_service(self, name: str) -> bool:
        """Remove the account of a service; False where there is none. Ours is none of them."""
        if name == self.OWN or name not in self._names():
            return False
        self._write(self._others(name), self._other_blocks(name))
        return True

    def _names(self) -> set[str]:
        return {line.partition(":")[0] for line in _text_of(self.passwords).splitlines()}

    def _put(self, name: str, password: str, rules: list[str]) -> None:
        line = f"{name}:{mosquitto_hash(password, secrets.token_bytes(_SALT_BYTES))}"
        block = "\n".join([f"user {name}", *rules])
        self._write([*self._others(name), line], [*self._other_blocks(name), block])

    def _others(self, name: str) -> list[str]:
        """The lines of all other passwords."""
        known = _text_of(self.passwords).splitlines()
        return [line for line in known if line.partition(":")[0] != name]

    def _other_blocks(self, name: str) -> list[str]:
        """What all others may read and write."""
        blocks = [block.strip() for block in _text_of(self.acl).split("\n\n")]
        return [block for block in blocks if block and not block.startswith(f"user {name}\n")]

    def _write(self, lines: list[str], blocks: list[str]) -> None:
        write_atomically(self.passwords, ("\n".join(lines) + "\n").encode())
        write_atomically(self.acl, ("\n\n".join(blocks) + "\n").encode())


def check_service_account(name: str) -> None:
    """Refuse the name under which our own services enter, for they would be locked out.

    Raises:
        BadField: it is that name.
    """
    if name == Accounts.OWN:
        raise BadField(
            "service",
            f"service: {name!r} is the account of our own services; choose another name",
            reason="taken_name",
        )


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise DamagedAccounts(
            f"{path} is damaged; put a backup in its place, or remove it and make the accounts anew"
        ) from None


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
