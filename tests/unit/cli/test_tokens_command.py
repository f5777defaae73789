"""``alicia token``: files only, no service needed."""

import json
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("name", ["a b", "a:b", "a\nuser b", "a/b", "#", "é", "x" * 257])
def test_names_that_would_change_the_brokers_files_are_refused(
    data: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "--service", name]) == Exit.USAGE
    assert "--service: " in capsys.readouterr().err
    assert not (data / "broker").exists()
    assert not (data / "tokens.json").exists()
