"""The ``alicia`` command."""


def run() -> None:
    """Entry point of the ``alicia`` command."""
    raise SystemExit(2)
