"""Where a broker is and how to be let in, from the setting ``MQTT_URL``."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from alicia.base.errors import BadField

MQTT_5: Final = 5
MQTT_311: Final = 4
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_VERSIONS: Final = {
    "": (MQTT_5, MQTT_311),
    "version=5": (MQTT_5,),
    "version=3.1.1": (MQTT_311,),
}


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's address; printing it shows no credentials.

    ``versions`` of MQTT are tried in their order: 5, then 4, which is 3.1.1.
    """

    host: str
    port: int
    tls: bool
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    versions: tuple[int, ...] = (MQTT_5, MQTT_311)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def parse_address(url: str) -> Address:
    """An address from ``mqtt://user:pass@host:1883`` or ``mqtts://host``.

    ``?version=3.1.1`` keeps MQTT 5 from being tried, for brokers that fall silent on it.

    Raises:
        BadField: another scheme or option, no host, or no port number.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad() from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.query not in _VERSIONS:
        raise _bad()
    return Address(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        versions=_VERSIONS[parts.query],
    )


def tls_context(
    *, authority: Path | None, certificate: Path | None, key: Path | None
) -> ssl.SSLContext:
    """Certificates are always verified; ``authority`` replaces the system's.

    Raises:
        BadField: a file is missing or holds no certificate or key.
    """
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise BadField("MQTT_CA", f"MQTT_CA: {authority}: {error}", reason="bad_tls") from None
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise BadField(
                "MQTT_CERT",
                f"MQTT_CERT, MQTT_KEY: {certificate}, {key}: {error}",
                reason="bad_tls",
            ) from None
    return context


def _bad() -> BadField:
    return BadField(
        "MQTT_URL",
        "MQTT_URL: cannot be read; write mqtt://user:password@host:1883 or mqtts://host:8883,"
        " with ?version=3.1.1 where the broker needs it",
        reason="bad_url",
    )
