"""Jitter: a start some time after the due instant, the same on every node and after a restart.

Source: scheduling.md §4, "Jitter".
"""

from alicia.scheduling.triggers.cron_fields import hash64


def jittered_us(event_id: str, due_us: int, *, jitter_us: int, next_due_us: int | None) -> int:
    """When the execution of ``due_us`` starts: never at or after the next due instant."""
    room = jitter_us if next_due_us is None else min(jitter_us, next_due_us - due_us)
    if room <= 0:
        return due_us
    return due_us + hash64(f"{event_id}:{due_us}") % room
