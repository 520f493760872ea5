"""Dashboards for Grafana's file provisioning: ours are kept in step, others are left alone."""

from pathlib import Path

import pytest

from controlplane.adapters.dashboard_folder import DashboardFolderOnDisk
from controlplane.model.generation import TextFile
from controlplane.ports import Permanent, Transient


def _files(**texts: str) -> list[TextFile]:
    return [TextFile(f"{name}.json", text) for name, text in texts.items()]


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    folder = DashboardFolderOnDisk(tmp_path / "deep/dashboards")
    assert folder.publish(_files(a="1", b="2")) == 2
    before = (tmp_path / "deep/dashboards/a.json").stat().st_ino
    assert folder.publish(_files(a="1", b="3")) == 1
    assert (tmp_path / "deep/dashboards/a.json").stat().st_ino == before
    assert (tmp_path / "deep/dashboards/b.json").read_text() == "3"


def test_ours_go_when_they_are_no_longer_wanted_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text("{}")
    folder = DashboardFolderOnDisk(tmp_path)
    folder.publish(_files(a="1", b="2"))
    assert folder.publish(_files(b="2")) == 1
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["b.json", "own.json"]


def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(Permanent, match="not a dashboard of ours"):
        DashboardFolderOnDisk(tmp_path).publish(_files(a="1"))
    assert (tmp_path / "a.json").read_text() == "{}"


@pytest.mark.parametrize("record", ["", "{", "[1]", '["../a.json"]', "3"])
def test_a_damaged_record_is_said_so_and_removes_nothing(tmp_path: Path, record: str) -> None:
    folder = DashboardFolderOnDisk(tmp_path)
    folder.publish(_files(a="1"))
    (tmp_path / ".flyball-dashboards").write_text(record)
    with pytest.raises(Permanent, match="damaged"):
        folder.publish([])
    assert (tmp_path / "a.json").exists()


def test_where_nothing_may_be_written_is_an_error_of_the_outside() -> None:
    with pytest.raises((Permanent, Transient), match="/proc"):
        DashboardFolderOnDisk(Path("/proc/flyball")).publish([])
