"""kill -9 anywhere between the receipt of an alert and its delivery: no page is lost, and none is told twice."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from controlplane.store import SqlStore, migrate, open_store
from tests.alerts.delivery.campaign import Campaign
from tests.alerts.kept_store import kept_store

SEED = int(os.environ.get("CRASH_SEED", "20261201"))
SAMPLE = 8
IN_MEMORY = next((each for each in (Path("/dev/shm"),) if each.is_dir()), None)  # a kill takes nothing from the disk
RUNS = int(os.environ.get("CRASH_RUNS", "1000"))


def campaign(store: SqlStore, url: str, runs: int) -> Campaign:
    it = Campaign(store, url, SEED)
    it.go(runs)
    print(dict(it.figures), dict(it.died_in), it.lengths)
    assert it.figures["killed"] >= runs / 2
    return it


@pytest.fixture
def crashed_postgresql_url(postgresql_server: str) -> str:
    """A database for processes that die."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE delivery_crashes")
    url = postgresql_server.replace("/postgres", "/delivery_crashes")
    migrate(url)
    return url


def test_no_page_is_lost_and_none_is_told_twice_whenever_we_are_killed(tmp_path: Path) -> None:
    with kept_store(tmp_path) as store:
        campaign(store, f"sqlite:///{tmp_path}/state.db", SAMPLE)


@pytest.mark.soak
def test_a_thousand_deaths_on_sqlite() -> None:
    with TemporaryDirectory(dir=IN_MEMORY) as folder, kept_store(Path(folder)) as store:
        it = campaign(store, f"sqlite:///{folder}/state.db", RUNS)
    assert it.figures["killed"] >= RUNS * 2 / 3


@pytest.mark.soak
def test_a_thousand_deaths_on_postgresql(crashed_postgresql_url: str) -> None:
    store = open_store(crashed_postgresql_url)
    it = campaign(store, crashed_postgresql_url, RUNS)
    store.close()
    assert it.figures["killed"] >= RUNS * 2 / 3
