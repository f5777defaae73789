"""``alicia token``: files only, no service needed."""

import json
import os
import signal
from pathlib import Path

import pytest

from alicia.adapters.broker.accounts import Accounts
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.http.roles import Role
from alicia.adapters.http.tokens import TokenFile
from alicia.cli.exits import Exit
from alicia.cli.main import main


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALICIA_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_token_is_shown_once_and_lets_in_until_revoked(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "--role", "viewer", "--expires", "2h", "--json"]) == Exit.DONE
    made = json.loads(capsys.readouterr().out)
    tokens = TokenFile(data / "tokens.json")
    found = tokens.find(made["token"])
    assert found is not None
    assert (found.id, found.role.value) == (made["id"], "viewer")
    assert made["expires"] - made["created"] == 7200
    assert main(["token", "list", "--json"]) == Exit.DONE
    listed = capsys.readouterr().out
    assert made["id"] in listed
    assert made["token"] not in listed
    assert main(["token", "revoke", made["id"]]) == Exit.DONE
    assert tokens.find(made["token"]) is None
    assert main(["token", "revoke", made["id"]]) == Exit.FAILED
    assert f"there is no token '{made['id']}'" in capsys.readouterr().err


def test_nothing_is_readable_by_others(data: Path) -> None:
    main(["token", "create", "--service", "stt_service"])
    assert data.stat().st_mode & 0o777 == 0o700
    files = [path for path in data.rglob("*") if path.is_file()]
    assert files
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_our_own_name_gets_neither_token_nor_account(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "--service", "alicia"]) != Exit.DONE
    assert "choose another name" in capsys.readouterr().err
    assert not TokenFile(data / "tokens.json").list()
    assert not (data / "broker").exists()


def test_a_service_also_gets_its_account_on_the_broker(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "--service", "stt_service", "--json"]) == Exit.DONE
    made = json.loads(capsys.readouterr().out)
    assert (made["role"], made["broker_user"]) == ("ingest", "stt_service")
    passwords = (data / "broker" / "passwords").read_text(encoding="utf-8")
    assert "\nstt_service:$7$" in passwords
    assert made["broker_password"] not in passwords
    assert "user stt_service\n" in (data / "broker" / "acl").read_text(encoding="utf-8")


def test_with_its_last_token_a_service_loses_its_account_on_the_broker(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(service: str) -> str:
        assert main(["token", "create", "--service", service, "--json"]) == Exit.DONE
        made: str = json.loads(capsys.readouterr().out)["id"]
        return made

    def users() -> list[list[str]]:
        passwords = (data / "broker" / "passwords").read_text(encoding="utf-8").splitlines()
        acl = (data / "broker" / "acl").read_text(encoding="utf-8").splitlines()
        named = [line.removeprefix("user ") for line in acl if line.startswith("user ")]
        return [[line.partition(":")[0] for line in passwords], named]

    old, other, new = (make(name) for name in ("stt", "stt_service", "stt"))
    told: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _frame: told.append(number))
    try:
        (data / "run").mkdir()
        parts = {"broker": {"pid": os.getpid()}}
        note = {"pid": os.getpid(), "broker": {"kind": "mosquitto"}, "parts": parts}
        (data / "run" / "up.json").write_text(json.dumps(note), encoding="utf-8")
        assert main(["token", "revoke", old]) == Exit.DONE
        assert capsys.readouterr().out == f"revoked {old}\n"
        assert users() == [["alicia", "stt_service", "stt"]] * 2
        assert told == [], "the account is that of the newer token"
        assert main(["token", "revoke", new]) == Exit.DONE
        assert capsys.readouterr().out == f"revoked {new}, and stt's broker account\n"
        assert users() == [["alicia", "stt_service"]] * 2
        assert told == [signal.SIGHUP]
        assert main(["token", "revoke", other, "--json"]) == Exit.DONE
        assert json.loads(capsys.readouterr().out)["broker_account_removed"] is True
    finally:
        signal.signal(signal.SIGHUP, before)
    assert users() == [["alicia"]] * 2


def test_our_own_account_stays_whatever_is_revoked(data: Path) -> None:
    Accounts(data / "broker", prefix="alicia").ensure_own()
    kept = (data / "broker" / "passwords").read_bytes()
    _, token = TokenFile(data / "tokens.json").create(
        Role.INGEST, service=Accounts.OWN, now_ms=SystemClock().now_ms(), random=SystemRandom()
    )
    assert main(["token", "revoke", token.id]) == Exit.DONE
    assert (data / "broker" / "passwords").read_bytes() == kept


@pytest.mark.parametrize("name", ["a b", "a:b", "a\nuser b", "a/b", "#", "é", "x" * 257])
def test_names_that_would_change_the_brokers_files_are_refused(
    data: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "--service", name]) == Exit.USAGE
    assert "--service: " in capsys.readouterr().err
    assert not (data / "broker").exists()
    assert not (data / "tokens.json").exists()
