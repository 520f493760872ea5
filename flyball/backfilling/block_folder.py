"""Blocks on their way: made aside, complete at one moment, then handed to a Prometheus, each at one moment.

Killed before they are complete: what is there is removed by the next run. Killed after: the next run hands over the
rest, and asks nobody what is missing before Prometheus has taken them, so that nothing is written twice.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from controlplane.adapters.tsdb_blocks import Block
from controlplane.ports import Permanent, Transient

JOURNAL: Final = ".flyball-backfill.json"
IN_DATA: Final = "flyball-backfill"
"""The folder inside of Prometheus' data in which blocks are made: on the same disk, and with no name of a block."""

_PARTIAL: Final = ".partial"
_LOCK: Final = ".lock"
_SIGNS_OF_DATA: Final = ("wal", "chunks_head")


class BlockFolder:
    """The folder `path`, which appears when its blocks are complete. Use it inside of `exclusive`."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._partial: Final = path.with_name(path.name + _PARTIAL)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other runs away; raises `Transient` while one is at work."""
        with _named(self.path):
            lock = (self.path.with_name(f".{self.path.name}{_LOCK}")).open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Transient(f"another backfill is at work in {self.path}") from None
            try:
                yield
            finally:
                with _named(self.path):
                    Path(lock.name).unlink(missing_ok=True)

    def holds(self, slos: Collection[str]) -> bool:
        """Whether the complete backfill that is here was about all of these SLOs."""
        return self.blocks() is not None and set(slos) <= set(self._journal()["slos"])

    def blocks(self) -> tuple[Block, ...] | None:
        """The blocks of a complete backfill, wherever they are now; None when there is none here."""
        try:
            return tuple(Block(**each) for each in self._journal()["blocks"])
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise Permanent(f"{self.path / JOURNAL}: cannot be read: {error}") from error

    def waiting(self) -> list[Path]:
        """The blocks that are still here."""
        return [path for each in self.blocks() or () if (path := self.path / each.name).is_dir()]

    def prepare(self) -> Path:
        """An empty folder to make blocks in. Raises `Permanent` where `path` holds something else than our blocks."""
        with _named(self.path):
            if self.path.exists() and self.blocks() is None and any(self.path.iterdir()):
                raise Permanent(f"{self.path} holds other files: name a folder that is empty or not there")
            shutil.rmtree(self._partial, ignore_errors=True)
            self._partial.mkdir(parents=True)
        return self._partial

    def complete(self, blocks: Sequence[Block], slos: Collection[str]) -> None:
        """Let the prepared folder take the place of `path`, whose blocks are elsewhere."""
        with _named(self.path):
            journal = self._partial / JOURNAL
            written = {"slos": sorted(slos), "blocks": [asdict(each) for each in blocks]}
            journal.write_text(json.dumps(written, indent=2) + "\n")
            _synced(journal)
            if self.path.exists():
                shutil.rmtree(self.path)
            self._partial.rename(self.path)
            _synced(self.path.parent)

    def discard(self) -> None:
        """Remove what was not completed."""
        shutil.rmtree(self._partial, ignore_errors=True)

    def hand_over(self, data: Path) -> int:
        """Move the blocks that are still here into Prometheus' data, one by one; how many they were."""
        moved = 0
        with _named(data):
            for path in self.waiting():
                _give_to_owner_of(data, path)
                path.rename(data / path.name)
                moved += 1
            _synced(data)
        return moved

    def _journal(self) -> Any:
        return json.loads((self.path / JOURNAL).read_text())

    def forget(self) -> None:
        """Remove the folder: its blocks have been taken."""
        with _named(self.path):
            shutil.rmtree(self.path)


def in_data_of(data: Path) -> BlockFolder:
    """The folder in which blocks for this Prometheus are made. Raises `Permanent` when that is no data of one."""
    if not any((data / sign).is_dir() for sign in _SIGNS_OF_DATA):
        raise Permanent(f"{data} is not the data folder of a Prometheus: there is no {_SIGNS_OF_DATA[0]} in it")
    if not os.access(data, os.W_OK | os.X_OK):
        raise Permanent(f"{data}: no permission to write; run as the user that Prometheus runs as")
    return BlockFolder(data / IN_DATA)


def wait_until_taken(
    blocks: Sequence[Block], is_there: Callable[[Block], bool], pause: Callable[[], bool]
) -> list[Block]:
    """Those that are not taken when `pause` says that it was long enough."""
    left = [block for block in blocks if not is_there(block)]
    while left and pause():
        left = [block for block in left if not is_there(block)]
    return left


def _give_to_owner_of(data: Path, block: Path) -> None:
    """Prometheus must read and remove it, under whatever user it runs."""
    if os.geteuid() != 0:
        return
    owner = data.stat()
    for path in (block, *block.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Failures of the file system as `Transient`, with the name of what failed."""
    try:
        yield
    except OSError as error:
        raise Transient(f"{error.filename or path}: {error.strerror}") from error
