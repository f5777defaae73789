"""JSON answers, encoded in one pass."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response


class Json(Response):
    """An answer whose content is any value of plain types; NaN and infinities become null."""

    media_type = "application/json"

    def __init__(
        self,
        content: object,
        status_code: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        super().__init__(content, status_code, headers=headers, media_type=media_type)

    def render(self, content: object) -> bytes:
        """The bytes of the body."""
        return msgspec.json.encode(content)
