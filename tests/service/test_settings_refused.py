"""What a service cannot honour stops its start: by name, in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("collector", "DATABASE_URL", "postgresql://user:secret@host/db"),
        ("collector", "METRICS_REMOTE_URL", "http://user:secret@host:8428"),
        ("scheduler", "DATABASE_URL", "postgresql://user:secret@host/db"),
    ],
)
def test_it_does_not_start(tmp_path: Path, service: str, key: str, value: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "alicia", service],
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith(("ALICIA_", "MQTT_"))},
            "ALICIA_DATA_DIR": str(tmp_path),
            f"ALICIA_{service.upper()}_PORT": "0",
            f"ALICIA_{key}": value,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"alicia {service}: {key}: ")
    assert "secret" not in line
