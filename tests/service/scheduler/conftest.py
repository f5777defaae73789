from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.service.scheduler.scheduler_harness import Harness


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    harness = Harness(tmp_path)
    await harness.start()
    yield harness
    await harness.stop()
