"""A supervisor over scripted parts: ``supervisor_harness.py KIND…``; says all in JSON lines."""

import json
import sys
from collections.abc import Sequence

from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.base.errors import AliciaError
from alicia.cli.children import Launch
from alicia.cli.exits import Failed
from alicia.cli.supervisor import Part, PartState, Supervisor

READY = "print('listening on', os.getpid(), flush=True);"
START = "import os, signal, subprocess, sys, time;"
SCRIPTS = {
    "polite": START + READY + "signal.pause()",
    "tethered": START + READY + "signal.pause()",
    "refusing": "raise SystemExit(1)",
    "slow": START
    + "signal.signal(15, lambda *_: (time.sleep(0.3), os.write(1, b'saved\\n'), os._exit(0)));"
    + READY
    + "[signal.pause() for _ in iter(int, 1)]",
    "stubborn": START
    + "signal.signal(15, signal.SIG_IGN); p = subprocess.Popen(['sleep', '60']);"
    + "print('listening on', p.pid, flush=True); time.sleep(60)",
    "watching": START + READY + "os.read(int(os.environ['ALICIA_SUPERVISOR_FD']), 1)",
    "chatty": START
    + READY
    + "[print(n, 'x' * 1000) for n in range(300)]; print('end of talk', flush=True);"
    + "signal.pause()",
    "probed": "import socket, signal; s = socket.create_server(('127.0.0.1', {port}));"
    "signal.pause()",
}


class JsonVoice:
    """Says everything; a ready part is said with its pid and the address it was given."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given
        self.states: Sequence[PartState] = ()

    def say(self, state: str, **values: object) -> None:
        print(json.dumps({"state": state, **values}), flush=True)

    def ready(self, name: str, address: str) -> None:
        child = next(s.child for s in self.states if s.part.name == name)
        pid = None if child is None else child.pid
        self.say("ready", name=name, address=address, pid=pid, given=self._given[name])

    def all_ready(self) -> None:
        self.say("all_ready")

    def ended(self, name: str, how: str, code: int, *, restarts: int, wait_ms: int) -> None:
        self.say("ended", name=name, how=how, code=code, restarts=restarts, wait_ms=wait_ms)

    def refused(self, name: str, code: int) -> None:
        self.say("refused", name=name, code=code)

    def printed(self, name: str, line: str) -> None:
        self.say("printed", name=name, line=line)

    def stopping(self) -> None:
        self.say("stopping")

    def changed(self, states: Sequence[PartState]) -> None:
        self.states = states


def make_part(kind: str, number: int, given: dict[str, str]) -> Part:
    name = f"{kind}-{number}"
    script = SCRIPTS.get(
        {"last": "slow", "blocked": "polite"}.get(kind, kind.removeprefix("late-")), ""
    )
    port = 0
    if kind == "probed":
        import socket

        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        script = script.format(port=port)

    def launch(address: str) -> Launch:
        if kind == "blocked" and given.get(name) == "":
            given[name] = "asked twice"
            raise Failed("somebody has the port")
        given[name] = address
        if kind == "absent":
            return Launch(["/nowhere/to/be/found"])
        return Launch([sys.executable, "-c", script], tethered=kind == "tethered")

    return Part(
        name,
        launch,
        probe=("127.0.0.1", port) if kind == "probed" else None,
        late=kind.startswith("late-"),
        stop_last=kind == "last",
    )


def main(kinds: Sequence[str]) -> int:
    given: dict[str, str] = {}
    voice = JsonVoice(given)
    parts = [make_part(kind, number, given) for number, kind in enumerate(kinds)]
    try:
        return Supervisor(
            parts, voice=voice, environment={}, clock=SystemClock(), random=SystemRandom()
        ).run()
    except AliciaError as error:
        voice.say("error", text=str(error))
        return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
