"""A prober and a control plane, both killed at random moments; run as a program, which forks them.

    python -m tests.synthetics.regions.campaign FOLDER SEED ROUNDS

Prints, as JSON, how many results the prober put on file, how many are stored, and how many were counted.
"""

import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from controlplane.model.check import CheckKind
from controlplane.store import migrate, open_store
from flyball.demo.servers import free_port
from synthetics.regions.adapters.http_delivery import HttpDelivery
from synthetics.regions.reporting import Reporter, Rhythm
from synthetics.regions.spool import Bounds, Spool
from tests.contracts.checking import result
from tests.synthetics.regions.reporting import TOKEN, Plane, serving

PATIENCE_SECONDS = 60
RHYTHM = Rhythm(every=timedelta(milliseconds=10))
BOUNDS = Bounds(batch_results=7)
LINE_BYTES = len("2026-11-30T12:00:00.123456+00:00\n")


class Real:
    """The clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class Campaign:
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/state.db"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    def serve(self) -> None:
        """The control plane, until it is killed."""
        with serving(Plane(open_store(self.url), clock=Real()).app(), f"127.0.0.1:{self.port}"):  # type: ignore[arg-type]
            signal.pause()

    def probe(self, name: str, *, until_empty: bool) -> None:
        """A prober, until it is killed, or until everything was reported. What is on file is noted afterwards."""
        spool = Spool(self.folder / "eu.db", region="eu", prober=name, bounds=BOUNDS)
        delivery = HttpDelivery(f"http://127.0.0.1:{self.port}", region="eu", token=TOKEN)
        sender = Reporter(
            spool, delivery, region="eu", prober=name, version="1", chance=lambda: 0.0, rhythm=RHYTHM
        )  # fmt: skip
        due = 0.0
        with self.ledger.open("ab", buffering=0) as ledger:
            while not until_empty or spool.waiting:
                if not until_empty:
                    one = result(0, started_at=Real().now(), samples=())
                    spool.put(one)
                    ledger.write(one.started_at.isoformat().encode() + b"\n")
                if time.monotonic() >= due:
                    wait = min(sender.turn(Real().now()), timedelta(milliseconds=50))
                    due = time.monotonic() + wait.total_seconds()
                time.sleep(0.002)


def forked(work: object, *args: object, **how: object) -> int:
    """The process that does it."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work(*args, **how)  # type: ignore[operator]
        code = 0
    finally:
        os._exit(code)


def killed(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def run(folder: Path, seed: int, rounds: int) -> dict[str, int]:
    """Kill the two in turns, then let them finish."""
    one, chance = Campaign(folder, free_port()), random.Random(seed)
    migrate(one.url)
    plane = prober = 0
    for number in range(rounds):
        plane = plane or forked(one.serve)
        prober = prober or forked(one.probe, f"p{number}", until_empty=False)
        _until_noted(one, chance.randint(5, 60))
        if chance.random() < 0.6:
            killed(prober)
            prober = 0
        if chance.random() < 0.5:
            killed(plane)
            plane = 0
    if prober:
        killed(prober)
    plane = plane or forked(one.serve)
    _, status = os.waitpid(forked(one.probe, "last", until_empty=True), 0)
    killed(plane)
    assert status == 0
    return _found(one)


def _until_noted(one: Campaign, more: int) -> None:
    """Wait for so many more results, however long that takes on a busy machine."""
    before = _noted_bytes(one)
    while _noted_bytes(one) < before + more * LINE_BYTES:
        time.sleep(0.003)


def _noted_bytes(one: Campaign) -> int:
    return one.ledger.stat().st_size if one.ledger.exists() else 0


def _found(one: Campaign) -> dict[str, int]:
    lines = one.ledger.read_text().splitlines()
    noted = {datetime.fromisoformat(line) for line in lines}
    store = open_store(one.url)
    with store.transaction(read_only=True) as transaction:
        begin, end = min(noted) - timedelta(hours=1), max(noted) + timedelta(hours=1)
        stored = {each.started_at for each in transaction.checks.between(CheckKind.PROBE, "gateway", begin, end)}
        counted = sum(total.ok for total in transaction.checks.totals())
        hours = sum(hour.ok for hour in transaction.checks.hours(begin - timedelta(hours=1), end))
    store.close()
    return {
        "noted": len(noted), "lost": len(noted - stored), "stored": len(stored), "counted": counted, "hours": hours,
    }  # fmt: skip


if __name__ == "__main__":
    signal.alarm(PATIENCE_SECONDS + 2 * int(sys.argv[3]))
    print(orjson.dumps(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))).decode())
