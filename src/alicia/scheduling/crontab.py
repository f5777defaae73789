"""A crontab becomes events: its schedules are kept, its commands are not run.

Alicia starts no shell. A line becomes an event that only records its instants (``remind``), is
not enabled, and carries the command in its description, so that a person can give it a target;
``dry_run`` shows all of it first. What cannot be read is reported by line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from alicia.base.errors import AliciaError
from alicia.scheduling.triggers.cron import CronRule
from alicia.scheduling.triggers.cron_parse import parse_cron

TEXT_BYTES_MAX: Final = 1024 * 1024
LINES_MAX: Final = 10_000
_SETTING: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|\"[^\"]*\"|'[^']*')\s*=\s*(.*)")
_NAME_CHARS_MAX: Final = 80
_NO_SHELL: Final = (
    "commands are not run: each line becomes a disabled reminder with its command as the"
    " description; give it a target, then enable it"
)
_ZONE_SETTINGS: Final = ("CRON_TZ", "TZ")


@dataclass(frozen=True, slots=True)
class LineFault:
    """A line that became no event; ``line`` counts from 1."""

    line: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Crontab:
    """What a crontab holds: bodies for ``parse.parse_event``, and the lines at fault."""

    bodies: tuple[Mapping[str, object], ...]
    faults: tuple[LineFault, ...]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _State:
    zone: str = ""
    ignored: list[str] = field(default_factory=list)


def read_crontab(text: str, *, system: bool = False) -> Crontab:
    """Read the lines of a user's crontab, or of ``/etc/crontab`` (``system``: with a user field).

    ``CRON_TZ`` and ``TZ`` set the zone of the lines below them; other settings are named in
    ``notes``, since without a shell they mean nothing.
    """
    bodies: list[Mapping[str, object]] = []
    faults: list[LineFault] = []
    state = _State()
    for number, line in enumerate(text.splitlines(), start=1):
        if number > LINES_MAX:
            faults.append(LineFault(number, "too_many_lines", f"only {LINES_MAX} lines are read"))
            break
        stripped = line.strip()
        if not stripped or stripped.startswith("#") or _took_setting(stripped, state):
            continue
        try:
            bodies.append(_body(stripped, number, state.zone, system=system))
        except AliciaError as error:
            faults.append(LineFault(number, error.errors()[0].code, str(error)))
    notes = []
    if bodies:
        notes.append(_NO_SHELL)
    if state.ignored:
        notes.append("settings without effect here: " + " ".join(dict.fromkeys(state.ignored)))
    return Crontab(tuple(bodies), tuple(faults), tuple(notes))


def _took_setting(line: str, state: _State) -> bool:
    match = _SETTING.fullmatch(line)
    if match is None:
        return False
    name, value = match[1].strip("\"'"), match[2].strip().strip("\"'")
    if name in _ZONE_SETTINGS:
        state.zone = value
    else:
        state.ignored.append(name)
    return True


def _body(line: str, number: int, zone: str, *, system: bool) -> Mapping[str, object]:
    fields = 1 if line.startswith("@") else 5
    parts = line.split(None, fields + (1 if system else 0))
    expression = " ".join(parts[:fields])
    if expression.lower() != "@reboot":
        CronRule(parse_cron(expression, key=str(number)))
    command = parts[-1] if len(parts) > fields + (1 if system else 0) else ""
    body: dict[str, object] = {
        "name": command[:_NAME_CHARS_MAX].strip() or f"crontab line {number}",
        "description": f"Imported from crontab line {number}: {line}"[:4096],
        "schedule_type": "cron",
        "cron_expression": expression,
        "action": {"type": "remind"},
        "enabled": False,
        "tags": ["crontab"],
    }
    return body | {"timezone": zone} if zone else body
