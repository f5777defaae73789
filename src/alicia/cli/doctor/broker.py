"""Checks of the broker: it answers, delivers, retains, and takes large messages."""

import asyncio
import json
import time
from typing import Final

from alicia.adapters.settings import Settings
from alicia.base.errors import AliciaError
from alicia.cli.bus import connected
from alicia.cli.doctor import permissions
from alicia.cli.doctor.finding import Finding, fail, ok, warn
from alicia.cli.doctor.permissions import take_from
from alicia.cli.exits import Unreachable, one_line
from alicia.wire.ports import Bus, Message, Publication

_DELIVERY_SECONDS: Final = 5.0
_LARGE_BYTES: Final = 1024 * 1024
_FIX_ACL: Final = "let this account read and write alicia-doctor/#, or ignore this"


async def check_broker(settings: Settings, *, secret: str) -> list[Finding]:
    """All checks of the broker; ``secret`` makes their topics unguessable.

    Most use topics outside the prefix, since others parse everything below it.
    """
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    try:
        async with connected(settings, inbox.put_nowait) as bus:
            state = bus.state
            version = "5" if state.protocol == 5 else "3.1.1"
            found = [ok("broker", f"{state.address}, MQTT {version}")]
            root = f"alicia-doctor/{secret}"
            found.append(await _round_trip(bus, inbox, f"{root}/echo"))
            found.append(await _retained(bus, inbox, f"{root}/kept"))
            found.append(await _large(bus, inbox, f"{root}/large"))
            found.append(await permissions.check_shared(bus, inbox, f"{root}/shared"))
            found.append(await permissions.check_broker_talk(bus, inbox))
        found.append(await permissions.check_writes(settings))
        found.append(await permissions.check_strangers(settings))
        return found
    except Unreachable as error:
        return [fail("broker", one_line(error), fix="alicia up starts one; or set MQTT_URL")]
    except AliciaError as error:
        return [fail("broker", one_line(error), fix="check MQTT_URL and MQTT_CA")]


async def _round_trip(bus: Bus, inbox: asyncio.Queue[Message], topic: str) -> Finding:
    name = "round trip"
    try:
        await bus.subscribe([topic])
        began = time.monotonic()
        await bus.publish(Publication(topic, json.dumps({"check": name}).encode()))
        await take_from(inbox, topic, _DELIVERY_SECONDS)
    except TimeoutError:
        return fail(name, "the broker accepts messages but delivers none", fix="check its ACL")
    except AliciaError as error:
        return warn(name, one_line(error), fix=_FIX_ACL)
    return ok(name, f"{(time.monotonic() - began) * 1000:.1f} ms")


async def _retained(bus: Bus, inbox: asyncio.Queue[Message], topic: str) -> Finding:
    name = "retained"
    try:
        await bus.publish(Publication(topic, b'{"check": "retained"}', retain=True))
        await bus.subscribe([topic])
        message = await take_from(inbox, topic, _DELIVERY_SECONDS)
        await bus.unsubscribe([topic])
        await bus.publish(Publication(topic, b"", retain=True))
    except TimeoutError:
        return fail(name, "a retained message does not come back", fix="allow it in the broker")
    except AliciaError as error:
        return warn(name, one_line(error), fix=_FIX_ACL)
    if not message.retained:
        return fail(name, "the broker does not mark retained messages", fix="update the broker")
    return ok(name, "kept and marked")


async def _large(bus: Bus, inbox: asyncio.Queue[Message], topic: str) -> Finding:
    name = "packet size"
    body = json.dumps({"filling": "x" * _LARGE_BYTES}).encode()
    try:
        await bus.subscribe([topic])
        await bus.publish(Publication(topic, body))
        message = await take_from(inbox, topic, _DELIVERY_SECONDS)
    except (TimeoutError, AliciaError):
        return warn(name, "1 MiB does not pass", fix="raise max_packet_size in the broker")
    if message.body != body:
        return fail(name, "1 MiB comes back changed", fix="update the broker")
    return ok(name, "1 MiB passes")
