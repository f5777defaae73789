"""Generated accounts of the broker: hashes Mosquitto reads, and rules of security.md §4."""

import base64
from pathlib import Path

import pytest

from alicia.adapters.broker.accounts import Accounts, DamagedAccounts, mosquitto_hash, service_rules
from alicia.base.errors import BadField


def test_the_hash_is_the_one_mosquitto_passwd_makes() -> None:
    # Made by mosquitto_passwd 2.0.11 for the password "secret".
    salt, digest = (
        "mSQ3xnhLQpx4B/rm",
        "vZyU2aVJWMfZ7K4TTV9VZc6yN4j3I6S7X6z67x0wVAAoBh4NAAsV6/G8vgubhSgvtt13NpVP8ALtdDeriCPqwA==",
    )
    assert mosquitto_hash("secret", base64.b64decode(salt)) == f"$7$101${salt}${digest}"


def test_our_own_account_is_made_once(tmp_path: Path) -> None:
    first = Accounts(tmp_path, prefix="alicia").ensure_own()
    assert Accounts(tmp_path, prefix="alicia").ensure_own() == first
    lines = (tmp_path / "passwords").read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("alicia:$7$101$")
    assert first not in lines[0]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"short"])
def test_our_own_password_is_made_anew_where_its_file_holds_none(
    tmp_path: Path, content: bytes
) -> None:
    accounts = Accounts(tmp_path, prefix="alicia")
    accounts.ensure_own()
    before = (tmp_path / "passwords").read_text()
    (tmp_path / "own.password").write_bytes(content)
    password = accounts.ensure_own()
    assert (tmp_path / "own.password").read_text() == password
    assert len(password) == 32
    after = (tmp_path / "passwords").read_text()
    assert after != before
    assert after.count("alicia:") == 1


@pytest.mark.parametrize("name", ["passwords", "acl"])
def test_damaged_account_files_are_named_and_kept(tmp_path: Path, name: str) -> None:
    accounts = Accounts(tmp_path, prefix="alicia")
    accounts.add_service("sonos")
    (tmp_path / name).write_bytes(b"\xff\xfe")
    with pytest.raises(DamagedAccounts, match=rf"/{name} is damaged; put a backup in its place"):
        accounts.add_service("kitchen")
    assert (tmp_path / name).read_bytes() == b"\xff\xfe"


def test_no_service_takes_our_own_account(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path, prefix="alicia")
    accounts.ensure_own()
    before = (tmp_path / "passwords").read_text(), (tmp_path / "acl").read_text()
    with pytest.raises(BadField, match="'alicia' is the account of our own services"):
        accounts.add_service("alicia")
    assert ((tmp_path / "passwords").read_text(), (tmp_path / "acl").read_text()) == before


def test_a_service_is_added_and_renewed_beside_the_others(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path, prefix="home")
    old = accounts.add_service("sonos_service")
    accounts.add_service("sonos")
    assert accounts.add_service("sonos_service", role="operator") != old
    names = [line.split(":")[0] for line in (tmp_path / "passwords").read_text().splitlines()]
    assert sorted(names) == ["alicia", "sonos", "sonos_service"]
    acl = (tmp_path / "acl").read_text()
    assert acl.count("user sonos_service\n") == 1
    assert acl.count("user alicia\ntopic readwrite #\ntopic read $SYS/#\n") == 1
    assert "topic write home/scheduler/triggers\n" in acl


def test_rules_grow_with_the_role() -> None:
    plain, operator, editor = (
        set(service_rules("s", role=role, prefix="alicia")) for role in (None, "operator", "editor")
    )
    assert "topic read alicia/s/#" in plain
    assert operator - plain == {"topic write alicia/scheduler/triggers"}
    assert editor - operator == {"topic write alicia/scheduler/events"}
    assert not any("$SYS" in rule or "command" in rule for rule in editor)
