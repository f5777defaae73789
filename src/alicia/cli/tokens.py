"""``alicia token``: let services and people in."""

import contextlib
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from alicia.adapters.broker.accounts import Accounts, check_service_account
from alicia.adapters.clock import SystemRandom
from alicia.adapters.http.roles import Role
from alicia.adapters.http.tokens import YEAR_MS, Token, TokenFile
from alicia.adapters.settings import Settings
from alicia.cli import reading, words
from alicia.cli.api import read_note
from alicia.cli.context import Context
from alicia.cli.exits import Exit, Usage
from alicia.cli.parsing import Group

# The name is written into the broker's files, where spaces, colons and new lines have a meaning.
_SERVICE: Final = re.compile(r"[A-Za-z0-9_.-]{0,256}")
_ROLES: Final = tuple(role.value for role in Role if role is not Role.PUBLIC)


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.add("create", create, "make a token; it is shown this once")
    parser.add_argument("--role", choices=_ROLES, help="(admin; with --service: ingest)")
    parser.add_argument("--service", default="", help="bind the token to one service")
    parser.add_argument("--expires", metavar="DURATION", help="(1y)")
    group.add("list", list_tokens, "tokens by id; the secrets are not stored")
    parser = group.add("revoke", revoke, "end a token and its sessions")
    parser.add_argument("id", metavar="ID")


def create(context: Context) -> int:
    """Store a new token and print its secret."""
    service = context.get("service")
    role = Role(context.get("role") or ("ingest" if service else "admin"))
    expires = context.get("expires")
    lifetime_ms = (
        YEAR_MS
        if expires is None
        else round(reading.duration_seconds(expires, flag="--expires") * 1000)
    )
    if not _SERVICE.fullmatch(service):
        raise Usage(f"--service: {service[:64]!r} may hold letters, digits, _ . - and no more")
    check_service_account(service)
    secret, token = _file(context.settings).create(
        role,
        service=service,
        now_ms=context.clock.now_ms(),
        random=SystemRandom(),
        lifetime_ms=lifetime_ms,
    )
    account = _broker_account(context.settings, service, role) if service else {}
    if context.json:
        context.out.json({"token": secret, **_plain(token), **account})
        return Exit.DONE
    bound = f" for {service}" if service else ""
    context.out.line(secret)
    context.out.line(f"{token.id}, role {role.value}{bound}; shown this once: keep it now")
    if account:
        context.out.line(f"password on a broker started by --lan: {account['broker_password']}")
    return Exit.DONE


def _broker_account(settings: Settings, service: str, role: Role) -> dict[str, str]:
    """Make the service's account on the broker that we start beyond loopback (security.md §4)."""
    more = role.value if role in (Role.OPERATOR, Role.EDITOR) else None
    accounts = Accounts(settings.data_dir / "broker", prefix=settings.topic_prefix)
    password = accounts.add_service(service, role=more)
    _reload_broker(read_note("up", settings.data_dir))
    return {"broker_user": service, "broker_password": password}


def _reload_broker(note: Mapping[str, Any]) -> None:
    """Let a running Mosquitto of ours read its accounts again; nothing else understands SIGHUP."""
    with contextlib.suppress(KeyError, TypeError, OSError):
        if note["broker"]["kind"] == "mosquitto":
            os.kill(int(note["parts"]["broker"]["pid"]), signal.SIGHUP)


def list_tokens(context: Context) -> int:
    """List all tokens."""
    found = _file(context.settings).list()
    if context.json:
        context.out.json({"tokens": [_plain(token) for token in found]})
        return Exit.DONE
    now_ms = context.clock.now_ms()
    rows = [
        (
            token.id,
            token.role.value,
            token.service or "-",
            words.relative(token.created_ms, now_ms),
            words.relative(token.expires_ms, now_ms),
            words.relative(token.last_used_ms or None, now_ms),
        )
        for token in found
    ]
    if rows:
        context.out.table(["id", "role", "service", "created", "expires", "last used"], rows)
    else:
        context.out.line("no tokens; make one with: alicia token create")
    return Exit.DONE


def revoke(context: Context) -> int:
    """Remove one token, and with a service's last one its account on the broker."""
    tokens = _file(context.settings)
    token = tokens.revoke(context.get("id"))
    removed = not _serves(token.service, tokens) and _remove_account(context.settings, token)
    line = f"revoked {token.id}" + (f", and {token.service}'s broker account" if removed else "")
    context.out.answer({"revoked": token.id, "broker_account_removed": removed}, line)
    return Exit.DONE


def _serves(service: str, tokens: TokenFile) -> bool:
    """Whether a token is left for the service, whose account then stays as well."""
    return any(each.service == service for each in tokens.list())


def _remove_account(settings: Settings, token: Token) -> bool:
    accounts = Accounts(settings.data_dir / "broker", prefix=settings.topic_prefix)
    removed = accounts.remove_service(token.service)
    if removed:
        _reload_broker(read_note("up", settings.data_dir))
    return removed


def _file(settings: Settings) -> TokenFile:
    folder: Path = settings.data_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return TokenFile(folder / "tokens.json")


def _plain(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "role": token.role.value,
        "service": token.service,
        "created": token.created_ms / 1000,
        "expires": token.expires_ms / 1000,
        "last_used": token.last_used_ms / 1000 or None,
    }
