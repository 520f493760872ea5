"""`flyball run` and `flyball alerts list`."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from alerts.intake import Intake
from alerts.webhook import parse_webhook
from controlplane.adapters.clock import SystemClock
from controlplane.model.alert import Alert, AlertNotification, AlertStatus, StoredAlert
from controlplane.model.event import Event
from controlplane.store import migrate, open_store
from flyball.cli import app
from flyball.cli import commands as commands
from flyball.cli.alerts import table
from flyball.leadership import LEASE_NAME
from tests.alerts.notifications import alert, body
from tests.flyball.processes import FLYBALL, environment

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def flyball(*arguments: str | Path, **environ: str) -> Result:
    """What the command does, in this process: a process of its own takes a second to import everything."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment(**environ))


def a_process(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([FLYBALL, *arguments], env=environment(), capture_output=True, text=True, timeout=60)


def database(workspace: Path) -> str:
    url = f"sqlite:///{workspace}/.flyball/flyball.db"
    migrate(url)
    return url


def receive(workspace: Path, *notifications: bytes) -> None:
    store = open_store(database(workspace))
    for content in notifications:
        parsed = parse_webhook(content)
        assert isinstance(parsed, AlertNotification)
        Intake(store).receive(parsed, NOW)
    store.close()


def test_one_turn_of_a_job_is_told_as_json(workspace: Path) -> None:
    receive(workspace, body(alert()))
    ran = a_process("run", "delivery", workspace, "--once", "--json")
    assert ran.returncode == 0, ran.stderr
    assert "slo=checkout-1" in ran.stderr
    assert json.loads(ran.stdout) == {
        "job": "delivery",
        "outcome": "ok",
        "error": "",
        "result": {"delivered": 1, "retried": 0, "given_up": 0},
    }


def test_a_job_for_the_leader_is_left_to_the_one_that_leads(workspace: Path) -> None:
    store = open_store(database(workspace))
    assert store.leases.acquire(LEASE_NAME, "other", timedelta(minutes=5))
    store.close()
    ran = flyball("run", "delivery", workspace, "--once")
    assert (ran.exit_code, ran.stdout) == (0, "delivery: skipped: another replica leads\n")


def test_one_turn_gives_the_lease_back(workspace: Path) -> None:
    for _ in range(2):
        assert flyball("run", "tidy", workspace, "--once").stdout == "tidy: ok\n"


def test_tidying_forgets_events_after_the_days_that_are_set(workspace: Path) -> None:
    now = SystemClock().now()
    store = open_store(database(workspace))
    with store.transaction() as transaction:
        for age in (3, 5, 399, 401):
            transaction.events.append(Event(f"e{age}", "k", "s", now, {}), now - timedelta(days=age))
    for days, left in (("", ["e3", "e5", "e399"]), ("4", ["e3"])):
        assert flyball("run", "tidy", workspace, "--once", FLYBALL_EVENT_DAYS=days).exit_code == 0
        with store.transaction(read_only=True) as transaction:
            assert [one.event.id for one in transaction.events.after(0, 10)] == left
    store.close()


def test_an_unknown_job_is_a_usage_error_that_names_them_all(workspace: Path) -> None:
    ran = flyball("run", "slow", workspace)
    assert ran.exit_code == 2
    assert "choose one of files, slo, delivery, lanes, " in " ".join(ran.stderr.split())


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    for command in (["run", "slo"], ["up"], ["alerts", "list"]):
        ran = flyball(*command, tmp_path / "nothing")
        assert ran.exit_code == 1
        assert "is not a folder" in ran.stderr


def test_alerts_are_listed(workspace: Path) -> None:
    receive(workspace, body(alert(1), alert(2)), body(alert(2, "resolved")))
    listed = flyball("alerts", "list", workspace)
    assert listed.exit_code == 0
    header, *lines = listed.stdout.splitlines()
    assert header == "STATE    SEVERITY SINCE            LASTED  ALERT                SLO"
    assert sorted(lines) == [
        "firing   page     2026-01-01 00:00         SLOErrorBudgetBurn   checkout-1",
        "resolved page     2026-01-01 00:00 10m     SLOErrorBudgetBurn   checkout-2",
    ]
    firing = flyball("alerts", "list", workspace, "--firing", "--json")
    (found,) = json.loads(firing.stdout)
    assert (found["labels"]["slo"], found["status"], found["deliveries"]) == ("checkout-1", "firing", 1)


def test_without_alerts_it_says_how_to_get_some(workspace: Path) -> None:
    database(workspace)
    empty = flyball("alerts", "list", workspace)
    assert (empty.exit_code, empty.stdout) == (0, "")
    assert "FLYBALL_WEBHOOK_TOKEN" in empty.stderr
    assert flyball("alerts", "list", workspace, "--firing").stderr == "Nothing fires.\n"
    assert flyball("alerts", "list", workspace, "--json").stdout == "[]\n"


def test_before_the_first_start_it_says_what_makes_the_database(workspace: Path) -> None:
    listed = flyball("alerts", "list", workspace)
    assert listed.exit_code == 3
    assert "`flyball up` makes the database" in listed.stderr


def test_a_table_keeps_to_80_columns_and_shows_no_control_characters() -> None:
    labels = {"alertname": "A" * 100, "slo": "s\x1b[31m" * 50, "severity": "exorbitant"}
    long = Alert("f", NOW, AlertStatus.RESOLVED, labels, {}, NOW + timedelta(days=12, hours=5))
    shown = table([StoredAlert(long, NOW, NOW, 1)])
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "\x1b" not in shown
    assert "12d 5h" in shown
