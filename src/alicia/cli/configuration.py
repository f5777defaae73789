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
        columns = ["key", "value", "from", "meaning"]
        context.out.table(
            columns,
            [(row["key"], _shown(row["value"]), row["origin"], row["meaning"]) for row in rows],
        )
    return Exit.DONE


def _shown(value: object) -> object:
    """As one would write it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return None if value == "" else value
