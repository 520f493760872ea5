"""`flyball runbooks` with a leader in a thread: dry and for real, on a flag of a real file."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.runbooks.adapters.flag import FlagSteps
from alerts.runbooks.daemon import RunbookDaemon
from alerts.runbooks.model import StepKind
from controlplane.adapters.clock import SystemClock
from controlplane.ports import Permanent
from finops.flags.declared import declared as stores_of
from finops.flags.kinds import KINDS
from flyball.alerting.runbook_flags import flags_by_store
from flyball.alerting.switchboard import LadderSwitchboard
from flyball.cli import ExitCode, incidents, runbooks
from flyball.cli.declared import values_or_exit
from flyball.cli.incidents.opening import declared_in
from flyball.ladder.stores import DeclaredStores
from flyball.leadership import LEASE_NAME
from tests.contracts.storing import until
from tests.flyball.alerting.workspaces import Workspace, workspace

_RUNBOOKS = """\
apiVersion: flyball.dev/v1
kind: Runbook
metadata: {name: heavy-reads}
spec:
  title: Reads are slow
  url: https://runbooks.example.com/heavy-reads
  steps:
    - name: serve from cache
      flag: {store: platform, flag: reads-from-cache, value: true}
---
apiVersion: flyball.dev/v1
kind: FlagStore
metadata: {name: platform, annotations: {flyball.dev/owner: platform-team}}
spec:
  flagd: {file: flags.json}
  flags: [{name: reads-from-cache}, {name: graph-depth, type: integer, normal: 4}]
"""
_OFF = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        made.write("runbooks.yaml", _RUNBOOKS)
        made.write("flags.json", json.dumps({"flags": {"reads-from-cache": _OFF}}))
        yield made


def board(shop: Workspace) -> LadderSwitchboard:
    stores = values_or_exit(shop.folder, stores_of, KINDS)
    return LadderSwitchboard(DeclaredStores(lambda: stores, shop.folder, SystemClock()), lambda: "id")


@contextmanager
def leading(shop: Workspace) -> Iterator[None]:
    """Somebody leads and carries runs out."""
    clock, done = SystemClock(), threading.Event()
    declared = declared_in(shop.folder)
    steps = {StepKind.FLAG: FlagSteps(board(shop))}
    daemon = RunbookDaemon(shop.store, lambda: declared, steps, clock=clock)
    shop.store.leases.acquire(LEASE_NAME, "tester", timedelta(minutes=5))

    def lead() -> None:
        while not done.wait(0.05):
            daemon.run_once(clock.now())

    thread = threading.Thread(target=lead)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def flag(shop: Workspace) -> str:
    return str(json.loads((shop.folder / "flags.json").read_text())["flags"]["reads-from-cache"]["defaultVariant"])


def _goes_on(shop: Workspace) -> bool:
    with shop.store.transaction(read_only=True) as transaction:
        return bool(transaction.follow_up.runs(only_open=True))


def test_a_run_is_dry_unless_it_is_meant_and_waits_for_who_approves(shop: Workspace) -> None:
    here = str(shop.folder)
    with leading(shop):
        code, output = shop.run(runbooks.app, "run", "heavy-reads", here)
        assert code == ExitCode.OK
        assert "not done in a dry run: set reads-from-cache in platform from false to true" in output
        assert flag(shop) == "off"
        data = shop.data(runbooks.app, "run", "heavy-reads", here, "--for-real", "--by", "ann")
        assert (data["state"], data["waits_for_step"]) == ("waiting", 1)
        assert flag(shop) == "off"
        assert shop.run(runbooks.app, "approve", data["run"], "2", here)[0] == ExitCode.PROBLEMS
        code, output = shop.run(runbooks.app, "approve", data["run"], "1", here, "--by", "ben")
        assert (code, output) == (ExitCode.OK, "Approved: step 1 of heavy-reads\n")
        until(lambda: flag(shop) == "on" and not _goes_on(shop))
    found = shop.data(runbooks.app, "runs", data["run"], here)
    assert found["state"] == "done"
    assert found["steps"][0]["approved_by"] == "ben"
    assert found["steps"][0]["text"] == "reads-from-cache in platform was false and is true, read back"
    assert flag(shop) == "on"
    code, output = shop.run(runbooks.app, "runs", "", here)
    assert [line.split("  ")[2:4] for line in output.splitlines()] == [
        ["heavy-reads", "it is done"], ["heavy-reads (dry run)", "it is done"]
    ]  # fmt: skip


def test_runs_name_the_incident_that_they_are_for(shop: Workspace) -> None:
    here = str(shop.folder)
    opened = shop.data(incidents.app, "declare", "Reads are slow", here)
    shop.run(runbooks.app, "run", "heavy-reads", here, "--incident", opened["name"], "--no-wait")
    _, output = shop.run(runbooks.app, "runs", "", here)
    assert "  INC-1  " in output
    assert opened["id"] not in output


def test_a_run_can_be_stopped_and_says_so(shop: Workspace) -> None:
    here = str(shop.folder)
    data = shop.data(runbooks.app, "run", "heavy-reads", here, "--for-real", "--no-wait")
    code, output = shop.run(runbooks.app, "stop", data["run"], here, "--why", "it recovered", "--by", "ann")
    assert (code, output) == (ExitCode.OK, "heavy-reads: it was cancelled\n")
    code, output = shop.run(runbooks.app, "stop", data["run"], here)
    assert code == ExitCode.PROBLEMS
    assert "is over: it was cancelled" in output


def test_runbooks_are_listed_and_shown(shop: Workspace) -> None:
    here = str(shop.folder)
    from typer.testing import CliRunner

    listed = CliRunner().invoke(runbooks.app, ["list", here])
    assert listed.output == "heavy-reads  1 step  Reads are slow\n"
    shown = CliRunner().invoke(runbooks.app, ["show", "heavy-reads", here])
    assert shown.output.splitlines() == [
        "heavy-reads: Reads are slow",
        "  https://runbooks.example.com/heavy-reads",
        "",
        "1. serve from cache: set reads-from-cache in platform to true",
        "  somebody approves it each time, 30 s at most",
    ]
    assert CliRunner().invoke(runbooks.app, ["show", "heavy", here]).exit_code == ExitCode.PROBLEMS


def test_only_flags_on_the_allow_list_are_changed_and_only_to_values_that_they_take(shop: Workspace) -> None:
    switches = board(shop)
    assert switches.read("platform", "reads-from-cache") == "false"
    for store, name, value in (
        ("other", "reads-from-cache", "true"), ("platform", "new", "true"), ("platform", "reads-from-cache", "yes"),
        ("platform", "graph-depth", "3"),
    ):  # fmt: skip
        with pytest.raises(Permanent):
            switches.write(store, name, value)
    assert flag(shop) == "off"
    switches.write("platform", "reads-from-cache", "true")
    assert flag(shop) == "on"
    assert switches.read("platform", "reads-from-cache") == "true"


def test_which_values_flags_take_is_known_before_a_runbook_runs(shop: Workspace) -> None:
    known = flags_by_store(values_or_exit(shop.folder, stores_of, KINDS))["platform"]
    assert known["reads-from-cache"]("true") == known["graph-depth"]("3") == ""
    assert known["reads-from-cache"]("yes") == "the flag `reads-from-cache` takes true or false, not `yes`"
    assert known["graph-depth"]("deep") == "the flag `graph-depth` takes a whole number, not `deep`"
