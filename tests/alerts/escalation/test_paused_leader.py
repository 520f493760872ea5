"""Two processes on one PostgreSQL database; the one that leads is stopped for a minute, and goes on."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.incidents.writing import database_time
from controlplane.model.incident import DueStep
from controlplane.store import SqlStore, migrate, open_store
from tests.alerts.escalation.bench import Bench
from tests.conftest import ROOT

PAUSE_SECONDS = 60
LEASE_SECONDS = 10
STEPS = (0, 5, 20, 40, 65, 75)


@contextmanager
def replica(url: str, name: str, out: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with out.open("wb") as file:
        command = [sys.executable, "-m", "tests.alerts.escalation.replica", url, name, str(LEASE_SECONDS)]
        child = subprocess.Popen(command, stdout=file, cwd=ROOT)
        try:
            yield child
        finally:
            child.kill()
            child.wait()


def said(out: Path, event: str = "") -> list[dict[str, Any]]:
    found = [json.loads(line) for line in out.read_text().split("\n")[:-1]]
    return [each for each in found if event in ("", each["event"])]


def wait_for(is_so: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def put_steps(store: SqlStore) -> tuple[str, datetime]:
    """An incident with a step every few seconds."""
    made = Bench(store)
    incident = made.open("")
    with store.transaction() as transaction:
        at = database_time(transaction, made.clock.now())
        transaction.incidents.put_steps(
            [
                DueStep(incident.id, "p0", 0, number, at + timedelta(seconds=seconds), ("receiver:exec",))
                for number, seconds in enumerate(STEPS)
            ]
        )
    return incident.id, at


@pytest.mark.soak
@pytest.mark.parametrize("blow", [signal.SIGSTOP, signal.SIGUSR1], ids=["between transactions", "within one"])
def test_the_other_takes_over_and_the_old_leader_writes_nothing(
    tmp_path: Path, postgresql_url: str, blow: signal.Signals
) -> None:
    migrate(postgresql_url)
    store = open_store(postgresql_url)
    first, second = tmp_path / "first", tmp_path / "second"
    with replica(postgresql_url, "first", first) as old:
        wait_for(lambda: said(first, "leads"), 30)
        incident, opened_at = put_steps(store)
        with replica(postgresql_url, "second", second):
            wait_for(lambda: said(first, "fired"), 20)
            with store.transaction(read_only=True) as transaction:
                paused_at = transaction.database_time()
            old.send_signal(blow)
            wait_for(lambda: said(second, "leads"), PAUSE_SECONDS)
            taken_over = datetime.fromisoformat(said(second, "leads")[0]["at"]) - paused_at
            print(f"\ntakeover after {taken_over.total_seconds():.1f} s")
            time.sleep(max(0.0, PAUSE_SECONDS - taken_over.total_seconds()))
            before = said(first)
            old.send_signal(signal.SIGCONT)
            wait_for(lambda: any(each["event"] == "lost" for each in said(first)[len(before) :]), 30)
            wait_for(lambda: len(said(first, "fired") + said(second, "fired")) == len(STEPS), 60)
            after = said(first)[len(before) :]
    assert all(each["event"] in ("lost", "failed") for each in after), after
    with store.transaction(read_only=True) as transaction:
        steps = transaction.incidents.steps_of(incident)
    fired = {each["step"]: each["at"] for out in (first, second) for each in said(out) if each["event"] == "fired"}
    assert {each.step: str(each.fired_at) for each in steps} == fired  # nobody wrote what it did not say
    late = [each.fired_at - each.due_at for each in steps if each.fired_at is not None]
    print("late by", [round(each.total_seconds(), 1) for each in late], "opened", opened_at)
    assert max(late) < timedelta(seconds=20)
    assert taken_over <= timedelta(seconds=15)
    store.close()
