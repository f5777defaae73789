"""Which broker to use, answered once at start (architecture.md §5, bus.md §10)."""

import shutil
from dataclasses import dataclass
from typing import ClassVar, Final, Literal
from urllib.parse import quote

from alicia.adapters.broker.accounts import Accounts
from alicia.adapters.broker.child import Child
from alicia.adapters.broker.mosquitto import mosquitto_child
from alicia.adapters.broker.probe import Answer, Probe, probe_broker
from alicia.adapters.broker.trial import trial_child
from alicia.adapters.bus.address import parse_address
from alicia.adapters.http.bind import is_local, port_holder
from alicia.adapters.settings import Settings
from alicia.base.errors import AliciaError, Kind

# Where Debian and BSD keep daemons, which is not on everybody's PATH.
PROGRAM_FOLDERS: Final = "/usr/sbin:/usr/local/sbin"
_LOOPBACK: Final = "127.0.0.1"
_NOT_AUTHORISED: Final = frozenset({4, 5, 0x86, 0x87})


class PortTaken(AliciaError):
    """Something that is no MQTT broker holds the broker's port."""

    code: ClassVar[str] = "port_taken"
    kind: ClassVar[Kind] = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class Choice:
    """The broker, and the sentence to print.

    ``url`` may hold a generated password: print the sentence instead. ``starts`` is what the
    supervisor has to run; None where the broker is somebody else's. ``degraded``: it is there,
    but does not let us in; the sentence says what to do.
    """

    kind: Literal["configured", "joined", "mosquitto", "trial"]
    url: str
    sentence: str
    starts: Child | None = None
    degraded: bool = False


def choose(settings: Settings) -> Choice:
    """Take the configured broker, else the one that runs here, else start one.

    Raises:
        PortTaken: another protocol answers on the broker's port; the message names its holder.
        BadField: MQTT_URL cannot be read, or HOST has no address.
    """
    if settings.mqtt_url is not None:
        shown = parse_address(settings.mqtt_url)
        return Choice("configured", settings.mqtt_url, f"using the broker of MQTT_URL at {shown}")
    port = settings.mqtt_port_local
    probe = probe_broker(_LOOPBACK, port)
    if probe.answer is not Answer.NOBODY:
        return _join(port, probe)
    program = find_mosquitto()
    return _trial(settings) if program is None else _own_mosquitto(settings, program)


def find_mosquitto() -> str | None:
    """The broker program of this machine; None where it is not installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=PROGRAM_FOLDERS)


def _join(port: int, probe: Probe) -> Choice:
    url = f"mqtt://{_LOOPBACK}:{port}"
    if probe.answer is Answer.FOREIGN:
        raise PortTaken(
            f"port {port} is held by {port_holder(port)}, which speaks no MQTT;"
            " stop it, or set MQTT_PORT_LOCAL to a free port or MQTT_URL to your broker"
        )
    if probe.answer is Answer.ACCEPTED:
        return Choice("joined", url, f"joined the broker that runs on {_LOOPBACK}:{port}")
    if probe.code in _NOT_AUTHORISED:
        problem = f"set MQTT_URL=mqtt://user:password@{_LOOPBACK}:{port} to an account of it"
    else:
        problem = f"it refuses connections with code {probe.code}; see its log"
    sentence = f"the broker on {_LOOPBACK}:{port} does not let us in: {problem}"
    return Choice("joined", url, sentence, degraded=True)


def _own_mosquitto(settings: Settings, program: str) -> Choice:
    port = settings.mqtt_port_local
    folder = settings.data_dir / "broker"
    lan = not is_local(settings.host)
    child = mosquitto_child(program, folder=folder, port=port, lan=lan)
    if not lan:
        url = f"mqtt://{_LOOPBACK}:{port}"
        return Choice("mosquitto", url, f"started Mosquitto on {_LOOPBACK}:{port}", child)
    password = Accounts(folder, prefix=settings.topic_prefix).ensure_own()
    return Choice(
        "mosquitto",
        _url_with_account(password, port),
        f"started Mosquitto on all interfaces, port {port}, with accounts only;"
        f" they are in {folder}",
        child,
    )


def _trial(settings: Settings) -> Choice:
    port = settings.mqtt_port_local
    folder = settings.data_dir / "broker"
    password = Accounts(folder, prefix=settings.topic_prefix).ensure_own()
    return Choice(
        "trial",
        f"{_url_with_account(password, port)}?version=3.1.1",
        "trial broker: MQTT 3.1.1, memory only; install mosquitto",
        trial_child(folder=folder, port=port),
    )


def _url_with_account(password: str, port: int) -> str:
    return f"mqtt://{Accounts.OWN}:{quote(password, safe='')}@{_LOOPBACK}:{port}"
