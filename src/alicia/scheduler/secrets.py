"""Headers of HTTP actions that hold secrets: they are taken and sent, and never shown again.

A shown secret is ``***`` with the start of its hash, so that people see whether it changed. Sent
back with an edit it stands for the stored one. Source: security.md §7.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from alicia.base.errors import BadField
from alicia.scheduling.event import Event, HttpAction
from alicia.wire.redact import MASK, is_secret_key

_HASH_CHARS: Final = 8


def masked_action(action: HttpAction, shown: Mapping[str, object]) -> dict[str, object]:
    """The action as the API shows it, without the secrets of its headers."""
    headers = {
        name: _masked(value) if is_secret_key(name) else value for name, value in action.headers
    }
    return {**shown, "headers": headers}


def unmasked(patch: Mapping[str, object], event: Event) -> Mapping[str, object]:
    """The edit with the stored secrets where it repeats what was shown of them."""
    given = patch.get("action")
    if not isinstance(given, Mapping) or not isinstance(event.action, HttpAction):
        return patch
    headers = given.get("headers")
    if not isinstance(headers, Mapping):
        return patch
    stored = {(name.lower(), _masked(value)): value for name, value in event.action.headers}
    restored = {
        name: stored.get((str(name).lower(), str(value)), value) for name, value in headers.items()
    }
    return {**patch, "action": {**given, "headers": restored}}


def check_unmasked(action: HttpAction) -> None:
    """Refuse to store a mask as if it were the secret.

    Raises:
        BadField: a header holds what the API shows in place of a secret.
    """
    for name, value in action.headers:
        if value.startswith(MASK) and is_secret_key(name):
            raise BadField(
                ("action", "headers", name),
                f"action.headers.{name}: is masked; write the secret itself",
                reason="masked_secret",
            )


def _masked(value: str) -> str:
    return f"{MASK} ({hashlib.sha256(value.encode()).hexdigest()[:_HASH_CHARS]})"
