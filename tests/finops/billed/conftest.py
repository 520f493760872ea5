from pathlib import Path

import pytest

from tests.finops.billed.focus import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty ledger."""
    return Ledger(tmp_path / "cost-ledger")
