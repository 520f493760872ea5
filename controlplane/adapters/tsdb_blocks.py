"""Blocks of Prometheus' database, made by promtool from samples: one for each stretch of time.

promtool reads its input once for every block that it makes, so samples are sorted into one file for each.
"""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from controlplane.adapters import openmetrics
from controlplane.ports import Permanent, Transient

LONGEST: Final = timedelta(hours=486)
"""The longest block that Prometheus' sizes allow below 31 days: 2 h and five times three times as long."""

_SIZES: Final = tuple(timedelta(hours=2 * 3**power) for power in range(6))  # tsdb.ExponentialBlockRanges
_PATIENCE_SECONDS: Final = 3600
_INPUT: Final = "samples-"


@dataclass(frozen=True, slots=True)
class Block:
    """A block, and one sample that is in it: where the series is at `unix_seconds`, the block has been taken."""

    name: str
    series: str
    unix_seconds: int


def block_size(longest: timedelta | None) -> timedelta:
    """The largest of Prometheus' block sizes that is not longer than its own longest; unknown: as few as possible."""
    return max((size for size in _SIZES if longest is None or size <= longest), default=_SIZES[0])


class BlockMaker:
    """Sorts samples into files in `folder`, which exists and is empty, and makes blocks of them there."""

    def __init__(self, folder: Path, size: timedelta) -> None:
        self._folder = folder
        self._seconds = int(size.total_seconds())
        self._files: dict[int, TextIO] = {}
        self._samples: dict[int, tuple[str, int]] = {}

    def add(self, labels: Mapping[str, str], unix_seconds: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Samples of one series, in the order of time. Raises `Transient` when the disk is full."""
        blocks = unix_seconds // self._seconds
        for block in np.unique(blocks).tolist():
            inside = blocks == block
            times = unix_seconds[inside].tolist()
            text = openmetrics.lines(labels, times, values[inside].tolist())
            self._samples.setdefault(block, (openmetrics.selector(labels), times[0]))
            try:
                self._file(block).write(text)
            except OSError as error:
                raise Transient(f"{self._folder}: {error.strerror}") from error

    def make(self, progress: Callable[[float], None] = lambda share: None) -> list[Block]:
        """Turn what was added into blocks, in the order of time, and remove the files. Raises as promtool fails."""
        made: list[Block] = []
        for done, block in enumerate(sorted(self._files)):
            path = self._close(block)
            before = set(self._folder.iterdir())
            _promtool(path, self._folder, self._seconds)
            path.unlink()
            made += [Block(each.name, *self._samples[block]) for each in self._folder.iterdir() if each not in before]
            progress((done + 1) / len(self._files))
        return made

    def close(self) -> None:
        """Close the files, if any are open."""
        for file in self._files.values():
            file.close()

    def _file(self, block: int) -> TextIO:
        if block not in self._files:
            self._files[block] = (self._folder / f"{_INPUT}{block}").open("w", encoding="utf-8")
        return self._files[block]

    def _close(self, block: int) -> Path:
        file = self._files[block]
        try:
            file.write(openmetrics.END)
            file.close()
        except OSError as error:
            raise Transient(f"{self._folder}: {error.strerror}") from error
        return Path(file.name)


def _promtool(source: Path, target: Path, seconds: int) -> None:
    program = shutil.which("promtool")
    if program is None:
        raise Permanent("promtool is not installed: it makes the blocks. Install it, or take another --method")
    command = [
        program, "tsdb", "create-blocks-from", "openmetrics", "--quiet",
        f"--max-block-duration={seconds // 3600}h", str(source), str(target),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Transient(f"promtool: {error}") from error
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())[-500:]
        raise Permanent(f"promtool made no blocks: {words}")
