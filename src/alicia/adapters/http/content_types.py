"""Which content types a route takes: a form of a foreign page can send only a few kinds."""

from collections.abc import Iterable
from typing import Final

from alicia.adapters.http.errors import WrongType

JSON_ONLY: Final = ("application/json",)
YAML: Final = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
CRONTAB: Final = ("text/plain", "text/x-crontab", "application/x-crontab")
EVENT_FILES: Final = (*JSON_ONLY, *YAML, *CRONTAB)  # what events can be imported from
ANY_TYPE: Final = ("*/*",)  # the route judges the type itself


def check_type(headers: Iterable[tuple[bytes, bytes]], types: tuple[str, ...]) -> None:
    """Refuse a body of a type that is not in ``types``; a request without a body passes.

    Raises:
        WrongType: the type is missing or another one.
    """
    if types is ANY_TYPE:
        return
    found, has_body = "", False
    for name, value in headers:
        if name == b"content-type":
            found = media_type(value.decode("latin-1"))
        elif (name == b"content-length" and value.strip() != b"0") or name == b"transfer-encoding":
            has_body = True
    if has_body and found not in types:
        raise WrongType(
            f"Content-Type: {found[:100]!r} is not taken here; send {' or '.join(types)}"
        )


def media_type(header: str) -> str:
    """The bare type of a Content-Type header, in small letters, without parameters."""
    return header.partition(";")[0].strip().lower()
