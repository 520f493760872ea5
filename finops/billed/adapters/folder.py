"""The ledger's folder: one catalogue file that is switched atomically, and immutable folders that it refers to.

catalogue.json                         what counts; replaced by rename
lock                                   held by the one process that writes
partitions/<source>/<period>/<id>/     raw-*.parquet, daily.parquet, tags.parquet; never changed
work/<id>/                             what is being made; swept by the next writer
"""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from controlplane.ports import Permanent, Transient
from finops.billed.ledger.encoding import NotACatalogue, decoded, encoded
from finops.billed.ledger.partition import Catalogue, PartitionKey

CATALOGUE: Final = "catalogue.json"
RAW: Final = "raw-{number:05d}.parquet"
RAW_PATTERN: Final = "raw-*.parquet"
DAILY: Final = "daily.parquet"
TAGS: Final = "tags.parquet"
_LOCK: Final = "lock"
_WORK: Final = "work"
_PARTITIONS: Final = "partitions"
_KEPT_HISTORY: Final = 1000
_PRIVATE: Final = 0o700


class LedgerFolder:
    """Reads and switches the catalogue. Readers need no lock; what they have read stays there until a later import."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def catalogue(self) -> Catalogue:
        """What counts now; empty when nothing was imported yet. Raises `Permanent` when it is damaged."""
        path = self.path / CATALOGUE
        try:
            return decoded(path.read_bytes())
        except FileNotFoundError:
            return Catalogue()
        except NotACatalogue as error:
            message = f"{path} cannot be used: {error}. Restore it, or remove {self.path} and import again"
            raise Permanent(message) from None
        except OSError as error:
            raise Transient(f"{path} cannot be read: {error.strerror}") from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Held by one process at a time; sweeps what a killed one has left. Raises `Transient` while another writes."""
        try:
            self.path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            lock = (self.path / _LOCK).open("ab")
        except OSError as error:
            raise Permanent(f"{self.path} cannot be written: {error.strerror}") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Transient(f"another import is writing to {self.path}; try again when it is done") from None
            self._sweep(self.catalogue())
            yield

    @contextmanager
    def work(self) -> Iterator[Path]:
        """A folder to make things in; gone afterwards."""
        folder = self.path / _WORK / uuid.uuid4().hex
        folder.mkdir(mode=_PRIVATE, parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def place(self, made: Path, key: PartitionKey) -> str:
        """Move what was made to where partitions lie, safe against power cuts; returns its path in the ledger."""
        relative = Path(_PARTITIONS) / key.source / key.period.isoformat() / uuid.uuid4().hex
        target = self.path / relative
        target.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        for file in made.iterdir():
            _sync(file)
        _sync(made)
        made.rename(target)
        for folder in (target.parent, target.parent.parent, target.parent.parent.parent, self.path):
            _sync(folder)
        return relative.as_posix()

    def switch(self, catalogue: Catalogue) -> None:
        """Let this count from now on: all of it, or after a crash none of it."""
        kept = replace(catalogue, history=catalogue.history[-_KEPT_HISTORY:])
        temporary = self.path / f".{CATALOGUE}.{uuid.uuid4().hex}"
        with temporary.open("wb") as file:
            file.write(encoded(kept))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path / CATALOGUE)
        _sync(self.path)

    def _sweep(self, catalogue: Catalogue) -> None:
        """Remove what nothing refers to: leftovers of a killed writer, and partitions that were replaced before."""
        shutil.rmtree(self.path / _WORK, ignore_errors=True)
        for leftover in self.path.glob(f".{CATALOGUE}.*"):
            leftover.unlink(missing_ok=True)
        used = {self.path / each.folder for each in catalogue.partitions.values()}
        for folder in self.path.glob(f"{_PARTITIONS}/*/*/*"):
            if folder not in used:
                shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
