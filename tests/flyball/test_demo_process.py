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
from click.testing import Result
from typer.testing import CliRunner

from flyball.cli import app
from flyball.cli import commands as commands

READY_SECONDS = 90


def flyball(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "flyball", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def asked(*arguments: str) -> Result:
    """What a short command does, in this process."""
    return CliRunner().invoke(app, arguments)


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


def ends_in_order(folder: Path, process: "subprocess.Popen[str]", number: signal.Signals, children: list[int]) -> None:
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert gone(children)
    assert not folder.exists()
    assert "http://127.0.0.1:" in out
    assert "break outage" in out
    assert "Traceback" not in err


def test_a_signal_ends_every_child_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo(folder, probers=True) as process:
        children = children_of(process.pid)
        assert len(children) == 6
        status = asked("demo", "status", "--folder", str(folder))
        assert status.exit_code == 0
        assert max(map(len, status.stdout.splitlines())) <= 80
        ends_in_order(folder, process, signal.SIGINT, children)


@pytest.mark.soak
def test_killed_outright_it_takes_its_children_along(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo(folder) as process:
        children = children_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert gone(children)
    status = asked("demo", "status", "--folder", str(folder))
    assert status.exit_code == 3
    assert "no demo is running" in status.stderr


@pytest.mark.soak
def test_when_a_child_dies_the_demo_ends_and_says_which(tmp_path: Path) -> None:
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


@pytest.mark.soak
def test_two_demos_that_start_at_once_in_folders_of_their_own_run_beside_each_other(tmp_path: Path) -> None:
    with ExitStack() as stack:
        folders = [tmp_path / name for name in ("first", "second")]
        started = [stack.enter_context(beginning(folder)) for folder in folders]
        for folder, process in zip(folders, started, strict=True):
            wait_until_ready(folder, process)
        first, second = (
            json.loads(asked("demo", "status", "--json", "--folder", str(each)).stdout) for each in folders
        )
        assert all(first[part] != second[part] for part in ("console", "prometheus", "alertmanager", "platform"))
        unknown = asked("demo", "break", "earthquake", "--folder", str(folders[0]))
        assert unknown.exit_code == 1
        assert "errors, latency, outage" in unknown.stderr
        again = flyball("demo", "--folder", str(folders[0]))
        assert again.returncode == 1
        assert "already running" in again.stderr
        assert "--folder" in again.stderr
        for folder, process in zip(folders, started, strict=True):
            children = children_of(process.pid)
            assert len(children) == 3
            ends_in_order(folder, process, signal.SIGTERM, children)


def test_without_a_demo_break_and_heal_say_how_to_start_one(tmp_path: Path) -> None:
    for command in ("break", "heal"):
        result = asked("demo", command, "outage", "--folder", str(tmp_path))
        assert result.exit_code == 3
        assert "flyball demo" in result.stderr
        assert result.stdout == ""


def test_a_port_that_is_taken_is_told_before_anything_is_set_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = flyball("demo", "--folder", str(tmp_path / "demo"), "--port", str(port))
    assert result.returncode == 3
    assert f"the console cannot listen on port {port}: Address already in use" in result.stderr
    assert "Writing" not in result.stderr
