"""The grammar of the command line: global flags, command groups, errors on one line."""

import argparse
import difflib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from alicia.cli.examples import EXAMPLES
from alicia.cli.exits import Exit

if TYPE_CHECKING:
    from alicia.cli.context import Context

Action = Callable[["Context"], int]

# Settings given as flags are kept under their key, so that a flag may stand before or after
# the command and the later one wins.
_SETTING = "setting:"
_FLAGS = (
    ("--data-dir", "DATA_DIR", "DIR", "folder of all state"),
    ("--host", "HOST", "ADDRESS", "bind address of both services"),
    ("--collector-port", "COLLECTOR_PORT", "PORT", "port of the collector; 0 takes a free one"),
    ("--scheduler-port", "SCHEDULER_PORT", "PORT", "port of the scheduler; 0 takes a free one"),
    ("--mqtt-url", "MQTT_URL", "URL", "broker to use"),
)
_EPILOG = "flags for every command, such as --json and --data-dir: alicia --help"
_CHOICE = re.compile(r"invalid choice: '(?P<given>[^']*)' \(choose from (?P<known>.*)\)")
_NEGATIVE = re.compile(r"-\d\S*")


def join_negatives(arguments: Sequence[str]) -> list[str]:
    """``--start -1h`` as ``--start=-1h``, because argparse takes ``-1h`` for a flag."""
    joined: list[str] = []
    for argument in arguments:
        before = joined[-1] if joined else ""
        if _NEGATIVE.fullmatch(argument) and before.startswith("--") and "=" not in before:
            joined[-1] = f"{before}={argument}"
        else:
            joined.append(argument)
    return joined


def epilog_of(command: str) -> str:
    """What the help of a command ends with: examples to copy, and where its other flags are."""
    lines = [f"  {command} {words}".rstrip() for words in EXAMPLES.get(command, ())]
    return "\n".join([*(["examples:", *lines, ""] if lines else []), _EPILOG])


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and whose examples keep their lines."""

    def __init__(self, *args: Any, **named: Any) -> None:
        named.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, **named)

    def error(self, message: str) -> NoReturn:
        """End the process with the usage code."""
        hint = _similar(message)
        self.exit(Exit.USAGE, f"{self.prog}: {message}{hint} (see {self.prog} --help)\n")


def _similar(message: str) -> str:
    """A question whether the nearest known word was meant; empty where none is near."""
    choice = _CHOICE.search(message)
    if choice is None:
        return ""
    known = re.findall(r"[\w-]+", choice["known"])
    near = difflib.get_close_matches(choice["given"], known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


class _SetAction(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        _option: str | None = None,
    ) -> None:
        key, equals, value = str(values).partition("=")
        if not equals or not key:
            parser.error(f"--set: {str(values)[:64]!r} is not KEY=VALUE, such as RETENTION=2h")
        setattr(namespace, _SETTING + key.strip().upper().removeprefix("ALICIA_"), value)


def positive(text: str) -> int:
    """A whole number from 1; for ``type=``."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text[:64]!r} is not a whole number of 1 or more")
    return int(text)


def shared_flags(*, shown: bool) -> Parser:
    """The flags that every command has; none of them has a default.

    They are ``shown`` in the help of ``alicia`` alone, where they do not hide a command's own.
    """
    flags = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = flags.add_argument_group("for every command")

    def text(words: str) -> str:
        return words if shown else argparse.SUPPRESS

    group.add_argument("--json", action="store_true", help=text("answer in JSON"))
    group.add_argument(
        "--token", metavar="TOKEN", help=text("token for the services; better: ALICIA_TOKEN")
    )
    for flag, key, metavar, words in _FLAGS:
        group.add_argument(flag, dest=_SETTING + key, metavar=metavar, help=text(words))
    group.add_argument(
        "--set",
        dest=_SETTING,
        action=_SetAction,
        metavar="KEY=VALUE",
        help=text("any setting of `alicia config show`, such as RETENTION=2h"),
    )
    return flags


def settings_given(namespace: argparse.Namespace) -> dict[str, str]:
    """The settings that were given as flags, by their documented key."""
    return {
        name.removeprefix(_SETTING): str(value)
        for name, value in vars(namespace).items()
        if name.startswith(_SETTING)
    }


class Group:
    """One command of the first word, and the commands of its second word if it has some."""

    def __init__(self, parser: Parser, shared: Parser) -> None:
        self._parser = parser
        self._shared = shared
        self._second: Any = None

    def alone(self, action: Action) -> Parser:
        """The command has no second word; returns the parser to add its arguments to."""
        self._parser.set_defaults(action=action)
        return self._parser

    def add(self, name: str, action: Action, text: str) -> Parser:
        """Add a second word; returns the parser to add its arguments to."""
        if self._second is None:
            self._second = self._parser.add_subparsers(
                dest="second", required=True, metavar="COMMAND", parser_class=Parser
            )
        parser: Parser = self._second.add_parser(
            name,
            help=text,
            description=text,
            epilog=epilog_of(f"{self._parser.prog} {name}"),
            parents=[self._shared],
        )
        parser.set_defaults(action=action)
        return parser
