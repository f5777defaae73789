"""What we send, as bytes: gmqtt's packet builders without its client.

gmqtt's ``Client`` is left out because it reconnects on its own terms, waits for ever on a silent
port and acknowledges before the handler (reliability.md §11).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gmqtt import Message as Outgoing
from gmqtt import Subscription
from gmqtt.mqtt import package
from gmqtt.mqtt.utils import IdGenerator

from alicia.adapters.bus.address import MQTT_5, MQTT_311
from alicia.adapters.bus.packets import Limits
from alicia.wire.ports import Publication

PINGREQ: Final = b"\xc0\x00"
_PACKET_IDS: Final = 65_536  # exclusive


@dataclass(frozen=True, slots=True)
class Login:
    """What a CONNECT says.

    ``session_seconds`` is how long the broker keeps our session; 0 begins without one and
    leaves none, on 3.1.1 too, which knows no other length than for ever.
    """

    client_id: str
    username: str | None
    password: str | None
    will: Publication | None
    keepalive_seconds: int
    session_seconds: int
    receive_maximum: int


class Packer:
    """Builds the packets of one connection; gmqtt's builders see it as their protocol."""

    proto_name = b"MQTT"

    def __init__(self, version: int) -> None:
        assert version in (MQTT_5, MQTT_311), "no other version is spoken"
        self.proto_ver = version
        self.id_generator = IdGenerator(max=_PACKET_IDS)

    def connect(self, login: Login) -> bytes:
        """CONNECT that asks for the session of last time, if we keep one."""
        properties = {
            "session_expiry_interval": login.session_seconds,
            "receive_maximum": login.receive_maximum,
        }
        return bytes(
            package.LoginPackageFactor.build_package(
                login.client_id,
                None if login.username is None else login.username.encode(),
                None if login.password is None else login.password.encode(),
                login.session_seconds == 0,
                login.keepalive_seconds,
                self,
                will_message=None if login.will is None else self._outgoing(login.will, Limits()),
                **(properties if self.proto_ver == MQTT_5 else {}),
            )
        )

    def subscribe(self, filters: Sequence[str]) -> tuple[int, bytes]:
        """SUBSCRIBE with QoS 1, and its packet id."""
        subscriptions = [Subscription(pattern, qos=1) for pattern in filters]
        packet_id, packet = package.SubscribePacket.build_package(subscriptions, self)
        return packet_id, bytes(packet)

    def unsubscribe(self, filters: Sequence[str]) -> tuple[int, bytes]:
        """UNSUBSCRIBE, and its packet id."""
        encoded = [pattern.encode() for pattern in filters]  # gmqtt counts characters
        packet_id, packet = package.UnsubscribePacket.build_package(encoded, self)
        return packet_id, bytes(packet)

    def publish(self, publication: Publication, limits: Limits) -> tuple[int | None, bytes]:
        """PUBLISH as the broker's limits allow, and its packet id; None for QoS 0."""
        outgoing = self._outgoing(publication, limits)
        packet_id, packet = package.PublishPacket.build_package(outgoing, self)
        return packet_id, bytes(packet)

    def disconnect(self) -> bytes:
        """DISCONNECT that tells the broker to drop the will."""
        return bytes(package.DisconnectPacket.build_package(self))

    def free(self, packet_id: int) -> None:
        """Let a packet id be used again."""
        self.id_generator.free_id(packet_id)

    def _outgoing(self, publication: Publication, limits: Limits) -> Outgoing:
        properties: dict[str, object] = {}
        if self.proto_ver == MQTT_5:
            if publication.expiry_seconds is not None:
                properties["message_expiry_interval"] = publication.expiry_seconds
            if publication.response_topic:
                properties["response_topic"] = publication.response_topic
            if publication.correlation:
                properties["correlation_data"] = publication.correlation
            if publication.user_properties:
                properties["user_property"] = list(publication.user_properties)
        return Outgoing(
            publication.topic,
            publication.body,
            qos=min(publication.qos, limits.qos_max, 1),
            retain=publication.retain and limits.retain,
            **properties,
        )


def silence_gmqtt() -> None:
    """Keep gmqtt's own log lines away: some hold whole packets, and we log what matters."""
    logger = logging.getLogger("gmqtt")
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
