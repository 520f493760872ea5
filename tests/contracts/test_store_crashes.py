"""kill -9 in the middle of it: what was acknowledged is there, nothing is half there."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from controlplane.store import SqlStore

ROOT = Path(__file__).resolve().parents[2]
STEPS = 6  # of one transaction of the writer
SEED = 20260301


def _crash_once(url: str, first: int, chance: random.Random) -> int:
    """Run a writer until it is killed; the last number that it acknowledged (first - 1 when none)."""
    from_outside = chance.random() < 0.5
    die_at = -1 if from_outside else chance.randrange(3 * STEPS)
    writer = subprocess.Popen(
        [sys.executable, ROOT / "tests/contracts/crashing_writer.py", url, str(first), str(die_at)],
        stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert writer.stdout is not None
    if from_outside:
        lines = [writer.stdout.readline() for _ in range(chance.randrange(1, 4))]
        time.sleep(chance.uniform(0, 0.02))  # to hit it anywhere
        writer.kill()
    else:
        lines = []
    lines += writer.stdout.readlines()
    assert writer.wait() == -9
    complete = [int(line) for line in lines if line.endswith(b"\n")]
    return complete[-1] if complete else first - 1


def _present(store: SqlStore) -> list[str]:
    """The names written, after checking that all four logs agree on them and the chain holds."""
    with store.transaction(read_only=True) as transaction:
        events = [recorded.event.id for recorded in transaction.events.after(0, 1_000_000)]
        assert sorted(stored.alert.fingerprint for stored in transaction.alerts.firing()) == events
        assert [entry.subject for entry in transaction.audit.entries(limit=1_000_000)] == events
        assert transaction.outbox.backlog() == len(events)
        assert transaction.audit.verify() is None
    return events


def _campaign(store: SqlStore, url: str, crashes: int) -> None:
    chance = random.Random(SEED)
    written = 0
    for _ in range(crashes):
        acknowledged = _crash_once(url, written, chance)
        present = _present(store)
        assert present == [f"n{number:06d}" for number in range(len(present))]
        assert acknowledged < len(present) <= acknowledged + 2  # at most one more had committed unacknowledged
        written = len(present)
    assert written > 0


def test_a_killed_writer_leaves_whole_transactions(store: SqlStore, migrated_url: str) -> None:
    _campaign(store, migrated_url, 6 if "sqlite" in migrated_url else 4)


@pytest.mark.soak
def test_hundreds_of_killed_writers_leave_whole_transactions(store: SqlStore, migrated_url: str) -> None:
    _campaign(store, migrated_url, 500)
