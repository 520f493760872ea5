"""A store in a fresh file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store import SqlStore, migrate, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """SQLite, migrated."""
    url = f"sqlite:///{tmp_path}/state.db"
    migrate(url)
    opened = open_store(url)
    yield opened
    opened.close()
