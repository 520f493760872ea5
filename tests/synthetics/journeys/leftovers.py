"""What runs of journeys might leave behind: processes, files, descriptors, threads, memory."""

import os
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from synthetics.journeys.adapters.browser import MARK
from synthetics.journeys.adapters.supervisor import below

_BROWSERS = ("flyball-journey-", "playwright", "chrom")


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What there is at a moment."""

    processes: frozenset[int]
    files: frozenset[str]
    descriptors: int
    threads: int
    resident_bytes: int


def leftovers(temporary: Path) -> Leftovers:
    """What there is now. `temporary` is where the folders of runs are made."""
    with suppress(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    return Leftovers(
        marked(temporary) | {process.pid for process in below(os.getpid())},
        frozenset(str(path) for path in temporary.rglob("*")),
        sum(1 for _ in Path("/proc/self/fd").iterdir()),
        threading.active_count(),
        _resident_bytes(),
    )


def marked(temporary: Path) -> frozenset[int]:
    """Processes that runs with folders in `temporary` have started, wherever they are now."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if f"{MARK}={temporary}/".encode() in (entry / "environ").read_bytes():
                    found.add(int(entry.name))
    return frozenset(found)


def elsewhere() -> frozenset[str]:
    """Files of browsers outside their runs' folders; other browsers of this machine have such ones while they run."""
    found = set()
    for folder in (Path(tempfile.gettempdir()), Path("/dev/shm"), Path.home(), Path.home() / ".config"):
        if folder.is_dir():
            found |= {str(path) for path in folder.iterdir() if any(word in path.name for word in _BROWSERS)}
    return frozenset(found)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
