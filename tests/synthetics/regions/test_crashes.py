"""No result is lost and none counted twice: over a network that fails, and when both sides are killed."""

import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest

from controlplane.model.check import ReportHead
from controlplane.store import SqlStore
from synthetics.regions.intake import StoreDelivery
from synthetics.regions.ports import Delivered, Fate
from synthetics.regions.reporting import Reporter
from synthetics.regions.spool import Bounds
from tests.conftest import ROOT
from tests.contracts.checking import NOON, result
from tests.synthetics.regions.reporting import AT_ONCE, spool

SECONDS = timedelta(seconds=1)


def campaign(folder: Path, seed: int, rounds: int) -> None:
    command = [sys.executable, "-m", "tests.synthetics.regions.campaign", str(folder), str(seed), str(rounds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found = orjson.loads(done.stdout)
    assert found["noted"] > rounds
    assert found["lost"] == 0
    assert found["stored"] == found["counted"] == found["hours"]
    assert found["stored"] - found["noted"] <= rounds  # killed between putting a result on file and noting it


def test_killing_prober_and_control_plane_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    campaign(tmp_path, seed=5, rounds=4)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_hundreds_of_kills_lose_nothing_and_count_nothing_twice(tmp_path: Path, seed: int) -> None:
    campaign(tmp_path, seed, rounds=60)


class Lossy:
    """A network that loses reports, and answers."""

    def __init__(self, store: SqlStore, chance: random.Random) -> None:
        self._delivery = StoreDelivery(store)
        self._chance = chance
        self.is_cut = False

    def deliver(self, head: ReportHead, rendered: Sequence[bytes], now: datetime) -> Delivered:
        fate = 0.0 if self.is_cut else self._chance.random()
        if fate < 0.3:
            return Delivered(Fate.AGAIN, "lost on the way")
        answer = self._delivery.deliver(head, rendered, now)
        return answer if fate > 0.6 else Delivered(Fate.AGAIN, "the answer was lost")


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 30))])
def test_a_prober_cut_off_for_an_hour_loses_nothing_and_counts_nothing_twice(
    store: SqlStore, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    network = Lossy(store, chance)
    one = spool(tmp_path, bounds=Bounds(batch_results=50))
    put, due, name = 0, NOON, "p0"
    sender = Reporter(one, network, region="eu", prober=name, version="1", chance=chance.random)
    for second in range(0, 5400, 20):
        now = NOON + second * SECONDS
        network.is_cut = 600 <= second < 4200
        for check in range(2):
            one.put(result(second, check=f"c{check}"))
            put += 1
        if chance.random() < 0.02:  # it starts anew, and knows what it was about to send
            one.close()
            name = f"p{second}"
            one = spool(tmp_path, prober=name, bounds=Bounds(batch_results=50))
            sender = Reporter(one, network, region="eu", prober=name, version="1", chance=chance.random)
        while now >= due:
            due = now + max(sender.turn(now), SECONDS)
    while one.waiting or sender.turn(due) == AT_ONCE:
        sender.turn(due)
    with store.transaction(read_only=True) as transaction:
        hours = transaction.checks.hours(NOON - timedelta(hours=1), NOON + timedelta(hours=2))
        assert [hour.ok for hour in hours] == [180, 180, 90, 90]  # 2 checks, 3 runs a minute, from 12:00:00 on
        assert sum(total.ok for total in transaction.checks.totals()) == put == 540
    assert one.figures().dropped == 0
