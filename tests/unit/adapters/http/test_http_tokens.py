import json
import stat
from pathlib import Path

import pytest

from alicia.adapters.http.roles import Caller, Role
from alicia.adapters.http.sessions import DamagedKey, Sessions, load_key
from alicia.adapters.http.tokens import YEAR_MS, DamagedTokens, TokenFile
from alicia.base.errors import BadField, NotFound


class Counting:
    """Chance that never repeats and can be foretold."""

    def __init__(self) -> None:
        self.calls = 0

    def uniform(self, a: float, b: float) -> float:
        return a

    def token_hex(self, nbytes: int) -> str:
        self.calls += 1
        return f"{self.calls:0{2 * nbytes}x}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def test_a_token_is_found_by_its_secret_only(path: Path) -> None:
    tokens = TokenFile(path)
    assert tokens.list() == ()
    secret, token = tokens.create(Role.EDITOR, now_ms=1000, random=Counting())
    assert secret.startswith("alicia_")
    assert len(secret) == len("alicia_") + 64
    assert tokens.find(secret) == token
    assert tokens.find(secret[:-1]) is None
    assert tokens.find(token.sha256) is None
    assert tokens.find("") is None
    assert tokens.find("\udcff") is None
    assert token.expires_ms == 1000 + YEAR_MS
    assert not token.expired(1000 + YEAR_MS - 1)
    assert token.expired(1000 + YEAR_MS)


def test_the_file_is_private_and_holds_no_secret(path: Path) -> None:
    secret, token = TokenFile(path).create(
        Role.INGEST, service="weather", now_ms=0, random=Counting()
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert secret not in text
    assert secret.removeprefix("alicia_") not in text
    stored = json.loads(text)["tokens"][0]
    assert stored["role"] == "ingest"
    assert stored["service"] == "weather"
    assert stored["id"] == token.id


def test_another_process_sees_every_change(path: Path) -> None:
    ours, theirs, chance = TokenFile(path), TokenFile(path), Counting()
    secret, token = ours.create(Role.VIEWER, now_ms=0, random=chance)
    assert theirs.find(secret) == token
    ours.create(Role.VIEWER, now_ms=0, random=chance)
    theirs.create(Role.VIEWER, now_ms=0, random=chance)
    assert len(ours.list()) == len(theirs.list()) == 3
    theirs.note_use(token.id, now_ms=77)
    found = ours.by_id(token.id)
    assert found is not None
    assert found.last_used_ms == 77
    assert ours.revoke(token.id).id == token.id
    assert theirs.find(secret) is None
    theirs.note_use(token.id, now_ms=99)
    assert ours.by_id(token.id) is None, "use does not bring a revoked token back"


def test_what_cannot_be_done_is_said(path: Path) -> None:
    tokens = TokenFile(path)
    with pytest.raises(NotFound, match="tok_x"):
        tokens.revoke("tok_x")
    with pytest.raises(BadField, match="role"):
        tokens.create(Role.PUBLIC, now_ms=0, random=Counting())
    with pytest.raises(BadField, match="expires"):
        tokens.create(Role.ADMIN, now_ms=0, random=Counting(), lifetime_ms=0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"{}",
        b'{"format": 2, "tokens": []}',
        b'{"format": 1, "tokens": [{}]}',
        b'{"format": 1}',
        b"[]",
    ],
)
def test_a_damaged_file_lets_nobody_in_by_mistake(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(DamagedTokens, match=str(path)):
        TokenFile(path).find("alicia_x")
    with pytest.raises(DamagedTokens):
        TokenFile(path).create(Role.ADMIN, now_ms=0, random=Counting())
    assert path.read_bytes() == content, "what a person must look at is not overwritten"


HELD = """
            viewer operator editor admin ingest public
viewer      yes    -        -      -     -      yes
operator    yes    yes      -      -     -      yes
editor      yes    yes      yes    -     -      yes
admin       yes    yes      yes    yes   yes    yes
ingest      -      -        -      -     yes    yes
nobody      -      -        -      -     -      yes
"""


def test_the_matrix_of_roles() -> None:
    head, *rows = HELD.strip().splitlines()
    for row in rows:
        name, *cells = row.split()
        caller = Caller(None if name == "nobody" else Role(name), "10.0.0.1")
        for wanted, cell in zip(head.split(), cells, strict=True):
            assert caller.holds(Role(wanted)) is (cell == "yes"), (name, wanted)


def test_sessions_end_and_cannot_be_made_up() -> None:
    ours, theirs = Sessions(b"k" * 32), Sessions(b"x" * 32)
    cookie = ours.sign("tok_1", expires_ms=1000)
    assert ours.read(cookie, now_ms=999) == "tok_1"
    assert ours.read(cookie, now_ms=1000) is None
    assert theirs.read(cookie, now_ms=0) is None
    assert ours.read(theirs.sign("tok_1", expires_ms=1000), now_ms=0) is None
    claim, mac = cookie.split(".")
    for forged in ("", ".", claim, f"{claim}.", f"x{claim}.{mac}", f"{claim}.{mac}x", "é" * 20):
        assert ours.read(forged, now_ms=0) is None, forged


def test_both_services_get_one_key(tmp_path: Path) -> None:
    path, chance = tmp_path / "session.key", Counting()
    first = load_key(path, chance)
    assert load_key(path, chance) == first
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["session.key"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"abcd", b"not hexadecimal"])
def test_a_key_that_could_be_guessed_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "session.key").write_bytes(content)
    with pytest.raises(DamagedKey, match=r"/session\.key holds no key; remove it"):
        load_key(tmp_path / "session.key", Counting())
