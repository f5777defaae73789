"""What ``alicia up`` says: a line per part for people, a JSON line per change for programs."""

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from alicia.cli.children import ending
from alicia.cli.hosts import from_elsewhere
from alicia.cli.output import Output
from alicia.cli.supervisor import PartState

_WIDTH: Final = 10  # of the first column

Note = Callable[[Sequence[PartState]], None]


class Speaker:
    """Fits ``supervisor.Voice``.

    ``sentences`` says what a part is where its address says too little. Faults go to standard
    error. ``note`` stores the states for other commands.
    """

    def __init__(
        self, out: Output, *, data_dir: Path, sentences: Mapping[str, str], note: Note
    ) -> None:
        self._out = out
        self._data_dir = data_dir
        self._sentences = sentences
        self._note = note
        self._addresses: dict[str, str] = {}

    def ready(self, name: str, address: str) -> None:
        """Say where a part answers."""
        self._addresses[name] = address
        text = self._sentences.get(name, from_elsewhere(address))
        self._say(name, text, {"part": name, "state": "ready", "address": address, "text": text})

    def all_ready(self) -> None:
        """Say where the data are and what to do next."""
        self.greet("data", str(self._data_dir))
        self.greet("dashboard", from_elsewhere(self._addresses.get("collector", "")))
        self.greet("next", "alicia status, alicia doctor; Ctrl-C stops all")

    def ended(self, name: str, how: str, code: int, *, restarts: int, wait_ms: int) -> None:
        """Say that a part died and comes back."""
        wait = f"{wait_ms / 1000:.1f} s"
        self._fault(
            name,
            f"{how}; restart {restarts} in {wait}",
            {
                "state": "ended",
                "code": code,
                "text": how,
                "restarts": restarts,
                "wait_ms": wait_ms,
            },
        )

    def refused(self, name: str, code: int) -> None:
        """Say that a part does not start."""
        self._fault(name, f"did not start ({ending(code)})", {"state": "refused", "code": code})

    def printed(self, name: str, line: str) -> None:
        """Pass on what a part has printed."""
        self._say(name, line, {"part": name, "state": "output", "text": line})

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._say("stopping", "all parts", {"part": "up", "state": "stopping"})

    def changed(self, states: Sequence[PartState]) -> None:
        """Store the states; a full disk is no reason to let the parts down."""
        with contextlib.suppress(OSError):
            self._note(states)

    def greet(self, name: str, text: str) -> None:
        """Say something about the whole."""
        self._say(name, text, {"part": "up", "state": name, "text": text})

    def _say(self, name: str, text: str, value: Mapping[str, Any]) -> None:
        # The terminal or the reader of the pipe may be gone; the parts go on without them.
        with contextlib.suppress(OSError):
            if self._out.as_json:
                self._out.json_line(value)
            else:
                self._out.line(f"{name:<{_WIDTH}} {text}")

    def _fault(self, name: str, text: str, value: Mapping[str, Any]) -> None:
        if self._out.as_json:
            self._say(name, text, {"part": name, **value})
            return
        with contextlib.suppress(OSError):
            print(f"{name:<{_WIDTH}} {text}", file=sys.stderr, flush=True)
