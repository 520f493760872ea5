"""The folder that Prometheus reads: whole generations, switched at once, foreign files left alone."""

import os
import stat
import sys
from pathlib import Path

import pytest

from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.model.generation import Generation, TextFile
from controlplane.ports import Permanent, Transient


def _generation(identity: str) -> Generation:
    return Generation(identity, (TextFile("a.yaml", f"# {identity}\n"), TextFile("b.yaml", "# é\n")))


@pytest.fixture
def folder(tmp_path: Path) -> RuleFolderOnDisk:
    folder = RuleFolderOnDisk(tmp_path / "deep/rules")
    with folder.exclusive():
        pass
    return folder


def _root(folder: RuleFolderOnDisk) -> Path:
    return Path(folder.rule_files).parent.parent


def test_what_was_written_is_read_through_the_link(folder: RuleFolderOnDisk) -> None:
    copy = folder.write(_generation("one"))
    assert folder.current() is None
    folder.switch(copy)
    assert folder.current() == copy == "one"
    assert (_root(folder) / "current/b.yaml").read_text() == "# é\n"
    assert folder.read("one") == _generation("one").files


def test_the_link_is_never_absent_while_it_changes(folder: RuleFolderOnDisk) -> None:
    """Every moment between two system calls is looked at: the link always leads to whole files."""
    folder.switch(folder.write(_generation("one")))
    link = _root(folder) / "current"
    looking = False
    seen: set[str] = set()

    def look(event: str, _: tuple[object, ...]) -> None:
        nonlocal looking
        if watching and not looking and event.startswith(("os.", "open")):
            looking = True
            seen.add((link / "a.yaml").read_text())
            looking = False

    watching = True
    sys.addaudithook(look)
    folder.switch(folder.write(_generation("two")))
    watching = False
    assert seen == {"# one\n", "# two\n"}


def test_everybody_may_read_whatever_the_mask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        folder = RuleFolderOnDisk(tmp_path / "rules")
        with folder.exclusive():
            folder.switch(folder.write(_generation("one")))
    finally:
        os.umask(before)
    for path in [tmp_path / "rules", *(tmp_path / "rules").rglob("*")]:
        if path.is_dir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o755
        elif path.suffix == ".yaml":
            assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_whole_copy_is_used_again_and_a_damaged_one_is_not(folder: RuleFolderOnDisk) -> None:
    assert [folder.write(_generation("one")) for _ in range(2)] == ["one", "one"]
    (_root(folder) / ".generations/one/b.yaml").write_text("changed")
    assert [folder.write(_generation("one")) for _ in range(2)] == ["one.1", "one.1"]
    assert folder.read("one.1") == _generation("one").files


def test_marking_the_same_copy_again_is_another_marking(folder: RuleFolderOnDisk) -> None:
    copy = folder.write(_generation("one"))
    assert folder.last_good() is None
    folder.mark_good(copy)
    first = folder.last_good()
    folder.mark_good(copy)
    second = folder.last_good()
    assert first is not None
    assert second is not None
    assert first.copy == second.copy == "one"
    assert first.marking != second.marking


def test_pruning_keeps_the_latest_the_current_and_the_last_good(folder: RuleFolderOnDisk) -> None:
    for number in range(6):
        copy = folder.write(_generation(str(number)))
        os.utime(_root(folder) / ".generations" / copy, ns=(number, number))
    folder.switch("0")
    folder.mark_good("1")
    (_root(folder) / ".generations/.left-by-a-crash").mkdir()
    (_root(folder) / "own.yaml").write_text("groups: []\n")
    folder.prune(2)
    left = {path.name for path in (_root(folder) / ".generations").iterdir()}
    assert left == {"0", "1", "4", "5", "last-good", "lock"}
    assert (_root(folder) / "own.yaml").exists()


def test_a_folder_called_current_that_is_not_ours_is_left_alone(folder: RuleFolderOnDisk) -> None:
    (_root(folder) / "current").mkdir()
    (_root(folder) / "current/own.yaml").write_text("groups: []\n")
    copy = folder.write(_generation("one"))
    with pytest.raises(Permanent, match="not a link of ours"):
        folder.switch(copy)
    assert (_root(folder) / "current/own.yaml").exists()


@pytest.mark.parametrize("target", ["/nowhere", ".generations/gone", ".."])
def test_a_link_that_leads_elsewhere_is_no_generation(folder: RuleFolderOnDisk, target: str) -> None:
    (_root(folder) / "current").symlink_to(target)
    assert folder.current() is None


def test_a_second_process_waits_and_then_gives_up(folder: RuleFolderOnDisk) -> None:
    impatient = RuleFolderOnDisk(_root(folder), patience_seconds=0)
    with folder.exclusive(), pytest.raises(Transient, match="another process"), impatient.exclusive():
        pass
    with impatient.exclusive():
        pass


@pytest.mark.parametrize("path", ["/proc/flyball", "/dev/null/rules"])
def test_where_nothing_may_be_written_is_permanent(path: str) -> None:
    with (
        pytest.raises((Permanent, Transient), match=path.split("/", maxsplit=2)[1]),
        RuleFolderOnDisk(Path(path)).exclusive(),
    ):
        pass


def test_a_full_disk_is_transient_and_leaves_the_current_generation(folder: RuleFolderOnDisk) -> None:
    folder.switch(folder.write(_generation("one")))
    too_long = Generation("two", (TextFile("x" * 300 + ".yaml", ""),))
    with pytest.raises(Transient):
        folder.write(too_long)
    assert folder.current() == "one"
    assert folder.read("two") == ()
