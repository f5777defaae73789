"""One result of a check."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended; only ``fail`` makes the doctor fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw, and what mends it; ``fix`` is empty where nothing is to be mended."""

    check: str
    verdict: Verdict
    detail: str
    fix: str = ""

    def __post_init__(self) -> None:
        assert bool(self.fix) is (self.verdict is not Verdict.OK), "trouble comes with its fix"


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, detail)


def warn(check: str, detail: str, *, fix: str) -> Finding:
    """It works, but not as well as it could."""
    return Finding(check, Verdict.WARN, detail, fix)


def fail(check: str, detail: str, *, fix: str) -> Finding:
    """It does not work."""
    return Finding(check, Verdict.FAIL, detail, fix)
