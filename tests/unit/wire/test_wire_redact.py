"""Secrets do not pass, and sizes are bounded."""

import pytest

from alicia.wire.gauges import LEAVES_MAX, numeric_leaves
from alicia.wire.redact import MASK, is_secret_key, redact, redact_text


@pytest.mark.parametrize(
    "key",
    ["key", "api_key", "apiKey", "API-KEY", "X-Api-Key", "token", "accessToken", "refresh_tokens",
     "secret", "clientSecret", "password", "Password", "db.password", "authorization",
     "credentials", "cookie", "set-cookie", "audio", "audio_data", "APIKey"],
)  # fmt: skip
def test_keys_with_a_secret_word_are_masked(key: str) -> None:
    assert redact({key: {"deep": "hunter2"}}) == {key: MASK}


@pytest.mark.parametrize("key", ["monkey", "tokenizer", "keyboard", "secretary", "audiobook", "x"])
def test_other_words_are_not(key: str) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("mqtt://user:pass@host:1883/x", "mqtt://***@host:1883/x"),
        ("see https://a:b@h and http://tok@h", "see https://***@h and http://***@h"),
        ("mqtt://user:p@ss@host:1883", "mqtt://***@host:1883"),
        ("a://b@c@d and a://b@c/d@e", "a://***@d and a://***@c/d@e"),
        ("mail me@example.org", "mail me@example.org"),
        ("https://host/path@x", "https://host/path@x"),
    ],
)
def test_credentials_of_urls_are_masked(text: str, safe: str) -> None:
    assert redact_text(text) == safe


@pytest.mark.parametrize("before", range(970, 1001))
def test_wherever_a_long_text_is_cut_no_part_of_a_password_stays(before: int) -> None:
    shown = redact_text("x" * before + "http://user:hunter2secret@host/")
    assert "hunter" not in shown
    assert len(shown) < 1010


def test_a_long_text_keeps_its_addresses() -> None:
    text = "see http://host/path " + "x" * 1000
    assert redact_text(text) == text[:1000] + "…"


def test_sizes_are_bounded() -> None:
    deep: object = "x"
    for _ in range(40):
        deep = [deep]
    assert "…" in str(redact(deep))
    assert len(str(redact("x" * 5000))) < 1100
    assert len(redact([1] * 500)) == 100  # type: ignore[arg-type]
    assert len(redact({str(i): i for i in range(500)})) == 100  # type: ignore[arg-type]


def test_numbers_pass_as_they_are() -> None:
    assert redact({"a": [1, 2.5, True, None]}) == {"a": [1, 2.5, True, None]}


def test_numeric_leaves_become_metrics() -> None:
    value = {
        "cpu": {"load": 1, "cores": [1, 2]},
        "ok": True,
        "status": "fine",
        "timestamp": 1_795_425_234,
        "huge": 10**400,
        "odd": float("nan"),
    }
    assert numeric_leaves(value) == [
        {"name": "cpu_load", "value": 1.0},
        {"name": "ok", "value": 1.0},
    ]


def test_a_bare_number_is_one_value() -> None:
    assert numeric_leaves(17.5) == [{"name": "value", "value": 17.5}]


@pytest.mark.parametrize("value", ["online", None, [], {}, ["x", 1]])
def test_what_holds_no_number_gives_none(value: object) -> None:
    assert numeric_leaves(value) == []


def test_the_number_of_leaves_is_bounded() -> None:
    assert len(numeric_leaves({f"k{i}": i for i in range(1000)})) == LEAVES_MAX
