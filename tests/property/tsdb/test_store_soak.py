"""The store's state machines for longer than `make test` has time for."""

import pytest
from hypothesis import settings
from tests.property.test_store_crash import StoreSurvives
from tests.property.test_store_model import StoreIsADict

LONG = settings(max_examples=1000)


@pytest.mark.slow
@pytest.mark.timeout(3600)
class TestStoreSurvivesLong(StoreSurvives.TestCase):
    """Faults, kills and power cuts."""

    settings = LONG


@pytest.mark.slow
@pytest.mark.timeout(3600)
class TestStoreIsADictLong(StoreIsADict.TestCase):
    """Against a dictionary."""

    settings = LONG
