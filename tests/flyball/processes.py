"""`flyball up` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyball.demo.servers import end_with_parent, stop
from tests.flyball.running import NOWHERE, TOKEN, eventually

FLYBALL = Path(sys.executable).parent / "flyball"


def environment(**more: str) -> dict[str, str]:
    """What a process is told: a webhook secret, a free port, logs as JSON, no Prometheus."""
    return {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "FLYBALL_WEBHOOK_TOKEN": TOKEN,
        "FLYBALL_LISTEN": "127.0.0.1:0",
        "FLYBALL_PROMETHEUS_URL": NOWHERE,
        "FLYBALL_LOG_FORMAT": "json",
        "FLYBALL_LEASE_SECONDS": "2",
    } | more


def _on_its_own() -> None:
    end_with_parent()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup


@dataclass(frozen=True)
class Process:
    """A running `flyball up`, and what it writes."""

    child: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    def logs(self) -> list[dict[str, Any]]:
        """Its complete log lines so far."""
        lines = self.err.read_text(errors="replace").split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Log lines of one event."""
        return [line for line in self.logs() if line["event"] == event]

    @property
    def url(self) -> str:
        """Where it listens; waits until it says so."""

        def said() -> bool:
            assert self.child.poll() is None, self.err.read_text()
            return bool(self.logged("process.started"))

        eventually(said)
        return str(self.logged("process.started")[0]["console"])

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()


@contextmanager
def flyball_up(folder: Path, *arguments: str, name: str = "up", **environ: str) -> Iterator[Process]:
    """Start it in `folder`; it is stopped at the end of the block if it still runs."""
    out, err = folder.parent / f"{folder.name}-{name}.out", folder.parent / f"{folder.name}-{name}.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        child = subprocess.Popen(
            [FLYBALL, "up", folder, *arguments],
            env=environment(**environ),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            preexec_fn=_on_its_own,
        )
    try:
        yield Process(child, out, err)
    finally:
        child.send_signal(signal.SIGCONT)
        stop(child, 30)
