"""`flyball demo` as a process: what it prints, and that nothing of it outlives it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

READY_SECONDS = 90


def flyball(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "flyball", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def beginning(folder: Path, *options: str, probers: bool = False) -> Iterator["subprocess.Popen[str]"]:
    """A demo that is being set up."""
    options = (*options, "--probers" if probers else "--no-probers")  # they take seconds of the processor to start
    process = subprocess.Popen(
        [sys.executable, "-m", "flyball", "demo", "--no-history", *options, "--folder", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until_ready(folder: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not (folder / "state.json").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def demo(folder: Path, *options: str, probers: bool = False) -> Iterator["subprocess.Popen[str]"]:
    with beginning(folder, *options, probers=probers) as process:
        wait_until_ready(folder, process)
        yield process


def children_of(process_id: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == process_id:
            found.append(int(status.parent.name))
    return found


def gone(process_ids: list[int]) -> bool:
    """Whether none of them runs; they may have changed parents, but not their ids."""
    deadline = time.monotonic() + 15
    while running := [one for one in process_ids if _runs(one)]:
        if time.monotonic() > deadline:
            pytest.fail(f"still running: {running}")
        time.sleep(0.1)
    return True


def _runs(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize(("number", "probers"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_signal_ends_every_child_and_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals, probers: bool
) -> None:
    folder = tmp_path / "demo"
    with demo(folder, probers=probers) as process:
        children = children_of(process.pid)
        assert len(children) == (6 if probers else 3)
        status = flyball("demo", "status", "--folder", str(folder))
        assert status.returncode == 0
        assert max(map(len, status.stdout.splitlines())) <= 80
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert gone(children)
    assert not folder.exists()
    assert "http://127.0.0.1:" in out
    assert "break outage" in out
    assert "Traceback" not in err


def test_killed_outright_it_takes_its_children_along_and_the_next_demo_starts(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo(folder) as process:
        children = children_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert gone(children)
    status = flyball("demo", "status", "--folder", str(folder))
    assert status.returncode == 3
    assert "no demo is running" in status.stderr
    (folder / "state.json").unlink()
    with demo(folder) as process:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert not folder.exists()


def test_when_a_child_dies_the_demo_says_which_and_ends_with_status_3(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo(folder) as process:
        children = children_of(process.pid)
        victim = next(one for one in children if "alertmanager" in Path(f"/proc/{one}/cmdline").read_text())
        os.kill(victim, signal.SIGKILL)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "Alertmanager ended with status -9" in err
    assert str(folder / "logs") in err
    assert (folder / "logs" / "flyball.log").exists()
    assert gone(children)


def test_a_second_demo_needs_a_folder_of_its_own_and_runs_beside_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo(folder):
        unknown = flyball("demo", "break", "earthquake", "--folder", str(folder))
        assert unknown.returncode == 1
        assert "errors, latency, outage" in unknown.stderr
        again = flyball("demo", "--folder", str(folder))
        assert again.returncode == 1
        assert "already running" in again.stderr
        assert "--folder" in again.stderr
        with demo(tmp_path / "second"):
            first, second = (
                json.loads(flyball("demo", "status", "--json", "--folder", str(each)).stdout)
                for each in (folder, tmp_path / "second")
            )
            assert all(first[part] != second[part] for part in ("console", "prometheus", "alertmanager", "platform"))


def test_without_a_demo_break_and_heal_say_how_to_start_one(tmp_path: Path) -> None:
    for command in ("break", "heal"):
        result = flyball("demo", command, "outage", "--folder", str(tmp_path))
        assert result.returncode == 3
        assert "flyball demo" in result.stderr
        assert result.stdout == ""


def test_a_port_that_is_taken_is_told_before_anything_is_set_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = flyball("demo", "--folder", str(tmp_path / "demo"), "--port", str(port))
    assert result.returncode == 3
    assert f"the console cannot listen on port {port}: Address already in use" in result.stderr
    assert "Writing" not in result.stderr


def test_two_demos_that_start_at_once_have_a_port_each(tmp_path: Path) -> None:
    with ExitStack() as stack:
        folders = [tmp_path / name for name in ("first", "second")]
        started = [stack.enter_context(beginning(folder)) for folder in folders]
        for folder, process in zip(folders, started, strict=True):
            wait_until_ready(folder, process)
        states = [json.loads((folder / "state.json").read_text()) for folder in folders]
    assert states[0]["console_url"] != states[1]["console_url"]
