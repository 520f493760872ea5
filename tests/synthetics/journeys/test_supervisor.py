"""Processes under a supervisor: whatever they do, nothing of them is left."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from synthetics.journeys.adapters import supervisor

_LIMITS = {
    "seconds": 20,
    "memory_bytes": 1 << 30,
    "disk_bytes": 100_000_000,
    "file_bytes": 10_000_000,
    "output_bytes": 1000,
    "processes": 40,
}


@dataclass
class Supervised:
    """A supervisor at work on a Python program."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    mark: str

    def report(self) -> dict[str, object]:
        """What it says in the end; afterwards it has left."""
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        report: dict[str, object] = json.loads(self.process.stdout.readline())
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
        return report

    def left(self) -> list[int]:
        """Processes that carry the mark, and the folder's own."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if self.mark.encode() in told:
                    found.append(int(entry.name))
        return found


def supervised(tmp_path: Path, program: str, **limits: float) -> Supervised:
    """A program under these limits."""
    folder, mark = tmp_path / "run", uuid.uuid4().hex
    folder.mkdir()
    order: Mapping[str, object] = {
        "command": [sys.executable, "-I", "-S", "-c", program, mark],
        "environment": {"MARK": mark},
        "directory": str(folder),
        "folder": str(folder),
        "limits": {**_LIMITS, **limits},
    }
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", supervisor.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.flush()
    return Supervised(process, folder, mark)


def test_what_a_program_says_and_how_it_ends_is_told(tmp_path: Path) -> None:
    run = supervised(tmp_path, "import sys; print('hello'); sys.exit(3)")
    report = run.report()
    assert (report["status"], report["limit"], report["output"], report["left"]) == (3, "", "hello\n", 0)
    assert not run.folder.exists()


def test_processes_that_get_away_by_sessions_of_their_own_are_ended(tmp_path: Path) -> None:
    escaping = """
import os, subprocess, sys
shell = "setsid sleep $0 & exec env -i setsid sleep $0"  # the second one without the mark in its environment
subprocess.Popen(["setsid", "sh", "-c", shell, "100000." + str(int(sys.argv[1], 16))], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        time.sleep(1000)
    os._exit(0)
"""
    run = supervised(tmp_path, escaping)
    report = run.report()
    assert (report["left"], report["survivors"]) == (3, 0)
    assert run.left() == []
    run.mark = str(int(run.mark, 16))  # as the sleeping processes' arguments have it
    assert run.left() == []


def test_a_program_that_ignores_every_signal_is_ended_at_the_limit(tmp_path: Path) -> None:
    program = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
print("ready", flush=True)
while True: time.sleep(100)
"""
    run = supervised(tmp_path, program, seconds=0.5)
    report = run.report()
    assert (report["limit"], report["output"]) == ("timeout", "ready\n")
    assert run.left() == []


@pytest.mark.parametrize(
    ("limit", "program", "limits"),
    [
        ("memory", "keep = bytearray(300_000_000)\nimport time; time.sleep(100)", {"memory_bytes": 100_000_000}),
        ("disk", "for n in range(30): open(f'f{n}', 'wb').write(bytes(5_000_000))\nimport time; time.sleep(100)", {}),
        ("processes", "import os, time\nfor n in range(50): os.fork() or time.sleep(100)\ntime.sleep(100)", {}),
    ],
)
def test_a_program_that_takes_too_much_is_ended(
    limit: str, program: str, limits: dict[str, float], tmp_path: Path
) -> None:
    run = supervised(tmp_path, program, **limits)
    report = run.report()
    assert (report["limit"], report["survivors"]) == (limit, 0)
    assert run.left() == []
    assert not run.folder.exists()


def test_no_file_grows_beyond_its_limit_and_no_core_is_written(tmp_path: Path) -> None:
    program = """
import os, resource
print(resource.getrlimit(resource.RLIMIT_CORE))
try: open("large", "wb").write(bytes(20_000_000))
except OSError as error: print(error.strerror, os.path.getsize("large"))
"""
    assert supervised(tmp_path, program).report()["output"] == "(0, 0)\nFile too large 10000000\n"


def test_of_endless_output_the_end_is_kept(tmp_path: Path) -> None:
    program = "import os\nfor n in range(200): os.write(1, b'x' * 100_000)\nos.write(2, b'the end')"
    report = supervised(tmp_path, program).report()
    output = str(report["output"])
    assert (len(output), output[-9:], report["cut"]) == (1000, "xxthe end", 20_000_007 - 1000)


def test_when_whoever_asked_dies_everything_goes(tmp_path: Path) -> None:
    run = supervised(tmp_path, "import time, subprocess\nsubprocess.run(['sleep', '1000'])")
    assert run.process.stdin is not None
    run.process.stdin.close()  # as the kernel does for a process that is killed
    assert run.process.wait(10) == 0
    assert run.left() == []
    assert not run.folder.exists()


def test_a_supervisor_that_is_killed_takes_the_program_along(tmp_path: Path) -> None:
    run = supervised(tmp_path, "print('ready', flush=True)\nimport time; time.sleep(1000)")
    while len(run.left()) < 1:
        time.sleep(0.01)
    run.process.send_signal(signal.SIGKILL)
    run.process.wait()
    until = time.monotonic() + 60
    while run.left() and time.monotonic() < until:
        time.sleep(0.01)
    assert run.left() == []


def test_a_command_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    order = {"command": ["/nowhere"], "environment": {}, "directory": str(tmp_path), "folder": str(tmp_path / "x")}
    text = json.dumps({**order, "limits": _LIMITS}) + "\n"
    command = [sys.executable, "-I", "-S", supervisor.__file__]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    assert json.loads(done.stdout) == {"started": False, "error": os.strerror(2)}
