"""The ``alicia`` command: find the command, parse, run, and turn errors into exit codes."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from alicia.base.errors import AliciaError
from alicia.base.version import __version__
from alicia.cli.commands import COMMANDS
from alicia.cli.exits import Exit, exit_of, one_line
from alicia.cli.parsing import Group, Parser, join_negatives, shared_flags


def run() -> None:
    """Entry point of the ``alicia`` command."""
    raise SystemExit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code."""
    if not __debug__:
        print("alicia: do not run with python -O: checks would be left out", file=sys.stderr)
        return Exit.USAGE
    try:
        namespace = parse(arguments)
    except SystemExit as stop:  # argparse has printed help or one line
        return stop.code if isinstance(stop.code, int) else Exit.USAGE
    return _run(namespace)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The parsed command line; ``action`` is the function that does the work.

    Raises:
        SystemExit: help was asked for, or the line cannot be read.
    """
    shared = shared_flags()
    first = _first_parser(shared)
    if not arguments:
        first.print_help(sys.stderr)
        first.exit(Exit.USAGE)
    namespace = first.parse_args(arguments)
    name, rest = namespace.command, namespace.rest
    if name not in COMMANDS:
        first.error(f"there is no command {name[:64]!r}")
    entry = COMMANDS[name]
    parser = Parser(prog=f"alicia {name}", description=entry.text, parents=[shared])
    module = importlib.import_module(f"alicia.cli.{entry.module}")
    module.configure(Group(parser, shared))
    return parser.parse_args(join_negatives(rest), namespace)


def _first_parser(shared: Parser) -> Parser:
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:<{width}}  {entry.text}" for name, entry in COMMANDS.items())
    parser = Parser(
        prog="alicia",
        usage="alicia [flags] COMMAND …",
        description="Monitoring and scheduling for fleets of services that talk over MQTT.",
        epilog=f"commands:\n{rows}\n\n`alicia COMMAND --help` says more. Start with: alicia up",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[shared],
    )
    parser.add_argument("--version", action="version", version=f"alicia {__version__}")
    parser.add_argument("command", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


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
        # The reader has seen enough (``| head``); what is buffered must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    return code
