"""``alicia restore``: a backup as a new data folder."""

from pathlib import Path

from alicia.adapters.backup import restore_backup
from alicia.adapters.files import fault
from alicia.cli.backup import tell
from alicia.cli.context import Context
from alicia.cli.exits import Exit, Failed
from alicia.cli.parsing import Group


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.alone(restore)
    parser.add_argument("file", metavar="FILE", help="what alicia backup wrote")


def restore(context: Context) -> int:
    """Check a backup and make it the data folder, which must be empty."""
    file, data_dir = Path(str(context.get("file"))), context.settings.data_dir
    try:
        contents = restore_backup(file, data_dir)
    except OSError as error:
        raise Failed(fault(error, file) or str(error)) from None
    tell(context, contents, f"{file} is in {data_dir}; start the services", file=file)
    return Exit.DONE
