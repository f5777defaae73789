"""The supervisor: start the parts, watch them, restart what dies, stop all in time.

No state outlives it and it listens nowhere. One loop in one thread waits for signals, output of
children and the next deadline.
"""

import re
import selectors
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from alicia.base.clock import Clock, Random
from alicia.cli.children import Child, Launch, LifeLine, ending
from alicia.cli.exits import Exit, Failed, one_line
from alicia.cli.restarts import GiveUp, Record, after_exit
from alicia.cli.signals import SignalPipe

_LISTENS: Final = re.compile(r"listening on (\S+)")
_LOOK_SECONDS: Final = 0.05  # between two looks at what no signal tells
_BROKER_STOP_MS: Final = 3500  # services get this long to say good-bye on the bus
_KILL_MS: Final = 4500
_CANNOT_START: Final = 127  # the shell's code for a program that is not there


@dataclass(frozen=True, slots=True)
class Part:
    """One program to keep running.

    ``launch`` is asked before each start, with the address of the last one, so that a port
    chosen by the system can be kept; it raises Failed where it cannot start. With ``probe`` the
    part is ready when that port takes a connection, else when it prints a line in which
    ``ready`` finds its address.
    ``late``: start it after the others are ready, and go on without it if it refuses.
    ``stop_last``: the others need it to stop well.
    """

    name: str
    launch: Callable[[str], Launch]
    probe: tuple[str, int] | None = None
    ready: re.Pattern[str] = _LISTENS
    late: bool = False
    stop_last: bool = False


class Voice(Protocol):
    """What the supervisor tells the owner."""

    def ready(self, name: str, address: str) -> None:
        """A part answers at an address; for a probed part the address is empty."""
        ...

    def all_ready(self) -> None:
        """Every part that is not late answers, for the first time."""
        ...

    def ended(self, name: str, how: str, code: int, *, restarts: int, wait_ms: int) -> None:
        """A part has ended, or could not start, and will be tried again after a wait."""
        ...

    def refused(self, name: str, code: int) -> None:
        """A part does not start at all."""
        ...

    def printed(self, name: str, line: str) -> None:
        """A part has printed something."""
        ...

    def stopping(self) -> None:
        """All parts are being stopped."""
        ...

    def changed(self, states: "Sequence[PartState]") -> None:
        """The states of all parts, after each change."""
        ...


@dataclass(slots=True)
class PartState:
    """What the supervisor knows of one part; ``restart_at_ms`` is set while it waits."""

    part: Part
    record: Record = field(default_factory=Record)
    child: Child | None = None
    address: str = ""
    answers: bool = False
    started_ms: int = 0
    restart_at_ms: int | None = None


class Supervisor:
    """Runs its parts until a signal comes or a part that is needed refuses to start."""

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        voice: Voice,
        environment: Mapping[str, str],
        clock: Clock,
        random: Random,
    ) -> None:
        self._states = [PartState(part) for part in parts]
        self._voice = voice
        self._environment = environment
        self._clock = clock
        self._random = random
        self._life_line = LifeLine()
        self._selector = selectors.DefaultSelector()
        self._stop_since_ms: int | None = None
        self._said_ready = False
        self._code = Exit.DONE

    def run(self) -> int:
        """Keep the parts running; returns the exit code once none is left."""
        with SignalPipe() as signals:
            self._selector.register(signals.fd, selectors.EVENT_READ, None)
            try:
                self._start_all(late=False)
                while not self._finished():
                    self._wait(signals)
            finally:
                self._kill_all()
                self._selector.close()
                self._life_line.close()
        return self._code

    def _wait(self, signals: SignalPipe) -> None:
        for key, _ in self._selector.select(self._until_next_seconds()):
            if key.data is not None:
                self._read(key.data)
        if signals.stop_asked():
            self._stop(Exit.DONE)
        for state in self._states:
            self._look(state)
        if self._stop_since_ms is None:
            self._greet()
        else:
            self._go_on_stopping(self._clock.monotonic_ms() - self._stop_since_ms)

    def _until_next_seconds(self) -> float | None:
        if self._stop_since_ms is not None:
            return _LOOK_SECONDS
        if any(s.child and not s.answers and s.part.probe for s in self._states):
            return _LOOK_SECONDS
        waits = [s.restart_at_ms for s in self._states if s.restart_at_ms is not None]
        return max(0, min(waits) - self._clock.monotonic_ms()) / 1000 if waits else None

    def _start_all(self, *, late: bool) -> None:
        for state in self._states:
            if state.part.late is late:
                self._start(state)

    def _start(self, state: PartState) -> None:
        state.restart_at_ms = None
        state.started_ms = self._clock.monotonic_ms()
        try:
            launch = state.part.launch(state.address)
            state.child = Child(launch, self._life_line, self._environment)
        except Failed as error:
            if not state.record.ready:
                raise
            # It has run before, so it may run again.
            self._judge_exit(state, _CANNOT_START, how=one_line(error))
            return
        self._selector.register(state.child.output_fd, selectors.EVENT_READ, state)
        self._voice.changed(self._states)

    def _read(self, state: PartState) -> None:
        assert state.child is not None, "only running children are registered"
        try:
            for line in state.child.lines():
                found = None if state.part.probe else state.part.ready.search(line)
                if found and not state.answers:
                    self._answers(state, found[1])
                else:
                    self._voice.printed(state.part.name, line)
        except EOFError:
            self._selector.unregister(state.child.output_fd)

    def _look(self, state: PartState) -> None:
        if state.child is not None:
            code = state.child.ended()
            if code is not None:
                self._forget_child(state)
                if self._stop_since_ms is None:
                    self._judge_exit(state, code, how=ending(code))
            elif state.part.probe and not state.answers and _connects(state.part.probe):
                self._answers(state, "")
        elif self._is_due(state):
            self._start(state)

    def _is_due(self, state: PartState) -> bool:
        due_ms = state.restart_at_ms
        return due_ms is not None and self._clock.monotonic_ms() >= due_ms

    def _answers(self, state: PartState, address: str) -> None:
        state.answers = True
        state.record = replace(state.record, ready=True)
        state.address = address
        self._voice.ready(state.part.name, address)
        self._voice.changed(self._states)

    def _judge_exit(self, state: PartState, code: int, *, how: str) -> None:
        now_ms = self._clock.monotonic_ms()
        ran_ms = now_ms - state.started_ms
        match after_exit(state.record, code=code, ran_ms=ran_ms, random=self._random):
            case GiveUp():
                self._voice.refused(state.part.name, code)
                if not state.part.late:
                    self._stop(Exit.FAILED)
            case again:
                state.record = again.record
                state.restart_at_ms = now_ms + again.wait_ms
                self._voice.ended(
                    state.part.name,
                    how,
                    code,
                    restarts=again.record.restarts,
                    wait_ms=again.wait_ms,
                )
        self._voice.changed(self._states)

    def _forget_child(self, state: PartState) -> None:
        assert state.child is not None
        if state.child.output_fd in self._selector.get_map():
            self._read(state)  # its last words
        if state.child.output_fd in self._selector.get_map():
            self._selector.unregister(state.child.output_fd)
        state.child.close()
        state.child, state.answers = None, False

    def _greet(self) -> None:
        if not self._said_ready and all(s.answers or s.part.late for s in self._states):
            self._said_ready = True
            self._voice.all_ready()
            self._start_all(late=True)

    def _stop(self, code: Exit) -> None:
        if self._stop_since_ms is not None:
            return  # a second signal changes nothing: five seconds are the promise
        self._stop_since_ms = self._clock.monotonic_ms()
        self._code = code
        self._voice.stopping()
        for state in self._states:
            state.restart_at_ms = None
            if state.child is not None and not state.part.stop_last:
                state.child.terminate()

    def _go_on_stopping(self, elapsed_ms: int) -> None:
        running = [s for s in self._states if s.child is not None]
        if elapsed_ms >= _KILL_MS:
            self._kill_all()
        elif elapsed_ms >= _BROKER_STOP_MS or all(s.part.stop_last for s in running):
            for state in running:
                if state.part.stop_last and state.child is not None:
                    state.child.terminate()

    def _kill_all(self) -> None:
        for state in self._states:
            if state.child is not None:
                state.child.kill()
                self._forget_child(state)

    def _finished(self) -> bool:
        return self._stop_since_ms is not None and all(s.child is None for s in self._states)


def _connects(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=0.2):
            return True
    except OSError:
        return False
