"""``alicia collector`` and ``alicia scheduler``: one service alone, in this process."""

import importlib

from alicia.adapters.kernel_cache import use_kernel_cache
from alicia.cli.context import Context
from alicia.cli.parsing import Group


def configure(group: Group) -> None:
    """Describe the arguments: there are none but the shared ones."""
    group.alone(run)


def run(context: Context) -> int:
    """Run the service that the command names until it is told to stop."""
    use_kernel_cache(context.settings.data_dir)  # before anything imports a kernel
    service = importlib.import_module(f"alicia.{context.get('command')}.main")
    return int(service.run(context.settings))
