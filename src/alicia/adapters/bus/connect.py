"""A bus from the settings."""

from alicia.adapters.bus.address import parse_address, tls_context
from alicia.adapters.bus.gmqtt import SESSION_SECONDS, BusConfig, GmqttBus
from alicia.adapters.bus.packer import silence_gmqtt
from alicia.adapters.settings import Settings
from alicia.base.clock import Clock, Random
from alicia.base.counters import Counters
from alicia.wire.ports import Bus, Publication


def make_bus(
    settings: Settings,
    *,
    client_id: str,
    will: Publication | None,
    clock: Clock,
    random: Random,
    default_url: str,
    counters: Counters | None = None,
    session_seconds: int = SESSION_SECONDS,
) -> Bus:
    """A bus that is not started yet; ``default_url`` counts where MQTT_URL is not set.

    ``client_id`` is ASCII and the same at every start, so that the broker keeps what came
    meanwhile: for ``session_seconds`` after the connection ends, on 3.1.1 for as long as it
    likes. 0 begins without a session and leaves none. ``counters`` get ``bus_handler_errors``
    and ``bus_filters_refused``.

    Raises:
        BadField: the address or a TLS file cannot be used.
    """
    assert client_id.isascii(), "some brokers take no other client ids"
    silence_gmqtt()
    address = parse_address(settings.mqtt_url or default_url)
    tls = None
    if address.tls:
        tls = tls_context(
            authority=settings.mqtt_ca, certificate=settings.mqtt_cert, key=settings.mqtt_key
        )
    config = BusConfig(
        address=address, client_id=client_id, will=will, tls=tls, session_seconds=session_seconds
    )
    return GmqttBus(
        config, clock=clock, random=random, counters=Counters() if counters is None else counters
    )
