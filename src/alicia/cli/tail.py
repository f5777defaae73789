"""``alicia tail``: the messages of the bus as they come."""

import asyncio
import json
import signal
from datetime import datetime
from typing import Any

from alicia.cli import words
from alicia.cli.bus import connected
from alicia.cli.context import Context
from alicia.cli.exits import Exit
from alicia.cli.parsing import Group, positive
from alicia.wire.envelope import open_envelope
from alicia.wire.ports import Message
from alicia.wire.topics import Topics, check_filter


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.alone(tail)
    parser.add_argument("topic", nargs="?", metavar="TOPIC", help="a filter (alicia/#)")
    parser.add_argument("--whole", action="store_true", help="with the fleet's envelope, as --json")
    parser.add_argument("-n", dest="count", type=positive, metavar="N", help="end after N messages")


def tail(context: Context) -> int:
    """Print messages until Ctrl-C, which is no failure."""
    asyncio.run(_follow(context))
    return Exit.DONE


async def _follow(context: Context) -> None:
    """Print until enough is seen.

    Raises:
        BrokenPipeError: the reader has gone.
    """
    topics = Topics(context.settings.topic_prefix)
    pattern = check_filter(context.get("topic") or topics.everything, field="TOPIC")
    left: int | None = context.get("count")
    done = asyncio.get_running_loop().create_future()

    def end(error: OSError | None = None) -> None:
        if not done.done():
            done.set_result(None) if error is None else done.set_exception(error)

    def show(message: Message) -> None:
        nonlocal left
        if done.done():
            return
        try:
            _print(context, message)
        except OSError as error:  # the bus would log it and go on
            end(error)
        if left is not None:
            left -= 1
            if left <= 0:
                end()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    async with connected(context.settings, show) as bus:
        await bus.subscribe([pattern])
        await done


def _print(context: Context, message: Message) -> None:
    payload = _payload(message.body)
    if context.json:
        context.out.json_line(
            {
                "topic": message.topic,
                "received": message.received_ms / 1000,
                "retained": message.retained,
                "qos": message.qos,
                "payload": payload,
            }
        )
        return
    if not context.get("whole") and isinstance(payload, dict):
        payload = open_envelope(payload).value
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    clock = datetime.fromtimestamp(message.received_ms / 1000).astimezone().strftime("%H:%M:%S")
    kept = " (retained)" if message.retained else ""
    context.out.line(f"{clock} {words.clean(message.topic)}{kept} {words.clean(text)}")


def _payload(body: bytes) -> Any:
    """The JSON value, else the text; what is no text is only measured."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"<{len(body)} bytes>"
