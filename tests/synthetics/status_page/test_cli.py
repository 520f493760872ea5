"""The commands, on a workspace and a database of its own."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from controlplane.store import open_store
from flyball.cli.status import app

PAGE = """apiVersion: flyball.dev/v1
kind: StatusPage
metadata: {name: shop}
spec:
  title: Shop
  url: https://status.example
  timeZone: Europe/Berlin
  incidents: {approval: APPROVAL}
  components:
    - {id: api, name: API, from: {probes: [gateway]}}
    - {id: web, name: Web, from: {probes: [gateway]}}
"""


class Terminal:
    """Runs commands in a workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = f"sqlite:///{folder}/state.db"

    def run(self, *words: str, page: str = "shop") -> Result:
        named = {"show", "post", "drafts", "correct"}
        place = [page, str(self.folder)] if words[0] in named else [str(self.folder)]
        head, rest = (words[:1], words[1:]) if words[0] in named else (words[:2], words[2:])
        return CliRunner().invoke(app, [*head, *place, *rest, "--database", self.database])

    def data(self, *words: str) -> object:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    (tmp_path / "page.yaml").write_text(PAGE.replace("APPROVAL", "required"))
    return Terminal(tmp_path)


def test_what_is_posted_waits_is_approved_shown_edited_and_on_record(terminal: Terminal) -> None:
    words = ("post", "--title", "API fails", "--component", "api=partial_outage", "--body", "It fails.", "--by", "ann")
    drafted = terminal.run(*words)
    assert drafted.stdout.startswith("Drafted ")
    assert "nobody outside sees it" in drafted.stdout
    (draft,) = terminal.data("drafts")  # type: ignore[misc]
    assert (draft["author"], draft["body"]) == ("ann", "It fails.")
    assert terminal.data("show")["incidents"] == []  # type: ignore[index]
    approved = terminal.data("approve", draft["id"], "--by", "bob")
    assert (approved["state"], approved["approved_by"]) == ("published", "bob")  # type: ignore[index]
    shown = terminal.data("show")
    assert [each["status"] for each in shown["components"]] == ["partial_outage", "unknown"]  # type: ignore[index]
    assert "next update by" in terminal.run("show").stdout
    edited = terminal.data("edit", draft["id"], "--by", "eve", "--body", "It fails for some.")
    assert edited["revisions"] == 1  # type: ignore[index]
    store = open_store(terminal.database)
    with store.transaction(read_only=True) as transaction:
        actions = [(entry.actor, entry.action) for entry in transaction.audit.entries()]
    store.close()
    assert actions == [
        ("ann", "status.update_drafted"),
        ("bob", "status.update_approved"),
        ("bob", "status.update_published"),
        ("eve", "status.update_edited"),
    ]


def test_what_is_refused_leaves_nothing_behind(terminal: Terminal) -> None:
    refused = [
        terminal.run("post", "--title", "T", "--body", "b", "--publish"),
        terminal.run("post", "--title", "T", "--body", "b", "--component", "apy=major_outage"),
        terminal.run("post", "--body", "b"),
        terminal.run("post", "--incident", "none", "--status", "resolved", "--body", "b"),
        terminal.run("approve", "none", "--by", "bob"),
        terminal.run("correct", "--withdraw", "none"),
        terminal.run("show", page="other"),
    ]
    assert [each.exit_code for each in refused] == [1] * 7
    assert "did you mean `api`?" in refused[1].stderr
    assert terminal.data("drafts") == []


@pytest.mark.parametrize(
    "words",
    [
        ("post", "--title", "T"),
        ("post", "--title", "T", "--body", "b", "--component", "api"),
        ("post", "--title", "T", "--body", "b", "--component", "api=broken"),
        ("post", "--title", "T", "--body", "b", "--status", "fixed"),
        ("post", "--title", "T", "--body", "b", "--maintenance", "--from", "soon", "--until", "later"),
        ("correct", "--component", "api", "--from", "2026-01-02", "--until", "2026-01-01", "--reason", "r"),
        ("correct", "--component", "api", "--from", "2026-01-01", "--until", "2026-01-02"),
    ],
)
def test_a_usage_error_is_2(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert terminal.run(*words).exit_code == 2


def test_without_approval_a_post_is_public_at_once_and_ends_with_a_resolution(terminal: Terminal) -> None:
    (terminal.folder / "page.yaml").write_text(PAGE.replace("APPROVAL", "none"))
    first = terminal.data("post", "--title", "API fails", "--component", "api=major_outage", "--body", "It fails.")
    assert (first["state"], first["impact"]) == ("published", "critical")  # type: ignore[index]
    terminal.data("post", "--incident", first["incident"], "--status", "resolved", "--body", "Done.")  # type: ignore[index]
    shown = terminal.data("show")
    assert shown["incidents"][0]["status"] == "resolved"  # type: ignore[index]
    assert shown["components"][0]["status"] == "unknown"  # type: ignore[index]
    late = terminal.run("post", "--incident", first["incident"], "--status", "monitoring", "--body", "x")  # type: ignore[index]
    assert late.exit_code == 1
    assert "only a postmortem may follow" in late.stderr


def test_corrections_are_made_listed_and_taken_back(terminal: Terminal) -> None:
    words = (
        "--component",
        "api",
        "--from",
        "2026-11-03 14:00",
        "--until",
        "2026-11-03 14:20",
        "--reason",
        "late probes",
    )
    made = terminal.data("correct", *words)
    assert (made["start"], made["status"]) == ("2026-11-03T13:00:00Z", "operational")  # type: ignore[index]
    assert terminal.data("correct", "--withdraw", made["id"])["withdrawn_at"] is not None  # type: ignore[index]
    assert "(withdrawn)" in terminal.run("correct").stdout


def test_a_workspace_without_a_page_says_how_to_begin(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["show", "", str(tmp_path)])
    assert done.exit_code == 1
    assert "docs/how-to/publish-a-status-page.md" in done.stderr


def test_what_nothing_can_be_known_of_is_unknown_here_as_on_the_published_page(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGE.replace("APPROVAL", "required").replace("{probes: [gateway]}", "{slos: [reads]}")
    (terminal.folder / "page.yaml").write_text(page)
    monkeypatch.setenv("FLYBALL_PROMETHEUS_URL", "http://127.0.0.1:1")
    shown = terminal.run("show")
    assert "API  unknown" in shown.stdout
    assert "what only objectives know is unknown" in shown.stderr
