"""``python -m bench [part …]``: every measurement, or the named ones. Figures, no verdicts."""

import sys

from bench import ingest, remote_write, startup, store
from bench.machine import describe

PARTS = {
    "startup": startup.measure,
    "ingest": ingest.measure,
    "remote_write": remote_write.measure,
    "store": store.measure,
}


def main() -> int:
    """Run the parts in order."""
    names = sys.argv[1:] or list(PARTS)
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    print(describe())
    for name in names:
        PARTS[name]()
    return 0


raise SystemExit(main())
