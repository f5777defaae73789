"""Does every due instant have its row, and every row its instant?

Source: scheduling.md §7, "Audit".
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alicia.scheduling.event import SECOND_US
from alicia.scheduling.execution import Execution, Origin, Reason
from alicia.scheduling.ports import Revision
from alicia.scheduling.triggers.trigger import Trigger

INSTANTS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which one revision of an event was active, with the trigger it had then."""

    revision: Revision
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Something that must not be; ``code`` is stable."""

    event_id: str
    due_us: int
    code: str  # no_row, no_instant, no_owner
    execution_id: str = ""

    def to_api(self) -> dict[str, object]:
        """The entry of the reply."""
        body: dict[str, object] = {
            "event_id": self.event_id,
            "scheduled_time": self.due_us / SECOND_US,
            "reason": self.code,
        }
        return body | {"execution_id": self.execution_id} if self.execution_id else body


@dataclass(frozen=True, slots=True)
class Audit:
    """The rows of one event in a window, and what they leave unexplained.

    ``truncated``: the window holds more instants than are compared.
    """

    occurrences: tuple[Execution, ...]
    unexplained: tuple[Unexplained, ...]
    truncated: bool = False

    def counts(self) -> Mapping[str, int]:
        """Instants by status; a range row counts for all of its instants."""
        total: Counter[str] = Counter()
        for row in self.occurrences:
            total[row.status.value] += row.count
        return dict(total)


def audit(
    stretches: Sequence[Stretch],
    rows: Sequence[Execution],
    *,
    from_us: int,
    to_us: int,
    live_owners: frozenset[str],
) -> Audit:
    """Compare the recomputed instants of one event with its rows, both ways.

    The window is ``from_us`` inclusive to ``to_us`` exclusive and must lie in the past by the
    time that a claim takes. ``rows`` are all rows of the event that touch it.
    """
    instants, truncated = _instants(stretches, from_us, to_us)
    single = {row.due_us for row in rows if row.count == 1 and _nominal(row)}
    ranges = [row for row in rows if row.count > 1]
    unexplained = [
        Unexplained(event_id, due, "no_row")
        for due, event_id in instants.items()
        if due not in single and not any(_covers(row, due) for row in ranges)
    ]
    if not truncated:
        unexplained += [
            Unexplained(row.event_id, row.due_us, "no_instant", row.execution_id)
            for row in rows
            if row.origin is Origin.NOMINAL and row.count == 1
            and row.reason is not Reason.PAUSED  # of a stretch in which nothing was due
            and from_us <= row.due_us < to_us and row.due_us not in instants
        ]  # fmt: skip
    unexplained += [
        Unexplained(row.event_id, row.due_us, "no_owner", row.execution_id)
        for row in rows
        if not row.status.final and row.owner not in live_owners
    ]
    return Audit(tuple(rows), tuple(unexplained), truncated)


def occurrence_to_api(row: Execution) -> dict[str, object]:
    """One row as the audit lists it."""
    body: dict[str, object] = {
        "event_id": row.event_id,
        "scheduled_time": row.due_us / SECOND_US,
        "kind": row.kind.value,
        "execution_id": row.execution_id,
        "status": row.status.value,
    }
    if row.reason is not None:
        body["reason"] = row.reason.value
    if row.count > 1:
        assert row.due_to_us is not None, "a range row has an end"
        body |= {"scheduled_to": row.due_to_us / SECOND_US, "count": row.count}
    return body


def _instants(
    stretches: Iterable[Stretch], from_us: int, to_us: int
) -> tuple[dict[int, str], bool]:
    found: dict[int, str] = {}
    for stretch in stretches:
        revision = stretch.revision
        low = max(from_us, revision.valid_from_us)
        high = to_us if revision.valid_to_us is None else min(to_us, revision.valid_to_us)
        due = stretch.trigger.next_after(low - 1) if revision.active else None
        while due is not None and due < high:
            if len(found) == INSTANTS_MAX:
                return found, True
            found[due] = revision.event.event_id
            due = stretch.trigger.next_after(due)
    return found, False


def _nominal(row: Execution) -> bool:
    return row.origin in (Origin.NOMINAL, Origin.CLOCK)


def _covers(row: Execution, due_us: int) -> bool:
    return row.due_to_us is not None and row.due_us <= due_us <= row.due_to_us
