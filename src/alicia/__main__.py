"""``python -m alicia``: the same as the ``alicia`` command."""

from alicia.cli.main import run

if __name__ == "__main__":
    run()
