"""``alicia doctor``: check everything that must be right, and name what mends the rest."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from alicia.adapters.clock import SystemRandom
from alicia.cli.api import noted_address, read_note
from alicia.cli.context import Context
from alicia.cli.doctor import broker, machine, services
from alicia.cli.doctor.finding import Finding, Verdict
from alicia.cli.exits import Exit
from alicia.cli.output import progress
from alicia.cli.parsing import Group

_PATIENCE_SECONDS: Final = 5.0  # a service that takes longer is a finding


def configure(group: Group) -> None:
    """Describe the arguments: there are none but the shared ones."""
    group.alone(doctor)


def doctor(context: Context) -> int:
    """Run all checks; fails if one of them does."""
    findings = examine(context)
    if context.json:
        context.out.json(
            {
                "ok": not _failed(findings),
                "checks": [
                    {"check": f.check, "status": f.verdict.value, "detail": f.detail, "fix": f.fix}
                    for f in findings
                ],
            }
        )
    else:
        rows = [(f.check, f.verdict.value, _sentence(f)) for f in findings]
        context.out.table(["check", "result", "saw, and what mends it"], rows)
    return Exit.FAILED if _failed(findings) else Exit.DONE


def examine(context: Context) -> list[Finding]:
    """The findings of all checks, in the order in which trouble is best mended."""
    settings = context.settings
    secret = SystemRandom().token_hex(8)
    bound = noted_address(read_note("collector", settings.data_dir)).hostname or ""
    collector = context.collector.within(_PATIENCE_SECONDS)
    scheduler = context.scheduler.within(_PATIENCE_SECONDS)
    checks: Sequence[Callable[[], Sequence[Finding]]] = (
        lambda: [machine.data_folder(settings)],
        lambda: [machine.disk_space(settings)],
        lambda: [machine.sqlite_version()],
        lambda: [machine.wall_clock(context.clock)],
        lambda: [machine.mosquitto_program(settings)],
        lambda: [machine.exposure(settings, bound=bound)],
        lambda: [machine.audit_log(settings)],
        lambda: asyncio.run(broker.check_broker(settings, secret=secret)),
        lambda: [services.service(collector)],
        lambda: [services.service(scheduler)],
        lambda: [services.fleet(collector)],
    )
    return [finding for check in progress(checks, "checking") for finding in check()]


def _sentence(finding: Finding) -> str:
    return f"{finding.detail}; fix: {finding.fix}" if finding.fix else finding.detail


def _failed(findings: Sequence[Finding]) -> bool:
    return any(finding.verdict is Verdict.FAIL for finding in findings)
