"""What is kept of failed runs: readable by the owner only, without secrets, so many and so much of each journey."""

import os
import shutil
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from synthetics.journeys.adapters.traces import scrubbed
from synthetics.masking import Masker

_MOST_FILE_BYTES: Final = 64 * 1024 * 1024
_MOST_FILES: Final = 10  # of one run


@dataclass(frozen=True, slots=True)
class Artifacts:
    """A folder with one folder for each journey, and in it one for each kept run. The latest run is always kept."""

    folder: Path
    most_runs: int = 10
    most_bytes: int = 100 * 1024 * 1024

    def keep(
        self, journey: str, started_at: datetime, trace_id: str, found: Sequence[Path], output: str, masker: Masker
    ) -> tuple[Path, ...]:
        """Copy these files of a run without its secrets, and forget the oldest runs; the files as they are kept."""
        place = self.folder / journey / f"{started_at:%Y%m%dT%H%M%SZ}-{trace_id[:8]}"
        for each in (self.folder, self.folder / journey, place):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = []
        for path in found[:_MOST_FILES]:
            content = _content(path)
            if path.suffix == ".zip" and content is not None:
                content = scrubbed(content, masker)
            if content is not None:
                kept.append(_write(place / path.name, content))
        if output:
            kept.append(_write(place / "output.txt", masker.text(output).encode()))
        self._forget_old(place.parent, place)
        return tuple(kept)

    def _forget_old(self, runs: Path, latest: Path) -> None:
        """Names of runs begin with their time."""
        total, count = _bytes(latest), 1
        for run in sorted((each for each in runs.iterdir() if each != latest), reverse=True):
            total, count = total + _bytes(run), count + 1
            if count > self.most_runs or total > self.most_bytes:
                shutil.rmtree(run, ignore_errors=True)


def found_in(folder: Path) -> list[Path]:
    """Screenshots and traces that a run left in a folder, under the names that they are kept by."""
    found = [path for path in folder.rglob("*") if path.suffix in (".png", ".zip")]
    return sorted(found)


def _content(path: Path) -> bytes | None:
    """A regular file's content; None for anything else, and for what is too large: a journey may leave odd things."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = file.read(_MOST_FILE_BYTES + 1)
    return content if len(content) <= _MOST_FILE_BYTES else None


def _write(path: Path, content: bytes) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return path


def _bytes(run: Path) -> int:
    total = 0
    with suppress(OSError):
        total = sum(path.lstat().st_size for path in run.rglob("*"))
    return total
