"""`flyball flags`, on a workspace with a flagd file."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flyball.cli.flags import app
from tests.contracts.flag_benches import document, entry

STORE = """\
apiVersion: flyball.dev/v1
kind: FlagStore
metadata: {name: platform, annotations: {flyball.dev/owner: team-platform}}
spec:
  flagd: {file: flags.json}
  flags:
    - {name: adaptive-sampling, normal: false, expires: 2999-12-31}
    - {name: batch-jobs-frozen, normal: false, expires: 2020-01-31}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "flags.yaml").write_text(STORE)
    off = entry([False, True], False)
    (tmp_path / "flags.json").write_text(document({"adaptive-sampling": off, "batch-jobs-frozen": off}))
    return tmp_path


def flags(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    return done.exit_code, done.output


def test_list_shows_every_declared_flag(workspace: Path) -> None:
    code, text = flags("list", workspace)
    assert code == 0
    assert "adaptive-sampling             false      team-platform    2999-12-31  unknown" in text
    code, text = flags("list", workspace, "--json")
    assert [each["value"] for each in json.loads(text)] == [False, False]


def test_sunset_fails_a_build_only_when_it_is_asked_to(workspace: Path) -> None:
    code, text = flags("sunset", workspace)
    assert (code, "on 2020-01-31" in text) == (0, True)
    assert flags("sunset", workspace, "--fail", "--json")[0] == 1


def test_a_store_that_cannot_be_read_is_told_and_ends_with_3(workspace: Path) -> None:
    (workspace / "flags.json").unlink()
    code, text = flags("list", workspace)
    assert (code, "platform was not to be read" in text) == (3, True)
    code, text = flags("sunset", workspace, "--fail")
    assert (code, "missing" in text) == (3, False)


@pytest.mark.parametrize("length", ["30", "0d", "d", "1.5d", "-3d", "99999d", "3h"])
def test_a_length_that_is_none_is_a_usage_error(workspace: Path, length: str) -> None:
    assert flags("sunset", workspace, "--unused-for", length)[0] == 2


def test_a_workspace_without_stores_and_a_store_that_is_not_there_are_told(workspace: Path) -> None:
    code, text = flags("list", workspace, "--store", "platfrom")
    assert (code, "did you mean `platform`?" in text) == (1, True)
    (workspace / "flags.yaml").unlink()
    code, text = flags("list", workspace)
    assert (code, "declares no FlagStore" in text) == (1, True)
