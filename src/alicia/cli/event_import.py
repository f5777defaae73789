"""``alicia events import``: many events from a crontab, or from a YAML or JSON list."""

from pathlib import PurePath
from typing import Any, Final

from alicia.cli import reading, words
from alicia.cli.context import Context
from alicia.cli.exits import Exit
from alicia.cli.parsing import Parser

_TYPES: Final = {
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_TEXT: Final = "text/plain"  # the server tells a list from a crontab
_SYSTEM_CRONTABS: Final = ("/etc/crontab", "/etc/cron.d")


def add_arguments(parser: Parser) -> None:
    """Describe the flags."""
    parser.add_argument("file", metavar="FILE", help="crontab, .yaml or .json; - reads stdin")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be stored")
    parser.add_argument(
        "--system", action="store_true", help="crontab with a user field, such as /etc/crontab"
    )


def import_events(context: Context) -> int:
    """Import all that can be used; fails if something cannot."""
    name = context.get("file")
    content = reading.file_bytes(name, flag="FILE")
    media_type = _TYPES.get(PurePath(name).suffix.lower(), _TEXT)
    switches = [f"dry_run={'true' if context.get('dry_run') else 'false'}"]
    if context.get("system") or name.startswith(_SYSTEM_CRONTABS):
        switches.append("system=true")
    target = f"/events/import?{'&'.join(switches)}"
    reply = context.scheduler.send(target, content, media_type)
    context.out.json(reply) if context.json else _show(context, reply)
    return Exit.FAILED if reply["rejected"] else Exit.DONE


def _show(context: Context, reply: dict[str, Any]) -> None:
    now_ms = context.clock.now_ms()
    rows = [
        (
            event.get("name"),
            event.get("schedule_text"),
            words.relative(event.get("next_run"), now_ms),
            "yes" if event.get("enabled") else "no",
        )
        for event in reply["events"]
    ]
    if rows:
        context.out.table(["name", "schedule", "next", "enabled"], rows)
    for warning in reply.get("warnings") or ():
        context.out.line(f"note: {words.clean(warning)}")
    for fault in reply["rejected"]:
        place = f"line {fault['line']}" if "line" in fault else f"entry {fault.get('index')}"
        context.out.line(f"left out: {place}: {words.clean(fault.get('detail'))}")
    done = "would import" if reply.get("dry_run") else "imported"
    context.out.line(f"{done} {reply['accepted']}, left out {len(reply['rejected'])}")
