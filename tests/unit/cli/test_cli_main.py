"""The command line as a whole: grammar, exit codes, one line per error."""

import errno
import importlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alicia.base.errors import AliciaError, Kind, NotFound
from alicia.base.version import __version__
from alicia.cli.commands import COMMANDS
from alicia.cli.examples import EXAMPLES
from alicia.cli.exits import Exit, Failed, Refused, Unreachable, Usage, exit_of, one_line
from alicia.cli.main import build_parser, main, parse
from alicia.cli.parsing import settings_given


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings of the machine reach these tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALICIA_DATA_DIR", str(tmp_path / "data"))
    yield


def test_the_first_words_are_those_of_the_contract() -> None:
    contract = (
        "up collector scheduler demo query push tail top events executions alerts rules silence"
        " status doctor config token"
    )
    assert set(contract.split()) <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == Exit.DONE
    shown = capsys.readouterr().out
    assert f"usage: alicia {name}" in shown
    assert "--json" in shown


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == Exit.DONE
    shown = capsys.readouterr().out
    assert all(entry.text in shown for entry in COMMANDS.values()), shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == Exit.DONE
    assert capsys.readouterr().out == f"alicia {__version__}\n"


def test_version_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("--version --json", "--json --version"):
        assert main(line.split()) == Exit.DONE
        assert json.loads(capsys.readouterr().out) == {"version": __version__}


def every_command() -> set[str]:
    """``alicia events add`` and its like: whatever has a help of its own and no further word."""
    found = set()
    waiting = [build_parser()]
    while waiting:
        parser = waiting.pop()
        choices = [a.choices for a in parser._actions if isinstance(a.choices, dict)]
        waiting += [sub for named in choices for sub in named.values()]
        if not choices:
            found.add(parser.prog)
    return found


def test_every_command_has_examples_and_no_other() -> None:
    assert set(EXAMPLES) == every_command()


@pytest.mark.parametrize("command", sorted(EXAMPLES))
def test_examples_are_shown_and_can_be_typed(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command.split()[1:], "--help"]) == Exit.DONE
    shown = capsys.readouterr().out
    for words in EXAMPLES[command]:
        line = f"{command} {words}".rstrip()
        assert f"\n  {line}\n" in shown
        assert callable(parse(shlex.split(line)[1:]).action)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("evnts list", "; did you mean events? (see alicia --help)"),
        ("events lst", "; did you mean list? (see alicia events --help)"),
        ("zzz", ") (see alicia --help)"),
        ("alerts --severity eror", "; did you mean error? (see alicia alerts --help)"),
    ],
)
def test_a_mistyped_word_gets_a_hint(
    line: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == Exit.USAGE
    assert capsys.readouterr().err.endswith(f"{hint}\n")


@pytest.mark.parametrize("line", ["token list", "token create", "up", "up --fresh"])
def test_a_data_folder_that_is_a_file_is_said_in_one_line(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").touch()
    assert main(line.split()) == Exit.FAILED
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert str(tmp_path / "data") in said.err
    assert "choose another" in said.err


def test_a_fault_of_the_system_without_a_file_is_shown_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fall(_context: object) -> int:
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

    monkeypatch.setattr("alicia.cli.configuration.show", fall)
    with pytest.raises(ConnectionResetError):
        main(["config", "show"])


@pytest.mark.parametrize("line", ["--help", "events add --help", "config show", "--version"])
def test_a_reader_that_has_gone_is_no_fault(line: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "alicia", *line.split()],
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (Exit.DONE, b"")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("nonsense", "alicia: argument COMMAND: invalid choice: 'nonsense'"),
        ("events", "alicia events: the following arguments are required: COMMAND"),
        ("events nonsense", "alicia events: argument COMMAND: invalid choice"),
        ("query", "alicia query: the following arguments are required: EXPR"),
        ("config show --set retention", "--set: 'retention' is not KEY=VALUE"),
        ("config show --set =1", "--set: '=1' is not KEY=VALUE"),
        ("config show --set nonsense=1", "there is no setting NONSENSE"),
        ("config show --collector-port 70000", "COLLECTOR_PORT (flag): "),
        ("query up --end now", "--end and --step belong to a range"),
        ("query up --start now --end -1h", "--end: lies before --start"),
        ("query up --time soon", "--time: 'soon' is not a time"),
        ("push temp", "NAME=VALUE: 'temp' is not NAME=VALUE"),
        ("push temp=nan", "temp: 'nan' is not a finite number"),
        ("push temp=1 --label x", "--label: 'x' is not NAME=VALUE"),
        ("push temp=1 --at soon", "--at: 'soon' is not a time"),
        ("events add", "an event needs NAME and one of --once"),
        ("events add x", "an event needs NAME and one of --once"),
        ("events add x --every 5m --cron *", "an event needs NAME and one of"),
        ("events add x --every soon", "--every: 'soon' is not a duration"),
        ("events add x --every 5m --payload [1]", "--payload: must be a JSON object"),
        ("events add x --every 5m --method PUT", "--method and --header belong to --http"),
        ("events add x --every 5m --http http://h/ --topic t", "--http and --topic"),
        ("events show ", "the following arguments are required: EVENT"),
        ("rules add x", "a rule needs NAME and CONDITION"),
        ("rules add x y --threshold z", "--threshold: 'z' is not a finite number"),
        ("rules test x y>1 --window z", "--window: 'z' is not a duration"),
        ("silence add x", "MATCHER: 'x' is not NAME=VALUE"),
        ("silence add a=b --for 1h --until +2h", "--for and --until: give one"),
        ("executions list --since soon", "--since: 'soon' is not a time"),
        ("token create --role king", "argument --role: invalid choice"),
        ("token create --expires soon", "--expires: 'soon' is not a duration"),
        ("tail a/#/b", "TOPIC: the topic filter has a #"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_2(
    line: str, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == Exit.USAGE
    said = capsys.readouterr()
    assert fault in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_no_command_shows_help_and_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == Exit.USAGE
    assert "commands:" in capsys.readouterr().err


def test_flags_stand_before_or_after_the_command_and_the_later_wins() -> None:
    words = "--json --set retention=2h --host a events list --set alicia_workers=3 --host b"
    namespace = parse(words.split())
    assert settings_given(namespace) == {"RETENTION": "2h", "HOST": "b", "WORKERS": "3"}
    assert namespace.json is True


def test_a_token_of_the_flag_counts_before_the_environment() -> None:
    assert parse(["alerts", "--token", "x"]).token == "x"
    assert not hasattr(parse(["alerts"]), "token")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Usage("x"), Exit.USAGE),
        (Failed("x"), Exit.FAILED),
        (NotFound("x"), Exit.FAILED),
        (Unreachable("x"), Exit.UNREACHABLE),
        (Refused("x", status=422, problem={}), Exit.FAILED),
        (Refused("x", status=503, problem={}), Exit.FAILED),
    ],
)
def test_exit_codes(error: AliciaError, code: Exit) -> None:
    assert exit_of(error) is code


def test_every_kind_of_error_has_an_exit_code() -> None:
    for kind in Kind:
        error = type("Some", (AliciaError,), {"kind": kind})("x")
        assert exit_of(error) in Exit


def test_an_error_stays_one_line_whatever_it_quotes() -> None:
    assert one_line(Usage("a\nb\x1b[2Jc")) == "a b [2Jc"


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from alicia.cli.main import main; main(['--help']);"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    assert "alicia.cli.main" in loaded
    assert not loaded & {"asyncio", "rich", "fastapi", "numpy", "gmqtt", "alicia.adapters.settings"}


def test_every_module_of_the_table_exists() -> None:
    for entry in COMMANDS.values():
        assert hasattr(importlib.import_module(f"alicia.cli.{entry.module}"), "configure")


@pytest.mark.parametrize("token", ["alicia_1\n", "alicia_1\r\nX: y", "alicia 1", "αλίκη"])
@pytest.mark.parametrize("given", ["setting", "flag"])
def test_a_token_that_no_header_can_carry_is_refused_in_one_line(
    token: str, given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALICIA_COLLECTOR_PORT", "1")
    if given == "setting":
        monkeypatch.setenv("ALICIA_TOKEN", token)
    assert main(["alerts", *(["--token", token] if given == "flag" else [])]) == Exit.USAGE
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "alicia: --token, ALICIA_TOKEN: holds a space, a line break" in shown
    assert "alicia_1" not in shown
