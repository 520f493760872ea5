"""Reading a workspace from disk."""

import os
from pathlib import Path

import pytest

from controlplane.adapters.files import read_folder
from controlplane.problems import Problem


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w" / "inner").mkdir(parents=True)
    return tmp_path / "w"


def said(problems: list[Problem]) -> list[str]:
    return [f"{problem.position}: {problem.message}" for problem in problems]


def test_yaml_files_below_a_folder_come_in_order_and_hidden_ones_not(workspace: Path) -> None:
    for name in ("b.yaml", "a.yml", "inner/c.yaml", ".hidden.yaml", "d.txt", "e.YAML"):
        (workspace / name).write_text(name)
    (workspace / ".git").mkdir()
    (workspace / ".git" / "f.yaml").write_text("")
    files, problems = read_folder(Path("w"))
    assert [(file.path, file.content) for file in files] == [
        ("w/a.yml", b"a.yml"), ("w/b.yaml", b"b.yaml"), ("w/e.YAML", b"e.YAML"), ("w/inner/c.yaml", b"inner/c.yaml"),
    ]  # fmt: skip
    assert not problems


def test_paths_are_as_a_user_would_type_them(workspace: Path, tmp_path: Path) -> None:
    (workspace / "a.yaml").write_text("")
    assert [file.path for file in read_folder(workspace)[0]] == ["w/a.yaml"]
    assert [file.path for file in read_folder(Path("./w/../w"))[0]] == ["w/a.yaml"]
    assert [file.path for file in read_folder(Path("w/a.yaml"))[0]] == ["w/a.yaml"]
    os.chdir(workspace)
    assert [file.path for file in read_folder(Path())[0]] == ["a.yaml"]
    assert [file.path for file in read_folder(Path("../w"))[0]] == ["../w/a.yaml"]


def test_a_missing_path_is_a_problem() -> None:
    files, problems = read_folder(Path("nowhere"))
    assert not files
    assert said(problems) == ["nowhere:1:1: no such file or folder"]
    assert said(read_folder(Path("w/inner/x.yaml/y"))[1]) == ["w/inner/x.yaml/y:1:1: no such file or folder"]


def test_a_file_of_100_mb_is_a_problem_and_is_not_read(workspace: Path) -> None:
    with (workspace / "big.yaml").open("wb") as file:
        file.truncate(100 * 10**6)
    (workspace / "small.yaml").write_text("")
    files, problems = read_folder(Path("w"))
    assert [file.path for file in files] == ["w/small.yaml"]
    assert said(problems) == ["w/big.yaml:1:1: the file is too large: 95.4 MiB, the limit is 32.0 MiB"]


def test_files_that_are_too_large_together_are_a_problem(workspace: Path) -> None:
    for name in ("a", "b", "c"):
        (workspace / f"{name}.yaml").write_bytes(b"#" * 10)
    files, problems = read_folder(Path("w"), limit_bytes=10, total_limit_bytes=25)
    assert [file.path for file in files] == ["w/a.yaml", "w/b.yaml"]
    assert said(problems) == ["w/c.yaml:1:1: with this file the workspace is too large"]


def test_a_folder_named_like_a_file_is_a_folder(workspace: Path) -> None:
    (workspace / "x.yaml").mkdir()
    (workspace / "x.yaml" / "a.yaml").write_text("")
    files, problems = read_folder(Path("w"))
    assert [file.path for file in files] == ["w/x.yaml/a.yaml"]
    assert not problems


def test_links_are_followed_and_loops_end(workspace: Path) -> None:
    (workspace / "a.yaml").write_text("a")
    (workspace / "b.yaml").symlink_to("a.yaml")
    (workspace / "gone.yaml").symlink_to("nowhere.yaml")
    (workspace / "self.yaml").symlink_to("self.yaml")
    (workspace / "inner" / "up").symlink_to(workspace)
    files, problems = read_folder(Path("w"))
    assert [file.path for file in files] == ["w/a.yaml", "w/b.yaml"]
    assert said(problems) == [
        "w/gone.yaml:1:1: a link to nothing: nowhere.yaml",
        "w/self.yaml:1:1: too many levels of symbolic links",
    ]


def test_pipes_are_not_opened(workspace: Path) -> None:
    os.mkfifo(workspace / "pipe.yaml")
    assert said(read_folder(Path("w"))[1]) == ["w/pipe.yaml:1:1: not a regular file"]


def test_unreadable_files_and_folders_are_problems(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "a.yaml").write_text("")
    (workspace / "b.yaml").write_text("")
    opened = Path.open
    listed = os.scandir

    def refuse_open(path: Path, *arguments: str) -> object:
        if path.name == "a.yaml":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments)  # type: ignore[call-overload]

    def refuse_list(path: Path) -> object:
        if path.name == "inner":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "open", refuse_open)  # root may read everything, so permissions can't be taken away
    monkeypatch.setattr(os, "scandir", refuse_list)
    files, problems = read_folder(Path("w"))
    assert [file.path for file in files] == ["w/b.yaml"]
    assert said(problems) == ["w/a.yaml:1:1: permission denied", "w/inner:1:1: permission denied"]


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workspace / "a.yaml"
    path.write_text("a")
    opened = Path.open

    def grow(file: Path, *arguments: str) -> object:
        with opened(file, "wb") as out:
            out.write(b"longer")
        return opened(file, *arguments)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", grow)
    assert [file.content for file in read_folder(path)[0]] == [b"longer"]


def test_names_that_are_not_utf8_are_read(workspace: Path) -> None:
    (workspace / os.fsdecode(b"caf\xe9.yaml")).write_text("")
    files, problems = read_folder(Path("w"))
    assert len(files) == 1
    assert not problems
