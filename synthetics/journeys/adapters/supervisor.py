"""The process that stands between a prober and one run of a browser journey, so that nothing is left behind.

A program of its own, of the standard library only: started by its path it is up in milliseconds. As a subreaper
(prctl(2)) it becomes the parent of whatever its children abandon, so that no process gets away by starting a session
of its own, as Chromium does, or by forking twice. It reads what to do as one line of JSON, runs the command, ends it
and everything below it at a limit, and writes one line of JSON about it. Then it waits until its standard input ends,
which also happens when the prober dies, and removes the run's folder.
"""

import ctypes
import json
import os
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER
_DEATH_SIGNAL: Final = 1  # PR_SET_PDEATHSIG
_LOOK_SECONDS: Final = 0.5  # between looks at memory, disk and processes
_TERM_SECONDS: Final = 0.3  # between SIGTERM and SIGKILL
_QUIET_SECONDS: Final = 0.5  # for what still ends by itself when the command has ended
_KILL_SECONDS: Final = 10.0  # after which processes that the kernel holds are left to it
_PAGE: Final = resource.getpagesize()


class Process:
    """One line of /proc: who a process is, whose child, and its resident memory in bytes (shared pages too)."""

    __slots__ = ("parent", "pid", "resident")

    def __init__(self, pid: int, parent: int, resident: int) -> None:
        self.pid, self.parent, self.resident = pid, parent, resident


def processes() -> list[Process]:
    """Those of this moment that are no zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                if fields[0] not in (b"Z", b"X"):
                    found.append(Process(int(entry.name), int(fields[1]), int(fields[21]) * _PAGE))
    return found


def below(root: int) -> list[Process]:
    """All descendants of a process."""
    children: dict[int, list[Process]] = {}
    for process in processes():
        children.setdefault(process.parent, []).append(process)
    found, waiting = list[Process](), [root]
    while waiting:
        for child in children.pop(waiting.pop(), ()):
            found.append(child)
            waiting.append(child.pid)
    return found


def proportional_bytes(pids: list[int]) -> int:
    """Memory with pages that several share divided among them (PSS), which is slow to ask for."""
    total = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
                if line.startswith(b"Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def folder_bytes(folder: str) -> int:
    """What the files in a folder take on disk."""
    total, waiting = 0, [folder]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


class Supervisor:
    """Runs one command to its end or to a limit."""

    def __init__(self, task: dict) -> None:  # type: ignore[type-arg]
        self._task = task
        self._limits: dict[str, float] = task["limits"]
        self._output = b""
        self._cut = 0  # bytes of output that were let go
        self._status: int | None = None  # of the command; below zero: the signal that ended it
        self._orphaned = False

    def run(self) -> dict[str, object]:
        """Start it, watch it, end everything; what there is to say about it."""
        began = time.monotonic()
        try:
            child = self._start()
        except OSError as error:
            return {"started": False, "error": error.strerror}
        verdict = self._watch(child, began + self._limits["seconds"])
        left = 0 if verdict else self._count_left()
        survivors = self._end_all(gently=bool(verdict))
        self._read(child)
        return {
            "started": True,
            "limit": verdict,
            "status": self._status,
            "left": left,
            "survivors": survivors,
            "seconds": round(time.monotonic() - began, 3),
            "output": self._output.decode("utf-8", "replace"),
            "cut": self._cut,
        }

    @property
    def is_orphaned(self) -> bool:
        """Whether whoever asked is gone."""
        return self._orphaned

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._task["command"],
            cwd=self._task["directory"],
            env=self._task["environment"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=self._limited(),  # noqa: PLW1509 -- this process has one thread
        )

    def _limited(self) -> Callable[[], None]:
        libc, file_bytes = ctypes.CDLL(None), int(self._limits["file_bytes"])

        def prepare() -> None:
            libc.prctl(_DEATH_SIGNAL, signal.SIGKILL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

        return prepare

    def _watch(self, child: "subprocess.Popen[bytes]", deadline: float) -> str:
        """Wait for the command's end; the limit that was exceeded, if one was."""
        assert child.stdout is not None
        os.set_blocking(child.stdout.fileno(), False)
        ended = os.pidfd_open(child.pid)
        with selectors.DefaultSelector() as selector:
            for file in (child.stdout, sys.stdin.buffer, ended):
                selector.register(file, selectors.EVENT_READ)
            look = 0.0
            while True:
                now = time.monotonic()
                if now >= deadline:
                    return "timeout"
                if now >= look:
                    look = now + _LOOK_SECONDS
                    if limit := self._exceeded():
                        return limit
                for key, _ in selector.select(max(0.0, min(look, deadline) - now)):
                    if key.fileobj is child.stdout and not self._read(child):
                        selector.unregister(child.stdout)
                    elif key.fileobj is sys.stdin.buffer:
                        self._orphaned = True
                        return "orphaned"
                    elif key.fileobj == ended:
                        os.close(ended)
                        self._status = child.wait()
                        return ""

    def _exceeded(self) -> str:
        """Which limit was passed, if any: of processes, memory or disk."""
        found = below(os.getpid())
        if len(found) > self._limits["processes"]:
            return "processes"
        most = self._limits["memory_bytes"]
        resident = sum(process.resident for process in found)
        if resident > most and proportional_bytes([process.pid for process in found]) > most:
            return "memory"
        return "disk" if folder_bytes(self._task["folder"]) > self._limits["disk_bytes"] else ""

    def _read(self, child: "subprocess.Popen[bytes]") -> bool:
        """Take what was written, and keep the latest of it; whether more may come."""
        assert child.stdout is not None
        most = int(self._limits["output_bytes"])
        try:
            piece = os.read(child.stdout.fileno(), 1 << 20)
        except BlockingIOError:
            return True
        self._output += piece
        self._cut += max(0, len(self._output) - most)
        self._output = self._output[-most:]
        return bool(piece)

    def _count_left(self) -> int:
        """How many processes the command left to others to end."""
        until = time.monotonic() + _QUIET_SECONDS
        while time.monotonic() < until:
            self._reap()
            if not (left := len(below(os.getpid()))):
                return 0
            time.sleep(0.02)
        return left

    def _end_all(self, *, gently: bool) -> int:
        """End everything below; how many processes the kernel did not let go."""
        began = time.monotonic()
        kill_from = began + (_TERM_SECONDS if gently else 0)
        if gently:
            self._signal(signal.SIGTERM)
        while time.monotonic() < began + _KILL_SECONDS:
            self._reap()
            found = below(os.getpid())
            if not found and not self._has_children():
                return 0
            if time.monotonic() >= kill_from:
                self._signal(signal.SIGKILL)
            time.sleep(0.01)
        return len(below(os.getpid()))

    def _signal(self, number: int) -> None:
        for process in below(os.getpid()):
            with suppress(OSError):
                os.kill(process.pid, number)

    def _reap(self) -> None:
        """Collect children that ended, the command's status among them."""
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def _has_children(self) -> bool:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True


def main() -> None:
    """Read a task, run it, report, wait for the word to leave, and leave nothing."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: whoever asked decides
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    task = json.loads(sys.stdin.buffer.readline())
    try:
        supervisor = Supervisor(task)
        report = supervisor.run()
        if not supervisor.is_orphaned:
            with suppress(OSError):
                sys.stdout.write(json.dumps(report) + "\n")
                sys.stdout.flush()
            sys.stdin.buffer.read()
    finally:
        shutil.rmtree(task["folder"], ignore_errors=True)


if __name__ == "__main__":
    main()
