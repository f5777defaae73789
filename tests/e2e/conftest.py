"""The broker of end-to-end tests: a mosquitto of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.brokers import MOSQUITTO, BrokerProcess, mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    if MOSQUITTO is None:
        pytest.skip("needs the mosquitto program")
    process = mosquitto(tmp_path)
    process.start()
    yield process
    process.kill()
