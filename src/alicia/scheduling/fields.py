"""Reading the fields of a JSON object: every fault is gathered, none hides another."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from alicia.base.durations import format_duration_ms, parse_duration_ms
from alicia.base.errors import BadField, BadRequest
from alicia.base.faults import Faults
from alicia.base.texts import has_controls

E = TypeVar("E", bound=StrEnum)
R = TypeVar("R")
Loc = tuple[str | int, ...]
_BREAKS: Final = str.maketrans("", "", "\n\r\t")


class Fields:
    """One object of a request; what is absent or null has its default.

    Readers return the default where a field is faulty and remember the fault; ``check`` raises
    them all at once.
    """

    def __init__(
        self, body: Mapping[str, object], *, at: Loc = (), faults: Faults | None = None
    ) -> None:
        self._body = body
        self._at = at
        self._faults = Faults() if faults is None else faults

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._body.get(name) is not None

    def raw(self, name: str) -> object:
        """The value as it came; None where it is absent."""
        return self._body.get(name)

    def loc(self, name: str) -> Loc:
        """The path of a field of this object."""
        return (*self._at, name)

    def fault(self, name: str, message: str, *, reason: str = "bad_value") -> None:
        """Remember a fault of one field; the message says what to write."""
        self._faults.add(self.loc(name), message, reason)

    def guarded(self, read: Callable[[], R], default: R) -> R:
        """The result of ``read``; the faults of a typed error are remembered."""
        try:
            return read()
        except (BadField, BadRequest) as error:
            self._faults.take(error)
            return default

    @property
    def fault_count(self) -> int:
        """How many faults were found so far."""
        return len(self._faults)

    def check(self) -> None:
        """Raise what was found.

        Raises:
            BadRequest: at least one field is faulty.
        """
        self._faults.check()

    def text(
        self,
        name: str,
        *,
        chars_max: int,
        default: str = "",
        required: bool = False,
        lines: bool = False,
    ) -> str:
        """A text without control characters, stripped; with ``lines`` it may have breaks and tabs.

        What a name holds goes into topics and logs, where a break would begin a new entry.
        """
        value = self.raw(name)
        if value is None or value == "":
            if required:
                self.fault(name, f"is missing; write a text of 1 to {chars_max} characters",
                           reason="missing")  # fmt: skip
            return default
        if not isinstance(value, str) or not value.strip():
            self.fault(name, f"must be a text of 1 to {chars_max} characters")
            return default
        text = value.strip()
        if len(text) > chars_max:
            self.fault(name, f"is longer than {chars_max} characters", reason="too_long")
            return default
        if has_controls(text.translate(_BREAKS) if lines else text):
            self.fault(name, "holds a control character or a lone surrogate")
            return default
        return text

    def texts(self, name: str, *, chars_max: int, count_max: int) -> tuple[str, ...]:
        """A list of texts, or one text; duplicates are dropped."""
        value = self.raw(name)
        items = [] if value is None or value == "" else [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or len(items) > count_max:
            self.fault(name, f"must be a list of at most {count_max} texts")
            return ()
        for item in items:
            if not isinstance(item, str) or not 1 <= len(item.strip()) <= chars_max:
                self.fault(name, f"must hold texts of 1 to {chars_max} characters")
                return ()
            if has_controls(item.strip()):
                self.fault(name, "holds a control character or a lone surrogate")
                return ()
        return tuple(dict.fromkeys(item.strip() for item in items))

    def whole(self, name: str, *, low: int, high: int, default: int) -> int:
        """A whole number; ``5.0`` is one."""
        value = self.raw(name)
        if value is None:
            return default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.fault(name, f"must be a whole number from {low} to {high}")
        return default

    def number(self, name: str, *, low: float, high: float, default: float) -> float:
        """A number within inclusive bounds."""
        value = self.raw(name)
        if value is None:
            return default
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        self.fault(name, f"must be a number from {low:g} to {high:g}")
        return default

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self.raw(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.fault(name, "must be true or false")
        return default

    def choice(self, name: str, kind: type[E], *, default: E) -> E:
        """A word of an enumeration, in any case."""
        value = self.raw(name)
        if value is None or value == "":
            return default
        word = value.strip().lower() if isinstance(value, str) else ""
        if word in set(kind):
            return kind(word)
        self.fault(name, "must be one of " + " ".join(kind), reason="unknown_word")
        return default

    def duration_us(self, name: str, *, low_us: int, high_us: int, default: int) -> int:
        """A duration such as ``5m`` or a number of seconds; numbers keep their microseconds."""
        value = self.raw(name)
        if value is None:
            return default
        if isinstance(value, int | float) and not isinstance(value, bool):
            # Compared before it is rounded: NaN and endless numbers are outside.
            found = round(value * 1e6) if 0 <= value <= high_us / 1e6 else -1
        elif isinstance(value, str):
            text, path = value, ".".join(map(str, self.loc(name)))
            parsed = self.guarded(lambda: parse_duration_ms(text, field=path), None)
            if parsed is None:
                return default
            found = parsed * 1000
        else:
            self.fault(name, "must be a duration such as 30s or 5m, or a number of seconds",
                       reason="bad_duration")  # fmt: skip
            return default
        if low_us <= found <= high_us:
            return found
        low, high = (format_duration_ms(bound // 1000) for bound in (low_us, high_us))
        self.fault(name, f"must lie between {low} and {high}", reason="out_of_range")
        return default

    def mapping(self, name: str) -> Mapping[str, object] | None:
        """An object; None where it is absent."""
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, Mapping):
            return value
        self.fault(name, "must be an object")
        return None

    def inner(self, name: str) -> "Fields":
        """The fields of an object within this one, with shared faults; empty where absent."""
        return Fields(self.mapping(name) or {}, at=self.loc(name), faults=self._faults)

    def items(self, name: str, *, count_max: int) -> list["Fields"]:
        """The objects of a list, each with its own path."""
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple) or len(value) > count_max:
            self.fault(name, f"must be a list of at most {count_max} objects")
            return []
        found = []
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                found.append(Fields(item, at=(*self.loc(name), index), faults=self._faults))
            else:
                self.fault(name, f"entry {index} must be an object")
        return found
