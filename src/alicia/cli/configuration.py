"""``alicia config show``: every setting, and where its value comes from."""

from alicia.adapters.settings import show_settings
from alicia.cli.context import Context
from alicia.cli.exits import Exit
from alicia.cli.parsing import Group


def configure(group: Group) -> None:
    """Describe the arguments."""
    group.add("show", show, "every setting with its value, origin and meaning; secrets are masked")


def show(context: Context) -> int:
    """Print all settings."""
    rows = show_settings(context.settings)
    if context.json:
        context.out.json({"settings": rows})
    else:
        context.out.table(
            ["key", "value", "from", "meaning"],
            [
                (
                    row["key"],
                    row["value"] if row["value"] != "" else None,
                    row["origin"],
                    row["meaning"],
                )
                for row in rows
            ],
        )
    return Exit.DONE
