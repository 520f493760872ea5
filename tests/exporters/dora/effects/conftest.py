"""A store in a file: that both databases keep effects is tested where the store is."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store import SqlStore, open_store


@pytest.fixture
def store(dora_file: Path, tmp_path: Path) -> Iterator[SqlStore]:
    """With our tables and nothing in them."""
    shutil.copyfile(dora_file, tmp_path / "state.db")
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()
