"""A store in a file (that both databases keep effects is tested where the store is), and a real Prometheus."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.adapters.remote_write import RemoteWriter
from controlplane.store import SqlStore, open_store
from flyball.demo import servers
from tests.exporters.dora.effects.recorded import Truth, recording


@pytest.fixture
def store(dora_file: Path, tmp_path: Path) -> Iterator[SqlStore]:
    """With our tables and nothing in them."""
    shutil.copyfile(dora_file, tmp_path / "state.db")
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Truth]]:
    """The address of a Prometheus that holds a recording, and what that hides."""
    series, truth = recording()
    with servers.prometheus(tmp_path_factory.mktemp("prometheus"), block_duration="31d") as running:
        with RemoteWriter(running.url) as writer:
            writer.write(series)
        yield running.url, truth
