"""Lines to copy from the help of each command; the tests parse every one of them.

An empty string is the command alone.
"""

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "alicia up": ("", "--demo", "--data-dir ./try --set retention=2h"),
    "alicia collector": ("", "--mqtt-url mqtt://broker.lan:1883"),
    "alicia scheduler": ("", "--mqtt-url mqtt://broker.lan:1883"),
    "alicia demo": ("", "--services 5 --chaos"),
    "alicia status": ("", "--json"),
    "alicia doctor": ("",),
    "alicia backup": ("monday.tar", "whole.tar --with-secrets"),
    "alicia restore": ("monday.tar", "monday.tar --data-dir ./yesterday"),
    "alicia query": ("'avg by (service) (cpu_percent)'", "up --start -1h --step 1m"),
    "alicia push": ("temp=21.5 --service kitchen", "door=1 --label room=hall"),
    "alicia tail": ("", "'alicia/system/health/#'", "-n 1 --json"),
    "alicia top": ("", "--interval 5"),
    "alicia events list": ("", "--active --tag heating"),
    "alicia events add": (
        "wake --cron '30 7 * * 1-5' --topic home/wake",
        "ping --every 5m --http http://127.0.0.1:9000/ping",
    ),
    "alicia events import": ("crontab.txt --dry-run",),
    "alicia events show": ("wake",),
    "alicia events trigger": ("wake", """wake --payload '{"volume": 3}'"""),
    "alicia events pause": ("wake --until +2h",),
    "alicia events resume": ("wake",),
    "alicia events cancel": ("wake",),
    "alicia events next": ("wake",),
    "alicia executions list": ("--status failed --since -1d", "wake --limit 10"),
    "alicia executions show": ("0198a7c2-0000-7000-8000-000000000001",),
    "alicia executions cancel": ("0198a7c2-0000-7000-8000-000000000001",),
    "alicia alerts": ("", "--all --severity critical"),
    "alicia rules list": ("",),
    "alicia rules add": ("hot 'temp > 30' --for 5m",),
    "alicia rules show": ("hot",),
    "alicia rules enable": ("hot",),
    "alicia rules disable": ("hot",),
    "alicia rules remove": ("hot",),
    "alicia rules test": ("hot 'temp > 30' --window 6h",),
    "alicia rules backtest": ("hot --window 1d",),
    "alicia silence add": ("rule=hot --for 2h --comment 'heating test'",),
    "alicia silence list": ("",),
    "alicia silence end": ("0198a7c2",),
    "alicia config show": ("", "--json"),
    "alicia token create": ("--role viewer --expires 90d", "--service kitchen"),
    "alicia token list": ("",),
    "alicia token revoke": ("tok_0a1b2c3d",),
}
