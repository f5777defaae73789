from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.service.collector.collector_harness import Harness


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    harness = Harness(tmp_path, MAX_SERIES="2000", MAX_SERIES_PER_SERVICE="1500")
    yield harness
    await harness.http.aclose()
    await harness.collector.stop()
