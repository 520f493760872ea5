"""A house with lanes: a store, what is declared, and providers that fail on command, on a simulated clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.delivery.house import House
from tests.alerts.kept_store import kept_store


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with kept_store(tmp_path) as store:
        it = House(store)
        yield it
        it.lanes.close()
