"""`flyball status build`: a workspace's page as files."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controlplane.store import migrate, open_store
from flyball.cli import ExitCode
from flyball.cli.status import app

PAGE = """apiVersion: flyball.dev/v1
kind: StatusPage
metadata: {name: %s}
spec:
  title: Acme Cloud
  url: https://status.acme.example
  languages: [en, de]
  components:
  - {id: website, name: Website}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "page.yaml").write_text(PAGE % "acme")
    return folder


def build(workspace: Path, *arguments: str) -> tuple[int, str, str]:
    database = f"sqlite:///{workspace}/flyball.db"
    words = ["build", *arguments, "--database", database]
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.stdout, result.stderr


def test_it_writes_the_page_and_says_where(workspace: Path, tmp_path: Path) -> None:
    code, stdout, stderr = build(workspace, "acme", str(workspace), "-o", str(tmp_path / "out"))
    assert (code, stderr) == (ExitCode.OK, "")
    assert stdout.startswith(f"acme: 21 files in {tmp_path}/out; written anew: 21, ")
    assert stdout.endswith(f"The web server's root: {tmp_path}/out/current\n")
    index = (tmp_path / "out/current/index.html").read_text()
    assert "Acme Cloud status" in index
    assert "Website" in index
    assert (tmp_path / "out/current/de/index.html").is_file()


def test_it_tells_programs_what_it_wrote(workspace: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    code, stdout, _ = build(workspace, "acme", str(workspace), "-o", out, "--language", "de", "--json")
    told = json.loads(stdout)
    assert (code, told["page"], told["out"], told["outcome"]) == (ExitCode.OK, "acme", out, "first")
    assert told["files"] == len(told["written"])
    assert "de/index.html" not in told["written"]
    assert 'lang="de"' in (tmp_path / "out/current/index.html").read_text()


def test_what_is_wrong_is_said(workspace: Path, tmp_path: Path) -> None:
    out = ("-o", str(tmp_path / "out"))
    assert "say where to write" in build(workspace, "acme", str(workspace))[2]
    code, _, stderr = build(workspace, "acmee", str(workspace), *out)
    assert (code, stderr) == (ExitCode.PROBLEMS, "no StatusPage is named `acmee`: did you mean `acme`?\n")
    assert (
        "no catalogue for tlh; there is en, de"
        in build(workspace, "acme", str(workspace), *out, "--language", "tlh")[2]
    )
    code, _, stderr = build(workspace, "acme", str(workspace), "-o", "ftp://x/y")
    assert (code, stderr.partition(":")[0]) == (ExitCode.OUTSIDE, "flyball status")
    (workspace / "page.yaml").write_text(f"{PAGE % 'acme'}---\n{PAGE % 'other'}")
    assert "which page? There are acme, other" in build(workspace, "", str(workspace), *out)[2]


def test_a_page_is_not_written_over_another(workspace: Path, tmp_path: Path) -> None:
    out = ("-o", str(tmp_path / "out"))
    build(workspace, "acme", str(workspace), *out)
    (workspace / "page.yaml").write_text(PAGE % "other")
    code, _, stderr = build(workspace, "other", str(workspace), *out)
    assert code == ExitCode.OUTSIDE
    assert "the status page `acme` lies there" in stderr


def test_the_store_is_only_read(workspace: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{workspace}/flyball.db"
    migrate(url)
    build(workspace, "acme", str(workspace), "-o", str(tmp_path / "out"))
    store = open_store(url)
    with store.transaction(read_only=True) as transaction:
        assert transaction.status.states("acme") == []
    store.close()
