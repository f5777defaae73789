"""Secrets in events and executions: they are taken and sent, and never shown again.

A shown secret is ``***`` with the start of its hash, so that people see whether it changed. Sent
back with an edit it stands for the stored one. Source: security.md §7, bus.md §6.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote_plus

from alicia.base.errors import BadField
from alicia.scheduling.definition import definition
from alicia.scheduling.event import Event
from alicia.scheduling.execution import Execution
from alicia.scheduling.view import execution_to_api
from alicia.wire.redact import MASK, is_secret_key

_HASH_CHARS: Final = 8
_FREE_FIELDS: Final = ("action", "payload", "triggers")  # whose keys are the users' own
# What stands before the host of a URL, and the values of its query.
_USERINFO: Final = re.compile(r"(?<=://)[^/\s?#]+(?=@)")
_QUERY_VALUE: Final = re.compile(r"(?<=[?&])([^=&#\s]+)=([^&#\s]+)")


def shown_event(answer: Mapping[str, object]) -> dict[str, object]:
    """An event as the API shows it, without its secrets."""
    return {**answer, **{name: masked(answer[name]) for name in _FREE_FIELDS}}


def shown_execution(execution: Execution) -> dict[str, object]:
    """An execution as the API shows it, without the secrets of its payload and result."""
    answer = execution_to_api(execution)
    return answer | {name: masked(answer[name]) for name in ("payload", "result") if name in answer}


def masked(value: object, *, secret: bool = False) -> object:
    """A copy without what stands under secret keys, and without the secrets of URLs."""
    if isinstance(value, Mapping):
        return {
            key: masked(member, secret=secret or is_secret_key(str(key)))
            for key, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(member, secret=secret) for member in value]
    if secret:
        return value if value is None or value == "" else _mask(str(value))
    return _masked_urls(value) if isinstance(value, str) and "://" in value else value


def unmasked(patch: Mapping[str, object], event: Event) -> Mapping[str, object]:
    """The edit with the stored secrets where it repeats what was shown of them."""
    stored = definition(event)
    found = {name: _restored(patch[name], stored[name]) for name in _FREE_FIELDS if name in patch}
    return {**patch, **found}


def check_unmasked(event: Event) -> None:
    """Refuse to store a mask as if it were the secret.

    Raises:
        BadField: the event holds what the API shows in place of a secret.
    """
    fields = definition(event)
    for path in _masks({name: fields[name] for name in _FREE_FIELDS}):
        field = ".".join(map(str, path))
        raise BadField(path, f"{field}: is masked; write the secret itself", reason="masked_secret")


def _restored(given: object, stored: object) -> object:
    if isinstance(given, Mapping) and isinstance(stored, Mapping):
        # Names of headers come in any case; the hash in a mask tells whose it is anyway.
        known = {str(key).lower(): member for key, member in stored.items()}
        return {
            key: _restored(member, known.get(str(key).lower())) for key, member in given.items()
        }
    if isinstance(given, list) and isinstance(stored, list | tuple):
        pairs = zip(given, stored, strict=False)
        return [_restored(*pair) for pair in pairs] + given[len(stored) :]
    if isinstance(given, str) and MASK in given:
        return stored if given in (_mask(str(stored)), masked(stored)) else given
    return given


def _masks(
    value: object, path: tuple[str | int, ...] = (), *, secret: bool = False
) -> Iterator[tuple[str | int, ...]]:
    """The paths of all masks in a value."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _masks(member, (*path, str(key)), secret=secret or is_secret_key(str(key)))
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from _masks(member, (*path, index), secret=secret)
    elif isinstance(value, str) and secret and value.startswith(MASK):
        yield path


def _masked_urls(text: str) -> str:
    return _QUERY_VALUE.sub(_masked_pair, _USERINFO.sub(MASK, text))


def _masked_pair(match: re.Match[str]) -> str:
    name, value = match.groups()
    return f"{name}={_mask(value)}" if is_secret_key(unquote_plus(name)) else match.group()


def _mask(text: str) -> str:
    return f"{MASK} ({hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARS]})"
