import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from controlplane.ports import Transient
from flyball.demo import run, servers
from flyball.demo.folder import AlreadyRunning, DemoFolder, FolderNotOurs, RunningDemo

DEMO = RunningDemo(1, "http://c", "http://p", "http://a", "http://i", "token")


def run_until(folder: DemoFolder, end: BaseException) -> None:
    with folder.held():
        folder.logs.mkdir()
        raise end


def test_the_folder_is_there_while_it_is_held_and_gone_afterwards(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "new" / "demo")
    with folder.held():
        folder.logs.mkdir()
        (folder.logs / "x").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_above_it_stays_when_it_was_there_or_holds_something_else(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "new" / "demo")
    with folder.held():
        (tmp_path / "new" / "mine").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine"]
    with folder.held():
        pass
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine"]


def test_only_one_demo_runs_in_a_folder(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "demo")
    with folder.held(), pytest.raises(AlreadyRunning, match=str(folder.root)), folder.held():
        pass


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "thesis").write_text("years of work")
    with pytest.raises(FolderNotOurs, match="workspace"), DemoFolder(tmp_path).held():
        pass
    assert (tmp_path / "workspace" / "thesis").read_text() == "years of work"


def test_what_others_put_into_the_folder_meanwhile_stays(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "demo")
    with folder.held():
        (folder.root / "notes").write_text("mine")
    assert [path.name for path in folder.root.iterdir()] == ["notes"]


def test_logs_stay_after_an_error_and_are_removed_by_the_next_demo(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "demo")
    with pytest.raises(RuntimeError):
        run_until(folder, RuntimeError())
    assert folder.logs.exists()
    with folder.held():
        assert not folder.logs.exists()


def test_ctrl_c_removes_the_files_as_a_normal_end_does(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "demo")
    with pytest.raises(KeyboardInterrupt):
        run_until(folder, KeyboardInterrupt())
    assert not folder.root.exists()


def test_data_stay_when_the_user_wants_to_keep_them(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "demo")
    with folder.held(keep=True):
        folder.logs.mkdir()
        folder.tell(DEMO)
    assert folder.logs.exists()
    assert folder.running() is None


def test_a_running_demo_is_found_and_one_that_ended_is_not(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "demo")
    assert folder.running() is None
    with folder.held(keep=True):
        assert folder.running() is None
        folder.tell(DEMO)
        assert folder.running() == DEMO
    folder.tell(DEMO)  # as a demo that was killed leaves it
    assert folder.running() is None


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "demo")
    with folder.held():
        folder.write_secret(folder.webhook_token, "secret")
        folder.tell(DEMO)
        for path in (folder.webhook_token, folder.root / "state.json"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.fixture
def usual_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A usual port of our own: a real demo may be running beside the tests."""
    port = servers.free_port()
    monkeypatch.setattr(run, "CONSOLE_PORT", port)
    return port


def test_no_two_demos_choose_the_same_port_even_while_nobody_listens(usual_port: int) -> None:
    with ExitStack() as first, ExitStack() as second:
        reserved = run._reserved(0, first)
        assert reserved.getsockname()[1] == usual_port
        reserved.close()  # Flyball is about to listen
        assert run._reserved(0, second).getsockname()[1] != usual_port
        with pytest.raises(Transient, match=f"port {usual_port}: Address already in use"):
            run._reserved(usual_port, second)
    with ExitStack() as third:
        assert run._reserved(0, third).getsockname()[1] == usual_port
