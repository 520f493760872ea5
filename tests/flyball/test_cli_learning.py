"""`flyball incidents postmortem`, `flyball actions` and `flyball tickets`, as people type them."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from alerts.tickets.adapters.files import FileTracker
from alerts.tickets.daemon import TicketDaemon
from controlplane.store import SqlStore, migrate, open_store
from flyball.cli import actions, tickets
from flyball.cli.incidents_postmortem import postmortem
from tests.alerts.postmortems.stories import NOW, happened
from tests.alerts.tickets.happenings import fires


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("learning") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def folder(empty_database: Path, tmp_path: Path) -> Path:
    (tmp_path / ".flyball").mkdir()
    shutil.copy(empty_database, tmp_path / ".flyball" / "state.db")
    (tmp_path / "flyball.yaml").write_text(
        "apiVersion: flyball.dev/v1\nkind: Workspace\nspec:\n  prometheus: {url: http://127.0.0.1:1}\n"
        f"  store: {{url: 'sqlite:///{tmp_path}/.flyball/state.db'}}\n"
    )
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{folder}/.flyball/state.db")
    yield opened
    opened.close()


def run(app: typer.Typer, *arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def app_of(command: object) -> typer.Typer:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    return app


POSTMORTEM = app_of(postmortem)


def test_a_postmortem_is_printed_as_markdown_or_json(folder: Path, store: SqlStore) -> None:
    happened(store)
    said = run(POSTMORTEM, "INC-2", str(folder))
    assert said.exit_code == 0
    assert said.stdout.startswith("# INC-2: graphql-gateway burns its budget\n")
    data = json.loads(run(POSTMORTEM, "INC-2", str(folder), "--json").stdout)
    assert data["moments"]["time_to_acknowledge_seconds"] == 240


def test_files_are_written_beside_each_other_and_a_page_without_prometheus_says_so(
    folder: Path, store: SqlStore
) -> None:
    happened(store)
    text, page = folder / "out" / "inc-2.md", folder / "out" / "inc-2.html"
    said = run(POSTMORTEM, "INC-2", str(folder), "-o", str(text), "--html", str(page))
    assert said.exit_code == 0
    assert said.stdout == ""
    assert "There are no charts" in said.stderr
    assert "# INC-2" in text.read_text()
    assert "There are no charts" in page.read_text()


def test_what_people_wrote_into_a_draft_is_not_overwritten_unless_they_say_so(folder: Path, store: SqlStore) -> None:
    happened(store)
    text = folder / "inc-2.md"
    text.write_text("what people wrote")
    said = run(POSTMORTEM, "INC-2", str(folder), "-o", str(text))
    assert (said.exit_code, text.read_text()) == (1, "what people wrote")
    assert "--overwrite replaces it" in said.stderr
    assert run(POSTMORTEM, "INC-2", str(folder), "-o", str(text), "--overwrite").exit_code == 0
    assert "# INC-2" in text.read_text()


def test_an_incident_that_is_not_there_is_named(folder: Path) -> None:
    said = run(POSTMORTEM, "INC-9", str(folder))
    assert said.exit_code == 1
    assert "there is no incident 'INC-9': flyball incidents list shows those there are" in said.stderr


def test_actions_are_added_changed_listed_and_ended(folder: Path, store: SqlStore) -> None:
    happened(store)
    where = str(folder)
    made = run(
        actions.app, "add", "INC-2", "Bound the queue", where, "--owner", "ben", "--due", "2999-01-01", "--by", "ann"
    )
    assert made.exit_code == 1
    assert "too far away" in made.stderr
    made = run(actions.app, "add", "INC-2", "Bound the queue", where, "--owner", "ben", "--due", "2099-01-01", "--json")
    assert made.exit_code == 0, made.stderr
    id_ = json.loads(made.stdout)["id"]
    said = run(actions.app, "edit", id_, where, "--owner", "eve", "--by", "ann")
    assert said.stdout == f"{id_} changed: Bound the queue (eve, due 2099-01-01)\n"
    listed = run(actions.app, "list", where).stdout.splitlines()
    assert listed[0].split() == ["ID", "INCIDENT", "DUE", "STATE", "OWNER", "WHAT"]
    assert all(len(row) <= 80 for row in listed)
    assert listed[-1].startswith("3 open")
    assert (
        run(actions.app, "done", id_, where, "--why", "merged", "--by", "eve").stdout
        == f"{id_} done: Bound the queue (eve)\n"
    )
    assert run(actions.app, "drop", id_, where, "--by", "eve").exit_code == 1
    everything = json.loads(run(actions.app, "list", where, "--incident", "INC-2", "--all", "--json").stdout)
    assert {each["title"]: each["state"] for each in everything}["Bound the queue"] == "done"
    assert run(actions.app, "reopen", id_, where).exit_code == 0


def test_overdue_actions_give_an_exit_status_that_a_pipeline_sees(folder: Path, store: SqlStore) -> None:
    assert run(actions.app, "list", str(folder), "--overdue").exit_code == 0
    happened(store)
    said = run(actions.app, "list", str(folder), "--overdue")
    assert said.exit_code == 1
    assert "Add a canary" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("add", "INC-2", "x", "--owner", "ben", "--due", "tomorrow"), "`tomorrow` is not a day"),
        (("add", "INC-2", "x", "--due", "2026-12-15"), "say who does it"),
        (("edit", "a1"), "say what changes"),
    ],
)
def test_what_cannot_be_understood_is_said(arguments: tuple[str, ...], complaint: str) -> None:
    said = run(actions.app, *arguments)
    assert said.exit_code == 2
    assert complaint in " ".join(said.stderr.replace("│", " ").split())


def test_tickets_are_listed_shown_and_closed_with_a_cause(folder: Path, store: SqlStore) -> None:
    happened(store)
    issue = fires(store)
    where = str(folder)
    daemon = TicketDaemon(store, tuple, lambda _: FileTracker(folder / ".flyball" / "tickets"))
    daemon.run_once(NOW + timedelta(hours=1))
    listed = run(tickets.app, "list", where).stdout.splitlines()
    assert listed[0].split() == ["STATE", "TRACKER", "ID", "SINCE", "TITLE"]
    assert any("MC-COST platform" in row for row in listed)
    shown = run(tickets.app, "show", f"cost:{issue}", where).stdout
    assert "https://traces.example/4bf92f35" in shown
    said = run(tickets.app, "close", f"cost:{issue}", where, "--why", "a load test", "--by", "ann")
    assert "closed: MC-COST" in said.stdout
    assert run(tickets.app, "list", where, "--waiting").stdout.count("MC-COST") == 1
    daemon.run_once(NOW + timedelta(hours=2))
    (file,) = list((folder / ".flyball" / "tickets").glob("*mc-cost*"))
    assert "state: closed" in file.read_text()
    assert "a load test (ann)" in file.read_text().replace("\\", "")
    again = run(tickets.app, "close", file.name, where, "--why", "x")
    assert "closed already" in again.stdout


def test_an_actions_ticket_is_closed_by_its_action_only(folder: Path, store: SqlStore) -> None:
    happened(store)
    said = run(tickets.app, "close", "https://tickets.example/7", str(folder), "--why", "x")
    assert said.exit_code == 1
    assert "flyball actions done a2" in said.stderr
    assert run(tickets.app, "show", "nothing", str(folder)).exit_code == 1
