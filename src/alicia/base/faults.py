"""The faults of one request, gathered so that none hides another."""

from alicia.base.errors import BadField, BadRequest, FieldError


class Faults:
    """What is wrong with a request so far, in the order found."""

    def __init__(self) -> None:
        self._found: list[FieldError] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, loc: tuple[str | int, ...], message: str, reason: str) -> None:
        """Remember a fault of the field at ``loc``; the message says what to write."""
        path = ".".join(map(str, loc))
        self._found.append(FieldError(loc, f"{path}: {message}", reason))

    def take(self, error: BadField | BadRequest) -> None:
        """Remember what a parser found."""
        self._found.extend(error.errors())

    def has(self, *fields: str) -> bool:
        """Whether one of the outermost fields is known to be wrong."""
        return any(fault.loc[0] in fields for fault in self._found)

    def check(self) -> None:
        """Raise what was found.

        Raises:
            BadRequest: at least one field is faulty.
        """
        if self._found:
            raise BadRequest(tuple(self._found))
