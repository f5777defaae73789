"""What the broker lets our account do: a write on each topic, ``$share``, ``$SYS``, strangers."""

import asyncio
from dataclasses import replace
from typing import Final

from alicia.adapters.bus.address import MQTT_5, parse_address
from alicia.adapters.http.bind import is_local
from alicia.adapters.settings import Settings
from alicia.base.errors import AliciaError
from alicia.cli.bus import broker_url, connected
from alicia.cli.doctor.finding import Finding, fail, ok, warn
from alicia.wire.ports import Bus, BusUnavailable, Message, Publication, PublishRefused
from alicia.wire.topics import Topics

ECHO_SECONDS: Final = 2.0
_PROBE: Final = "alicia-doctor"

Inbox = asyncio.Queue[Message]


def probe_topics(settings: Settings) -> dict[str, str]:
    """One topic below each filter that we must be able to write, with that filter.

    The messages are empty, which every reader of the fleet takes for nothing.
    Source: bus.md §10.
    """
    topics = Topics(settings.topic_prefix)
    filters = {
        topics.under(*levels, _PROBE): topics.under(*levels, "#")
        for levels in (
            ("metrics",),
            ("alerts",),
            ("ha",),
            ("system", "health"),
            ("system", "discovery"),
            ("scheduler",),
            ("events",),
        )
    }
    filters[topics.command_of(_PROBE)] = topics.command_of("+")
    if settings.load_balancer_weights:
        filters[topics.load_balancer] = topics.load_balancer
    if settings.home_assistant:
        filters[f"homeassistant/{_PROBE}"] = "homeassistant/#"
    return filters


async def check_writes(settings: Settings) -> Finding:
    """Every topic that collector and scheduler write can be written, and read."""
    name, probes = "topics", probe_topics(settings)
    passed = await asyncio.gather(*(_passes(settings, topic) for topic in probes))
    missing = [pattern for pattern, good in zip(probes.values(), passed, strict=True) if not good]
    if missing:
        lines = ", ".join(f"topic readwrite {pattern}" for pattern in missing)
        return fail(
            name,
            f"{len(missing)} of {len(probes)} do not pass for this account",
            fix=f"add to its ACL: {lines}",
        )
    return ok(name, f"all {len(probes)} kinds of topics can be written and read")


async def _passes(settings: Settings, topic: str) -> bool:
    """Whether an empty message comes back to us.

    Each probe has its own connection: Mosquitto 2.0.11 may hang up on what it refuses.
    """
    inbox: Inbox = asyncio.Queue()
    try:
        async with connected(settings, inbox.put_nowait) as bus:
            await bus.subscribe([topic])
            await bus.publish(Publication(topic, b""))
            await take_from(inbox, topic, ECHO_SECONDS)
    except (TimeoutError, BusUnavailable, PublishRefused):
        return False
    return True


async def check_shared(bus: Bus, inbox: Inbox, topic: str) -> Finding:
    """A shared subscription brings messages; several collectors on one broker need them."""
    name, pattern = "$share", f"$share/{_PROBE}/{topic}"
    try:
        await bus.subscribe([pattern])
        await bus.publish(Publication(topic, b"{}"))
        await take_from(inbox, topic, ECHO_SECONDS)
        await bus.unsubscribe([pattern])
    except (TimeoutError, AliciaError):
        return warn(
            name,
            "the broker serves no shared subscriptions; one collector needs none",
            fix="Mosquitto 2.0.19 or later, before you start a second collector",
        )
    return ok(name, "shared subscriptions work")


async def check_broker_talk(bus: Bus, inbox: Inbox) -> Finding:
    """The broker tells of itself, from which the collector makes its series."""
    name, topic = "$SYS", "$SYS/broker/version"
    try:
        await bus.subscribe([topic])
        message = await take_from(inbox, topic, ECHO_SECONDS)
        await bus.unsubscribe([topic])
    except (TimeoutError, AliciaError):
        return warn(
            name,
            "the broker tells nothing of itself, or not to this account",
            fix="where it is a Mosquitto, add to the ACL: topic read $SYS/#",
        )
    return ok(name, message.body.decode(errors="replace")[:64])


async def check_strangers(settings: Settings) -> Finding:
    """Beyond loopback nobody may command the scheduler without an account (security.md §4)."""
    name = "strangers"
    address = parse_address(broker_url(settings))
    if is_local(address.host):
        return ok(name, "only this machine reaches the broker")
    topic = Topics(settings.topic_prefix).scheduler_events
    scheme = "mqtts" if address.tls else "mqtt"
    anonymous = replace(
        settings,
        mqtt_url=f"{scheme}://{str(address).partition('//')[2]}",
        mqtt_cert=None,
        mqtt_key=None,
    )
    try:
        async with connected(anonymous, lambda _: None) as bus:
            await bus.publish(Publication(topic, b""))
            # MQTT 3.1.1 acknowledges also what it then throws away.
            may = "may write" if bus.state.protocol == MQTT_5 else "is let in, and perhaps to"
    except AliciaError:
        return ok(name, "a client without an account cannot command the scheduler")
    return warn(
        name,
        f"a client without an account {may} {topic}",
        fix=f"allow_anonymous false, or in the ACL before the first user: topic deny {topic}",
    )


async def take_from(inbox: Inbox, topic: str, seconds: float) -> Message:
    """The next message on the topic; others are thrown away.

    Raises:
        TimeoutError: none came in time.
    """
    async with asyncio.timeout(seconds):
        while True:
            message = await inbox.get()
            if message.topic == topic:
                return message
