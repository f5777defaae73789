"""What a command gets: its arguments, the settings, both services and a way to print."""

import sys
from argparse import Namespace
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from alicia.cli.exits import Usage
from alicia.cli.parsing import settings_given

if TYPE_CHECKING:
    from alicia.adapters.settings import Settings
    from alicia.base.clock import Clock
    from alicia.cli.api import Api
    from alicia.cli.output import Output


class Context:
    """The surroundings of one command; each part is built when first asked for."""

    def __init__(self, arguments: Namespace, environment: Mapping[str, str]) -> None:
        self.arguments = arguments
        self.environment = environment

    def get(self, name: str, default: Any = None) -> Any:
        """One argument of the command line."""
        return getattr(self.arguments, name, default)

    @property
    def json(self) -> bool:
        """Whether JSON was asked for."""
        return bool(self.get("json", False))

    @cached_property
    def flags(self) -> dict[str, str]:
        """Settings given as flags."""
        return settings_given(self.arguments)

    @cached_property
    def settings(self) -> "Settings":
        """Settings of all sources.

        Raises:
            BadSetting: one of them cannot be used.
        """
        from alicia.adapters.settings import load_settings

        return load_settings(self.flags, environment=self.environment)

    def override(self, key: str, value: str) -> None:
        """Set one setting as if its flag were given."""
        self.flags[key] = value
        self.__dict__.pop("settings", None)

    @cached_property
    def clock(self) -> "Clock":
        """The machine's clock."""
        from alicia.adapters.clock import SystemClock

        return SystemClock()

    @cached_property
    def out(self) -> "Output":
        """Where answers go."""
        from alicia.cli.output import Output

        return Output(sys.stdout, as_json=self.json, environment=self.environment)

    @cached_property
    def collector(self) -> "Api":
        """The collector's HTTP API."""
        from alicia.cli.api import find_service

        return find_service("collector", self.settings, token=self._token)

    @cached_property
    def scheduler(self) -> "Api":
        """The scheduler's HTTP API."""
        from alicia.cli.api import find_service

        return find_service("scheduler", self.settings, token=self._token)

    @property
    def _token(self) -> str:
        token = str(self.get("token") or self.environment.get("ALICIA_TOKEN", ""))
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise Usage(
                "--token, ALICIA_TOKEN: holds a space, a line break or a letter beyond ASCII, and"
                " no token does; give it as alicia token create printed it"
            )
        return token
