"""`flyball alerts why`, `replay` and `drill`: what they print, and their exit status."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.incidents.desk import Desk
from alerts.incidents.keeping import Keeper
from alerts.intake import Intake
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from flyball.cli import ExitCode
from flyball.cli.alerts_drill import drill
from flyball.cli.alerts_replay import replay
from flyball.cli.alerts_why import why
from flyball.cli.incidents.opening import declared_in
from tests.flyball.alerting.workspaces import PEOPLE, Workspace, workspace

HOUR = timedelta(hours=1)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        yield made


def fired(shop: Workspace, fingerprint: str = "f1", severity: str = "page") -> None:
    """An alert reached us an hour ago and ended."""
    now = datetime.now(UTC)
    labels = {"alertname": "Down", "service": "gateway", "severity": severity}
    declared = declared_in(shop.folder)
    intake = Intake(shop.store, Keeper(lambda: declared, read_time=lambda _, at: at))
    for status, at in ((AlertStatus.FIRING, now - HOUR), (AlertStatus.RESOLVED, now - HOUR / 2)):
        ends = now - HOUR / 2 if status is AlertStatus.RESOLVED else None
        alert = Alert(fingerprint, now - HOUR, status, labels, {"summary": "it is down"}, ends)
        intake.receive(AlertNotification("g", "pages", status, (alert,)), at)


def test_why_says_who_was_told_and_by_which_route(shop: Workspace) -> None:
    fired(shop)
    code, output = shop.run(why, "INC-1", str(shop.folder))
    assert code == ExitCode.OK
    assert output.startswith("Nobody was told yet: 1 message waits: nobody delivers now\n")
    assert 'pages matches: severity="page"' in output
    data = shop.data(why, "f1", str(shop.folder))
    assert data["incident"]["receivers"] == ["sre-page"]
    assert data["alerts"][0]["delivered"][0]["route"] == "pages"


def test_why_says_what_to_do_about_a_name_that_nothing_has(shop: Workspace) -> None:
    code, output = shop.run(why, "INC-9", str(shop.folder))
    assert code == ExitCode.PROBLEMS
    assert "there is no `INC-9`" in output
    assert "flyball alerts replay" in output


def test_mistakes_in_files_keep_nobody_from_asking_why(shop: Workspace) -> None:
    fired(shop)
    shop.write("broken.yaml", "kind: Route\n")
    code, output = shop.run(why, "INC-1", str(shop.folder))
    assert code == ExitCode.OK
    assert "have mistakes: routes are shown as far as they can be read" in output
    assert 'pages matches: severity="page"' in output
    words = (str(shop.folder), "--since", "1d", "--no-prometheus")
    assert shop.run(replay, *words)[0] == ExitCode.PROBLEMS


def test_replay_shows_what_a_proposed_workspace_would_change(shop: Workspace) -> None:
    fired(shop)
    proposed = shop.folder / ".proposed"
    proposed.mkdir()
    (proposed / "people.yaml").write_text(PEOPLE.replace('severity="page"', 'severity="p0"'))
    words = (str(shop.folder), "--since", "1d", "--no-prometheus")
    code, output = shop.run(replay, *words, "--with", str(proposed))
    assert code == ExitCode.OK
    assert "1 alert, 1 that reached us and 0 that only Prometheus knows of" in output
    assert "− " in output
    data = shop.data(replay, *words, "--with", str(proposed))
    (change,) = data["changes"]
    assert [each["receiver"] for each in change["lost"]] == ["sre-page"]
    assert [each["by"] for each in change["gained"]] == []
    assert data["now"]["told"] == {"chat": 1, "sre-page": 1}
    assert data["then"]["told"] == {"chat": 1}
    assert change["moved"][0]["then"]["by"] == "route default"


def test_replay_says_why_somebody_was_not_told(shop: Workspace) -> None:
    fired(shop, severity="ticket")
    words = (str(shop.folder), "--since", "1d", "--no-prometheus", "--receiver")
    code, output = shop.run(replay, *words, "sre-page")
    assert code == ExitCode.OK
    assert "Not told to sre-page" in output
    assert "told chat by route default" in output
    code, output = shop.run(replay, *words, "nobody")
    assert code == ExitCode.PROBLEMS
    assert "no Receiver is named `nobody`: there is chat, sre-page" in output


def test_replay_needs_prometheus_unless_told_otherwise(shop: Workspace) -> None:
    code, output = shop.run(replay, str(shop.folder), "--prometheus-url", "http://127.0.0.1:1")
    assert code == ExitCode.OUTSIDE
    assert "--no-prometheus leaves out what only it knows" in output


def test_a_drill_is_held_only_when_somebody_means_it(shop: Workspace) -> None:
    code, output = shop.run(drill, str(shop.folder))
    assert code == 2
    assert "say --yes, or --dry-run" in output
    code, output = shop.run(drill, str(shop.folder), "--dry-run")
    assert (code, output) == (ExitCode.OK, "chat  p0, step 1: console:log\n")
    assert shop.run(drill, str(shop.folder), "--receiver", "leo", "--yes")[0] == ExitCode.PROBLEMS


def test_a_drill_measures_who_acknowledges_and_fails_when_somebody_does_not(shop: Workspace) -> None:
    declared = declared_in(shop.folder)
    desk = Desk(shop.store, lambda: declared, lambda: "x")

    def answer() -> None:
        for _ in range(500):
            with shop.store.transaction(read_only=True) as transaction:
                found = transaction.incidents.open()
            if found:
                desk.acknowledge(found[0].id, by="leo", via="cli", now=datetime.now(UTC))
                return
            time.sleep(0.02)

    thread = threading.Thread(target=answer)
    thread.start()
    data = shop.data(drill, str(shop.folder), "--receiver", "chat", "--wait", "30s", "--yes")
    thread.join()
    assert data["all"] is True
    assert data["answers"][0]["acknowledged_by"] == "leo"
    data = shop.data(drill, str(shop.folder), "--receiver", "chat", "--wait", "1s", "--yes", code=ExitCode.PROBLEMS)
    assert data["all"] is False
    with shop.store.transaction(read_only=True) as transaction:
        assert transaction.incidents.open() == []
