"""kill -9 while delivery events are taken in, folded and measured: nothing is lost, and nothing counts twice."""

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from controlplane.model.delivery import EventQuery
from controlplane.store import SqlStore, migrate, open_store
from exporters.events.entities import kind_and_key
from tests.exporters.events.mortal import BATCHES, Life, Run, line_of, live, run_of
from tests.exporters.events.sent import NOW

ROOT = Path(__file__).resolve().parents[3]
SEED = int(os.environ.get("CRASH_SEED", "20261201"))
SAMPLE = 3
RUNS = int(os.environ.get("CRASH_RUNS", "200"))
STEPS = 160  # about those of a run
IN_MEMORY = next((each for each in (Path("/dev/shm"),) if each.is_dir()), None)  # a kill takes nothing from the disk


@pytest.fixture(scope="module")
def forker() -> Iterator["subprocess.Popen[str]"]:
    """What lives are started by."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "tests/exporters/events/mortal.py"], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    yield process
    process.communicate()
    assert process.returncode == 0


@pytest.fixture
def crashed_postgresql_url(postgresql_server: str) -> str:
    """A database for processes that die."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE event_crashes")
    return postgresql_server.replace("/postgres", "/event_crashes")


def _lived(forker: "subprocess.Popen[str]", life: Life) -> tuple[bool, int]:
    """Whether it was killed, and how many batches it acknowledged."""
    assert forker.stdin is not None
    assert forker.stdout is not None
    forker.stdin.write(line_of(life))
    forker.stdin.flush()
    status, acknowledged = forker.stdout.readline().split()
    assert status in ("-9", "0")
    return status == "-9", int(acknowledged)


def _check_taken(store: SqlStore, run: Run, acknowledged: int) -> None:
    """Batches are there whole or not at all, each event once, and all that were acknowledged."""
    with store.transaction(read_only=True) as transaction:
        stored = transaction.delivery.find_events(EventQuery(source=run.source, limit=10_000))
    names = Counter(each.event.id for each in stored)
    assert set(names.values()) <= {1}
    whole = [set[str]().union(*(run.names(batch) for batch in range(count))) for count in range(BATCHES + 1)]
    assert set(names) in whole[acknowledged : acknowledged + 2]


def _state(store: SqlStore, run: Run) -> dict[str, Any]:
    """All that is known of a run's service."""
    with store.transaction(read_only=True) as transaction:
        delivery = transaction.delivery
        stored = delivery.find_events(EventQuery(source=run.source, limit=10_000))
        keys = [kind_and_key(each.event.entity)[1] for each in stored]
        first, last = NOW - timedelta(days=400), NOW + timedelta(days=1)
        return {
            "events": sorted((each.event.id, each.event.digest) for each in stored),
            "deployments": delivery.deployments_between(first, last, service=run.service),
            "changes": delivery.changes(keys),
            "incidents": delivery.incidents_between(first, last, service=run.service),
            "sheets": delivery.sheets(first.date(), last.date(), service=run.service),
            "counters": [each for each in delivery.counters() if each.service == run.service],
            "stale": [each for each in delivery.stale(10_000) if each.service == run.service],
        }


def _told(store: SqlStore) -> list[tuple[str, str, str]]:
    with store.transaction(read_only=True) as transaction:
        events = [each.event for each in transaction.events.after(0, 100_000)]
    return sorted((each.id, each.kind, each.subject) for each in events)


def _campaign(store: SqlStore, url: str, undisturbed: SqlStore, forker: "subprocess.Popen[str]", runs: int) -> None:
    chance = random.Random(SEED)
    killed = 0
    for number in range(runs):
        run, acknowledged = run_of(number), 0
        for _ in range(chance.randint(1, 4)):
            from_outside = chance.random() < 0.2
            die_at = -1 if from_outside else chance.randrange(STEPS)
            was_killed, more = _lived(forker, Life(url, number, acknowledged, die_at, chance.uniform(0, 0.3)))
            acknowledged += more
            killed += was_killed
            _check_taken(store, run, acknowledged)
        live(store, run, acknowledged)
        live(undisturbed, run)
        assert _state(store, run) == _state(undisturbed, run)
    assert _told(store) == _told(undisturbed)
    assert killed >= runs


def test_a_killed_intake_keeps_every_acknowledged_event_once_and_counts_exactly(
    tmp_path: Path, forker: "subprocess.Popen[str]"
) -> None:
    _on(f"sqlite:///{tmp_path}/state.db", tmp_path, forker, SAMPLE)


@pytest.mark.soak
def test_hundreds_of_killed_intakes_on_sqlite(forker: "subprocess.Popen[str]") -> None:
    with TemporaryDirectory(dir=IN_MEMORY) as folder:
        _on(f"sqlite:///{folder}/state.db", Path(folder), forker, RUNS)


@pytest.mark.soak
def test_hundreds_of_killed_intakes_on_postgresql(
    crashed_postgresql_url: str, tmp_path: Path, forker: "subprocess.Popen[str]"
) -> None:
    _on(crashed_postgresql_url, tmp_path, forker, RUNS)


def _on(url: str, folder: Path, forker: "subprocess.Popen[str]", runs: int) -> None:
    reference = f"sqlite:///{folder}/undisturbed.db"
    stores = []
    for each in (url, reference):
        migrate(each)
        stores.append(open_store(each))
    _campaign(stores[0], url, stores[1], forker, runs)
    for store in stores:
        store.close()
