"""The ``alicia`` command: find the command, parse, run, and turn errors into exit codes."""

import argparse
import importlib
import io
import json
import os
import sys
from collections.abc import Sequence

from alicia.base.errors import AliciaError
from alicia.base.version import __version__
from alicia.cli.commands import COMMANDS
from alicia.cli.exits import Exit, exit_of, one_line
from alicia.cli.parsing import Group, Parser, epilog_of, join_negatives, shared_flags


def run() -> None:
    """Entry point of the ``alicia`` command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A peer's text may hold half a surrogate pair, which is no reason to die.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(Exit.FAILED) from None


def main(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code."""
    if not __debug__:
        print("alicia: do not run with python -O: checks would be left out", file=sys.stderr)
        return Exit.USAGE
    for argument in arguments:
        if not _is_text(argument):
            shown = argument.encode(errors="replace").decode()
            print(f"alicia: {shown[:64]!r} is not UTF-8; mend the argument", file=sys.stderr)
            return Exit.USAGE
    try:
        namespace = parse(arguments)
    except SystemExit as stop:  # argparse has printed help or one line
        return _printed(stop.code if isinstance(stop.code, int) else Exit.USAGE)
    return _run(namespace)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The parsed command line; ``action`` is the function that does the work.

    Raises:
        SystemExit: help was asked for, or the line cannot be read.
    """
    # A value that equals a command's name only costs the import of that command.
    parser = build_parser(only=frozenset(arguments), as_json="--json" in arguments)
    if not arguments:
        parser.print_help(sys.stderr)
        parser.exit(Exit.USAGE)
    return parser.parse_args(join_negatives(arguments))


def build_parser(*, only: frozenset[str] = frozenset(COMMANDS), as_json: bool = False) -> Parser:
    """The grammar of all commands; those that are not in ``only`` have no arguments yet."""
    hidden = shared_flags(shown=False)
    parser = Parser(
        prog="alicia",
        usage="alicia [flags] COMMAND …",
        description="Monitoring and scheduling for fleets of services that talk over MQTT.",
        epilog="`alicia COMMAND --help` says more. Start with: alicia up",
        parents=[shared_flags(shown=True)],
    )
    version = json.dumps({"version": __version__}) if as_json else f"alicia {__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(
        title="commands",
        dest="command",
        required=True,
        metavar="COMMAND",
        prog="alicia",
        parser_class=Parser,
    )
    for name, entry in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=entry.text,
            description=entry.text,
            epilog=epilog_of(f"alicia {name}"),
            parents=[hidden],
        )
        if name in only:
            module = importlib.import_module(f"alicia.cli.{entry.module}")
            module.configure(Group(command, hidden))
    return parser


def _is_text(argument: str) -> bool:
    """Whether every byte of it was UTF-8; Python hides others in surrogates."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _run(namespace: argparse.Namespace) -> int:
    from alicia.cli.context import Context

    try:
        code = int(namespace.action(Context(namespace, os.environ)))
        sys.stdout.flush()
    except AliciaError as error:
        print(f"alicia: {one_line(error)}", file=sys.stderr)
        return exit_of(error)
    except KeyboardInterrupt:
        return Exit.FAILED
    except BrokenPipeError:
        return _unread()
    except OSError as error:
        return _system_fault(error)
    return code


def _printed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _unread()
    return code


def _unread() -> Exit:
    """The reader has seen enough (``| head``): what is buffered goes nowhere, and all is well."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.DONE


def _system_fault(error: OSError) -> Exit:
    """One line where the system refused a file.

    Raises:
        OSError: the same, where it speaks of no file: it may be our mistake, so it is shown whole.
    """
    from alicia.adapters.files import fault

    said = fault(error)
    if said is None:
        raise error
    print(f"alicia: {said}", file=sys.stderr)
    return Exit.FAILED
