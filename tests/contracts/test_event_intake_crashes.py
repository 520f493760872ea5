"""kill -9 while delivery events are taken in, made into facts and measured: nothing is lost, nothing counts twice."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import delivery_names as names
from controlplane.model.delivery import EventQuery
from controlplane.store import SqlStore
from tests.contracts.crashing_intake import BATCHES, START, week_of, work

ROOT = Path(__file__).resolve().parents[2]
STEPS = 90  # of a whole week
SEED = 20261201


@pytest.fixture(scope="module")
def intakes() -> Iterator["subprocess.Popen[str]"]:
    """What starts intakes."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "tests/contracts/crashing_intake.py"], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    yield process
    process.communicate()
    assert process.returncode == 0


def _crash(intakes: "subprocess.Popen[str]", url: str, week: int, chance: random.Random) -> int:
    """Run an intake until it is killed; how many batches it had acknowledged."""
    die_at = -1 if chance.random() < 0.4 else chance.randrange(STEPS)
    assert intakes.stdin is not None
    assert intakes.stdout is not None
    intakes.stdin.write(f"{url} {week} {die_at} {chance.uniform(0, 0.3)}\n")  # to hit it anywhere
    intakes.stdin.flush()
    status, *acknowledged = intakes.stdout.readline().split()
    assert status in ("-9", "0")
    return len(acknowledged)


def _ids(store: SqlStore, week: int) -> set[str]:
    with store.transaction(read_only=True) as transaction:
        found = transaction.delivery.find_events(EventQuery(limit=100_000))
    kept = [each.event.id for each in found if each.event.id.startswith(f"e{week}-")]
    assert len(kept) == len(set(kept))
    return set(kept)


def _check_taken(store: SqlStore, week: int, acknowledged: int) -> None:
    """Batches are there whole or not at all, and all that were acknowledged."""
    batches = [{str(event["id"]) for event in batch} for batch in week_of(week)]
    whole = [set().union(*batches[:count]) for count in range(BATCHES + 1)]
    assert _ids(store, week) in whole[acknowledged:]


def _check_measured(store: SqlStore, week: int) -> None:
    """Every deployment and incident of all weeks is a fact, and counts once."""
    sent = {event["id"]: event["type"] for number in range(week + 1) for batch in week_of(number) for event in batch}
    deployed = sum("deployed" in type_ for type_ in sent.values())
    with store.transaction(read_only=True) as transaction:
        facts = transaction.delivery.deployments_between(START, START.replace(year=2027))
        incidents = transaction.delivery.incidents_between(START, START.replace(year=2027))
        counters = transaction.delivery.counters()
        assert transaction.delivery.count_stale() == 0
    assert (len(facts), len(incidents)) == (deployed, len(sent) - deployed)
    assert sum(row.value for row in counters if row.name == names.DEPLOYMENTS) == deployed
    assert sum(row.value for row in counters if row.name == names.INCIDENTS) == len(incidents)


def _campaign(store: SqlStore, url: str, intakes: "subprocess.Popen[str]", crashes: int) -> None:
    chance = random.Random(SEED)
    done_before_the_end = 0
    for week in range(crashes):
        acknowledged = _crash(intakes, url, week, chance)
        _check_taken(store, week, acknowledged)
        done_before_the_end += acknowledged == BATCHES
        work(store, week)  # whoever is told nothing sends it again
        _check_measured(store, week)
    assert done_before_the_end < crashes


def test_a_killed_intake_loses_nothing_and_counts_nothing_twice(
    store: SqlStore, migrated_url: str, intakes: "subprocess.Popen[str]"
) -> None:
    _campaign(store, migrated_url, intakes, 4 if "sqlite" in migrated_url else 2)


@pytest.mark.soak
def test_hundreds_of_killed_intakes_lose_nothing_and_count_nothing_twice(
    store: SqlStore, migrated_url: str, intakes: "subprocess.Popen[str]"
) -> None:
    _campaign(store, migrated_url, intakes, 40)
