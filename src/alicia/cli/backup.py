"""``alicia backup``: the data folder as one file, while services run."""

from pathlib import Path

from alicia.adapters.backup import Contents, write_backup
from alicia.adapters.files import fault
from alicia.cli.context import Context
from alicia.cli.exits import Exit, Failed
from alicia.cli.parsing import Group


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.alone(backup)
    parser.add_argument("file", metavar="FILE", help="a new tar file")
    parser.add_argument(
        "--with-secrets", action="store_true", help="also tokens, keys and broker accounts"
    )


def backup(context: Context) -> int:
    """Write everything of the data folder into a new file."""
    file, data_dir = Path(str(context.get("file"))), context.settings.data_dir
    try:
        contents = write_backup(data_dir, file, with_secrets=bool(context.get("with_secrets")))
    except OSError as error:
        raise Failed(fault(error, file) or str(error)) from None
    tell(context, contents, f"{data_dir} is in {file}", file=file)
    return Exit.DONE


def tell(context: Context, contents: Contents, said: str, *, file: Path) -> None:
    """Say what a backup holds."""
    answer = {"file": str(file), "data_dir": str(context.settings.data_dir), **contents._asdict()}
    context.out.answer(answer, f"{said}: {contents.files} files, {contents.bytes / 1e6:.1f} MB")
