"""``mqtts://``: our own authority is trusted, strangers are not, and there is no way around it."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.brokers import MOSQUITTO, BrokerProcess, mosquitto
from tests.support.bus_worlds import Peer

from alicia.adapters.bus.connect import make_bus
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.settings import Settings
from alicia.wire.ports import Publication

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(
    MOSQUITTO is None or OPENSSL is None, reason="needs the programs mosquitto and openssl"
)


def _openssl(*words: str | Path) -> None:
    assert OPENSSL is not None
    subprocess.run([OPENSSL, *map(str, words)], check=True, capture_output=True)


def _certificate(folder: Path, name: str, *, signer: str) -> None:
    """``name``.pem and ``name``.key, signed by the authority ``signer``."""
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")  # fmt: skip
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=IP:127.0.0.1\n")
    _openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / f"{signer}.pem",
             "-CAkey", folder / f"{signer}.key", "-CAcreateserial", "-days", "2",
             "-extfile", extensions, "-out", folder / f"{name}.pem")  # fmt: skip


def _authority(folder: Path, name: str) -> Path:
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")  # fmt: skip
    return folder / f"{name}.pem"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker that wants client certificates of ``home``."""
    _authority(tmp_path, "home")
    _certificate(tmp_path, "server", signer="home")
    _certificate(tmp_path, "client", signer="home")
    made = mosquitto(tmp_path)
    with (tmp_path / "mosquitto.conf").open("a") as config:
        config.write(
            f"cafile {tmp_path}/home.pem\ncertfile {tmp_path}/server.pem\n"
            f"keyfile {tmp_path}/server.key\nrequire_certificate true\n"
        )
    made.start()
    yield made
    made.kill()


def _peer(broker: BrokerProcess, **tls: Path) -> Peer:
    settings = Settings(mqtt_url=f"mqtts://127.0.0.1:{broker.port}", **tls)
    return Peer(
        make_bus(
            settings,
            client_id="p",
            will=None,
            clock=SystemClock(),
            random=SystemRandom(),
            default_url="mqtt://nowhere",
        )
    )


async def test_both_sides_prove_who_they_are(broker: BrokerProcess, tmp_path: Path) -> None:
    peer = _peer(
        broker,
        mqtt_ca=tmp_path / "home.pem",
        mqtt_cert=tmp_path / "client.pem",
        mqtt_key=tmp_path / "client.key",
    )
    await peer.start("alicia/#")
    assert peer.bus.state.address.startswith("mqtts://")
    await peer.bus.publish(Publication("alicia/t", b"sealed"))
    assert await peer.received(1) == [b"sealed"]
    await peer.bus.stop()


async def test_a_strange_authority_is_not_trusted(broker: BrokerProcess, tmp_path: Path) -> None:
    peer = _peer(broker, mqtt_ca=_authority(tmp_path, "stranger"))
    await peer.bus.start(peer._receive, peer._on_state)
    await peer.until(lambda: "certificate is not trusted" in peer.bus.state.detail)
    assert "MQTT_CA" in peer.bus.state.detail
    await peer.bus.stop()
