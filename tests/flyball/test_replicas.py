"""Two replicas on one database: one leads, the other takes over when it dies or stalls."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from controlplane import conventions
from tests.alerts.notifications import alert, body
from tests.flyball.processes import Process, flyball_up
from tests.flyball.running import BEARER, eventually


def metric(process: Process, series: str) -> float:
    for line in httpx.get(f"{process.url}/metrics", timeout=10).text.splitlines():
        if line.startswith(f"{series} "):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"{series} is not shown")


def leads(process: Process) -> bool:
    return metric(process, conventions.LEADER) == 1


def runs(process: Process, outcome: str) -> float:
    return metric(process, f'{conventions.JOB_RUNS}{{outcome="{outcome}",task="delivery"}}')


def send(process: Process, number: int) -> None:
    answer = httpx.post(f"{process.url}/hooks/alertmanager", content=body(alert(number)), headers=BEARER, timeout=10)
    assert answer.status_code == 200


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_follower_takes_over_from_a_leader_that_died_or_stalled(
    tmp_path: Path, postgresql_url: str, blow: signal.Signals
) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    database = {"FLYBALL_DATABASE_URL": postgresql_url}
    with flyball_up(workspace, name="a", **database) as first:
        eventually(lambda: leads(first))
        with flyball_up(workspace, name="b", **database) as second:
            eventually(lambda: runs(second, "skipped") >= 2)
            assert not leads(second)
            send(second, 1)  # a follower takes alerts in, the leader tells them
            eventually(lambda: "slo=checkout-1" in first.out.read_text())
            epoch = metric(first, conventions.LEASE_EPOCH)
            os.kill(first.child.pid, blow)
            eventually(lambda: leads(second))
            assert metric(second, conventions.LEASE_EPOCH) > epoch
            send(second, 2)
            eventually(lambda: "slo=checkout-2" in second.out.read_text())
            if blow == signal.SIGSTOP:
                told = first.out.read_text()
                os.kill(first.child.pid, signal.SIGCONT)
                eventually(lambda: first.logged("leadership.lost"))
                assert not leads(first)
                send(first, 3)
                eventually(lambda: "slo=checkout-3" in second.out.read_text())
                assert first.out.read_text() == told


def test_a_leader_that_ends_in_order_hands_over_at_once_and_exits_0(tmp_path: Path, postgresql_url: str) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    environ = {"FLYBALL_DATABASE_URL": postgresql_url, "FLYBALL_LEASE_SECONDS": "30"}
    with flyball_up(workspace, name="a", **environ) as first:
        eventually(lambda: leads(first))
        with flyball_up(workspace, name="b", **environ) as second:
            assert not leads(second)
            first.child.terminate()
            assert first.child.wait(30) == 0
            assert first.logged("leadership.released")
            eventually(lambda: leads(second), patience_seconds=25)  # long before 30 s: it asks every 10 s
