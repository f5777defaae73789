"""The broker of last resort: amqtt in a Python process of ours, in memory, on loopback."""

import sys
from pathlib import Path

from alicia.adapters.broker.accounts import own_password_file
from alicia.adapters.broker.child import Child


def trial_child(*, folder: Path, port: int) -> Child:
    """A trial broker; the password travels in a file, as others can read command lines."""
    return Child(
        argv=(
            sys.executable,
            "-m",
            "alicia.adapters.broker.trial_child",
            str(port),
            str(own_password_file(folder)),
        ),
        port=port,
        announces=True,  # amqtt calls a connection without a CONNECT an error
        tethered=False,
        prepare=list,
    )
