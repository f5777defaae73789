"""Real brokers on free ports, for tests; each lives in its own folder and dies with the test."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 15) -> None:
    """Return once somebody listens; fail if the process ends instead."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the broker ended with {process.returncode}"
        with socket.socket() as visitor:
            if visitor.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens on {port}")


class BrokerProcess:
    """A broker that can be killed and started again on the same port and folder."""

    def __init__(self, argv: list[str], port: int) -> None:
        self._argv = argv
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port, self._process)

    def adopt(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until a process that others started answers."""
        wait_for_port(self.port, process)

    def hang(self) -> None:
        """SIGSTOP: connections stay, and nothing is answered any more."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """SIGKILL: nothing is written any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def mosquitto(folder: Path) -> BrokerProcess:
    """Mosquitto with sessions on disk; everybody may use all topics but ``forbidden/#``."""
    assert MOSQUITTO is not None
    port = free_port()
    (folder / "acl").write_text("topic readwrite alicia/#\ntopic read $SYS/#\n")
    (folder / "mosquitto.conf").write_text(
        f"user {_user()}\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
        f"acl_file {folder}/acl\npersistence true\npersistence_location {folder}/\n"
        "autosave_interval 1\nautosave_on_changes true\nmax_queued_messages 0\n"
        "max_inflight_messages 50\nlog_dest none\n"
    )
    return BrokerProcess([MOSQUITTO, "-c", str(folder / "mosquitto.conf")], port)


def amqtt(folder: Path, password: str) -> BrokerProcess:
    """Our trial broker; its account is ``alicia``."""
    port = free_port()
    secret = folder / "own.password"
    secret.write_text(password)
    module = "alicia.adapters.broker.trial_child"
    return BrokerProcess([sys.executable, "-m", module, str(port), str(secret)], port)


def _user() -> str:
    import getpass

    return getpass.getuser()
