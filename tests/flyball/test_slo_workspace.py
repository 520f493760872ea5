"""The SLO files on disk: when they count as changed, and what reports may show of them."""

import shutil
from pathlib import Path

import pytest

from flyball.slo_workspace import SLOWorkspace
from slo.compiler import CompileOptions
from tests.flyball.test_apply import SLO


@pytest.fixture
def workspace(tmp_path: Path) -> SLOWorkspace:
    (tmp_path / "checkout.yaml").write_text(SLO)
    return SLOWorkspace(tmp_path, CompileOptions())


def test_looking_changes_nothing(workspace: SLOWorkspace) -> None:
    first = workspace.fingerprint()
    workspace.compile()
    (workspace.folder / "notes.txt").write_text("not ours")
    (workspace.folder / ".hidden.yaml").write_text("not ours")
    assert workspace.fingerprint() == first


@pytest.mark.parametrize("edit", ["append", "replace", "add", "remove", "same size and times"])
def test_every_way_of_saving_is_a_change(workspace: SLOWorkspace, edit: str) -> None:
    path = workspace.folder / "checkout.yaml"
    before = workspace.fingerprint()
    match edit:
        case "append":
            path.write_text(SLO + "\n")
        case "replace":
            other = path.with_name("new")
            other.write_text(SLO)
            other.rename(path)
        case "add":
            path.with_name("search.yml").write_text("")
        case "remove":
            path.unlink()
        case "same size and times":
            other = path.with_name("new")
            other.write_text(SLO.replace("0.999", "0.998"))
            shutil.copystat(path, other)
            other.rename(path)
    assert workspace.fingerprint() != before


def test_the_digest_tells_contents_apart_and_nothing_else(workspace: SLOWorkspace) -> None:
    path = workspace.folder / "checkout.yaml"
    first = workspace.compile().digest
    path.write_text(SLO)
    assert workspace.compile().digest == first
    path.write_text(SLO + "#")
    assert workspace.compile().digest != first


def test_a_missing_folder_and_an_empty_one_are_problems(workspace: SLOWorkspace) -> None:
    (workspace.folder / "checkout.yaml").unlink()
    assert [problem.rule for problem in workspace.compile().problems] == ["nothing-to-check"]
    missing = SLOWorkspace(workspace.folder / "missing", CompileOptions())
    assert [problem.message for problem in missing.compile().problems] == ["no such file or folder"]
    assert missing.fingerprint() == ()


def test_a_password_in_the_settings_is_not_shown(workspace: SLOWorkspace) -> None:
    (workspace.folder / "flyball.yaml").write_text("spec: {store: {url: 'postgresql://me:secret@db/x'}}\n")
    assert all(b"secret" not in content for content in workspace.sources().values())
