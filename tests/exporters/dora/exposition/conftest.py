"""One database is enough here: the store's own tests are about both."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def dora_url(dora_file: Path, tmp_path: Path) -> str:
    """The URL of a SQLite database with our tables and nothing in them."""
    shutil.copyfile(dora_file, tmp_path / "state.db")
    return f"sqlite:///{tmp_path}/state.db"
