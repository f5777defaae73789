"""The state a page is served with, so that the first paint needs no further request."""

from alicia.alerting.state import Phase
from alicia.base.clock import Clock
from alicia.base.times import seconds
from alicia.collector.api.dashboard import Snapshot
from alicia.collector.poll import Fleet
from alicia.collector.rules import Rules
from alicia.collector.stats import Stats
from alicia.fleet.history import bars

BARS = 96  # of 15 min each; the page asks for as many
# A page of a very large fleet fetches the rest itself.
ROWS_MAX = 1000


def page_snapshot(fleet: Fleet, rules: Rules, stats: Stats, clock: Clock) -> Snapshot:
    """A function that gives services, active alerts and totals in the shapes of their calls."""

    def take() -> dict[str, object]:
        now_ms = clock.now_ms()
        records = sorted(fleet.records.values(), key=lambda record: record.service)[:ROWS_MAX]
        active = [each for each in rules.records() if each.alert.phase is not Phase.RESOLVED]
        return {
            "now": seconds(now_ms),
            "services": {
                "services": [
                    {**fleet.shape(each), "bars": bars(each.history, BARS, now_ms)}
                    for each in records
                ]
            },
            "alerts": {"alerts": [rules.notifier.shape(a, now_ms) for a in active[:ROWS_MAX]]},
            "stats": stats.whole(),
        }

    return take
