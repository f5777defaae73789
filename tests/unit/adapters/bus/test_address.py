"""Broker addresses, and the promise that printing one shows no credentials."""

from pathlib import Path

import pytest

from alicia.adapters.bus.address import MQTT_5, MQTT_311, Address, parse_address, tls_context
from alicia.base.errors import BadField


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://h", Address("h", 1883, tls=False)),
        ("mqtts://h", Address("h", 8883, tls=True)),
        ("mqtt://[::1]:99", Address("::1", 99, tls=False)),
        ("mqtt://u:p%40%3A@h", Address("h", 1883, False, "u", "p@:")),
        ("mqtt://h?version=3.1.1", Address("h", 1883, False, versions=(MQTT_311,))),
        ("mqtt://h?version=5", Address("h", 1883, False, versions=(MQTT_5,))),
    ],
)
def test_reads(url: str, expected: Address) -> None:
    assert parse_address(url) == expected


@pytest.mark.parametrize("url", ["", "http://h", "mqtt://", "mqtt://h:x", "mqtt://h?version=4"])
def test_refuses(url: str) -> None:
    with pytest.raises(BadField) as caught:
        parse_address(url)
    assert caught.value.reason == "bad_url"


def test_prints_no_credentials() -> None:
    address = parse_address("mqtts://user:secret@[::1]")
    assert str(address) == "mqtts://[::1]:8883"
    assert "secret" not in repr(address)
    assert "user" not in repr(address)


def test_missing_tls_files_are_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent.pem"
    with pytest.raises(BadField, match=r"MQTT_CA: .*absent\.pem"):
        tls_context(authority=absent, certificate=None, key=None)
    with pytest.raises(BadField, match=r"MQTT_CERT, MQTT_KEY: .*absent\.pem"):
        tls_context(authority=None, certificate=absent, key=None)
