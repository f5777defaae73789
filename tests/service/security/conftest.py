from pathlib import Path

import pytest
from tests.service.security.guarded import Service, make_service


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """One bound to loopback: open, as most people run it."""
    return make_service(tmp_path, loopback=True)


@pytest.fixture
def exposed(tmp_path: Path) -> Service:
    """One that other machines can reach."""
    return make_service(tmp_path, loopback=False)
