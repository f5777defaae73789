"""``alicia up``: broker, collector and scheduler as one."""

import contextlib
import json
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alicia.adapters.clock import SystemRandom
from alicia.adapters.files import fault, make_private_folder, write_atomically
from alicia.adapters.http.bind import is_local
from alicia.adapters.lockfile import DataLock
from alicia.cli.children import Launch, python_command
from alicia.cli.context import Context
from alicia.cli.exits import Failed
from alicia.cli.parsing import Group
from alicia.cli.supervisor import Part, PartState, Supervisor
from alicia.cli.voice import Speaker

if TYPE_CHECKING:
    from alicia.adapters.broker.choose import Choice
    from alicia.adapters.settings import Settings

_DEMO_PLAYS: Final = re.compile(r"simulated services on (\S+)")
_LOOPBACK: Final = "127.0.0.1"
_LOOK_SECONDS: Final = 0.2
_EVERY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - only by --lan, and only with tokens


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.alone(up)
    parser.add_argument("--demo", action="store_true", help="also a simulated fleet")
    parser.add_argument(
        "--fresh", action="store_true", help="with an empty data folder; the old one is kept aside"
    )
    parser.add_argument(
        "--lan", action="store_true", help="also for other machines; needs alicia token create"
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="also what the parts merely report"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="with --lan: without tokens, open to everybody"
    )


def up(context: Context) -> int:
    """Run everything until Ctrl-C; see supervisor.py for what that means."""
    from alicia.adapters.broker.choose import choose

    _apply_flags(context)
    data_dir = context.settings.data_dir.absolute()
    _refuse_an_open_door(context.settings)
    aside = _set_aside(context, data_dir)
    lock = DataLock(data_dir / "up.lock")
    lock.acquire()
    note = data_dir / "run" / "up.json"
    try:
        choice = choose(context.settings)
        speaker = Speaker(
            context.out,
            data_dir=data_dir,
            sentences={"broker": choice.sentence, "demo": "20 simulated services"},
            note=_note_writer(note, choice, started_ms=context.clock.now_ms()),
        )
        if aside is not None:
            speaker.greet("fresh", f"the old data are kept in {aside}")
        return Supervisor(
            [
                *_broker_parts(choice, speaker, data_dir / "broker"),
                *_service_parts(demo=context.get("demo")),
            ],
            voice=speaker,
            environment=_child_environment(context, choice.url, data_dir),
            clock=context.clock,
            random=SystemRandom(),
        ).run()
    finally:
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def _apply_flags(context: Context) -> None:
    """Turn our flags into the settings they stand for.

    Of what the parts log, the owner of the screen sees warnings and errors: the state of things
    is on it already. Whoever set LOG_LEVEL wanted something else.
    """
    if context.get("verbose"):
        context.override("LOG_LEVEL", "info")
    elif context.settings.origins.get("LOG_LEVEL", "default") == "default":
        context.override("LOG_LEVEL", "warning")
    if context.get("lan") and is_local(context.settings.host):
        context.override("HOST", _EVERY_ADDRESS)
    if context.get("insecure"):
        context.override("INSECURE", "on")


def _refuse_an_open_door(settings: "Settings") -> None:
    """The services refuse this too, each for itself; but by then a broker would be listening.

    Raises:
        Failed: other machines could reach us, and no token exists.
    """
    if settings.insecure or is_local(settings.host):
        return
    from alicia.adapters.http.tokens import TokenFile

    if not TokenFile(settings.data_dir / "tokens.json").list():
        raise Failed(
            f"refused to listen on {settings.host} without a token: run `alicia token create`"
            " first, or pass --insecure to let anybody in"
        )


def _set_aside(context: Context, data_dir: Path) -> Path | None:
    if not context.get("fresh"):
        return None
    from alicia.cli.fresh import set_aside

    return set_aside(data_dir, now_ms=context.clock.now_ms())


def _child_environment(context: Context, broker_url: str, data_dir: Path) -> dict[str, str]:
    """Our flags as settings of the environment, where ``ps`` shows no password in them."""
    given = {f"ALICIA_{key}": value for key, value in context.flags.items()}
    return {
        **context.environment,
        **given,
        "ALICIA_MQTT_URL": broker_url,
        "ALICIA_DATA_DIR": str(data_dir),
        "PYTHONUNBUFFERED": "1",
    }


def _service_parts(*, demo: bool) -> list[Part]:
    parts = [
        Part(name, _service_launch(name, f"ALICIA_{name.upper()}_PORT"))
        for name in ("collector", "scheduler")
    ]
    if demo:
        parts.append(
            Part("demo", lambda _: Launch(python_command("demo")), ready=_DEMO_PLAYS, late=True)
        )
    return parts


def _service_launch(name: str, port_key: str) -> Callable[[str], Launch]:
    def launch(address: str) -> Launch:
        # A restarted service keeps its port, also one that the system chose: pages stay open.
        port = address.rpartition(":")[2]
        return Launch(python_command(name), {port_key: port} if port else {})

    return launch


def _broker_parts(choice: "Choice", speaker: Speaker, folder: Path) -> list[Part]:
    child = choice.starts
    if child is None:
        speaker.greet("broker", choice.sentence)
        return []

    def launch(_address: str) -> Launch:
        _refuse_a_taken_port(child.port)
        try:
            for sentence in child.prepare():
                speaker.greet("broker", sentence)
        except OSError as error:
            raise Failed(f"cannot prepare the broker's folder: {fault(error, folder)}") from None
        return Launch(child.argv, tethered=child.tethered)

    probe = None if child.announces else (_LOOPBACK, child.port)
    return [Part("broker", launch, probe=probe, stop_last=True)]


def _refuse_a_taken_port(port: int) -> None:
    """Whoever took the port while our broker was down would answer in its place.

    Raises:
        Failed: somebody listens there.
    """
    try:
        socket.create_connection((_LOOPBACK, port), timeout=_LOOK_SECONDS).close()
    except OSError:
        return
    from alicia.adapters.http.bind import port_holder

    raise Failed(
        f"port {port} is held by {port_holder(port)}: stop it, or set MQTT_PORT_LOCAL to a free"
        " port and start again"
    )


def _note_writer(
    path: Path, choice: "Choice", *, started_ms: int
) -> Callable[[Sequence[PartState]], None]:
    make_private_folder(path.parent)

    def write(states: Sequence[PartState]) -> None:
        content: Mapping[str, Any] = {
            "pid": os.getpid(),
            "started": started_ms / 1000,
            "broker": {"kind": choice.kind, "url": choice.url},
            "parts": {state.part.name: _plain(state) for state in states},
        }
        write_atomically(path, json.dumps(content).encode())

    return write


def _plain(state: PartState) -> dict[str, Any]:
    return {
        "pid": None if state.child is None else state.child.pid,
        "ready": state.answers,
        "address": state.address,
        "restarts": state.record.restarts,
    }
