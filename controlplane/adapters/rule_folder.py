"""Generations of files on disk, switched by renaming one symbolic link.

RULES/current                  -> .generations/<copy>      what the engine reads: RULES/current/*.yaml
RULES/.generations/last-good   -> <copy>                   what was last verified to run
RULES/.generations/<copy>/     the files; never changed once the folder has this name
RULES/.generations/lock        held while a process applies
"""

import errno
import fcntl
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from controlplane.model.generation import Generation, GoodCopy, TextFile
from controlplane.ports import Permanent, Transient

_PRIVATE: Final = "."  # entries below .generations that begin with it are being made, or were when we crashed
_LAST_GOOD: Final = "last-good"
_LOCK: Final = "lock"
_LASTING: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP})
_FOLDER_MODE: Final = 0o755  # Prometheus runs as another user
_FILE_MODE: Final = 0o644
_POLL_SECONDS: Final = 0.05


class RuleFolderOnDisk:
    """The folder that users call `rulesDirectory`; made when it is not there. Everything else in it is left alone.

    `exclusive` waits up to `patience_seconds` for another process. Implements `slo.ports.RuleFolder`.
    """

    def __init__(self, folder: Path, *, patience_seconds: float = 5) -> None:
        self._folder = folder.absolute()
        self._link = self._folder / "current"
        self._copies = self._folder / ".generations"
        self._patience_seconds = patience_seconds

    @property
    def rule_files(self) -> str:
        """What belongs into Prometheus' `rule_files`."""
        return str(self._link / "*.yaml")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the lock. Raises `Transient` when another process holds it for longer than we wait."""
        with self._sorting_errors():
            self._make_folders()
            lock = os.open(self._copies / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        try:
            deadline = time.monotonic() + self._patience_seconds
            while not _locked(lock):
                if time.monotonic() > deadline:
                    raise Transient(f"another process is applying rules to {self._folder}")
                time.sleep(_POLL_SECONDS)
            yield
        finally:
            os.close(lock)

    def write(self, generation: Generation) -> str:
        """A whole copy: one that is there, or a new one that appears complete."""
        with self._sorting_errors():
            for number in itertools.count():
                copy = f"{generation.id}.{number}" if number else generation.id
                if not (self._copies / copy).exists():
                    self._create(copy, generation)
                    return copy
                if self.read(copy) == generation.files:
                    return copy
        raise AssertionError("there is always another number")

    def read(self, copy: str) -> tuple[TextFile, ...]:
        """The files, undecodable bytes as surrogates; what cannot be read is not there."""
        folder = self._copies / copy
        try:
            paths = sorted(path for path in folder.iterdir() if path.is_file())
            return tuple(TextFile(path.name, path.read_bytes().decode(errors="surrogateescape")) for path in paths)
        except OSError:
            return ()

    def read_one(self, copy: str, name: str) -> str | None:
        """One of its files, or None: the others may be tens of megabytes."""
        try:
            return (self._copies / copy / name).read_bytes().decode(errors="surrogateescape")
        except OSError:
            return None

    def switch(self, copy: str) -> None:
        """One rename: a reader sees the files of before or those of after."""
        with self._sorting_errors():
            if self._link.exists() and not self._link.is_symlink():
                raise Permanent(f"{self._link} is not a link of ours: move it away, or choose another rules directory")
            self._point(self._link, f"{self._copies.name}/{copy}")

    def current(self) -> str | None:
        """None as well when the link points elsewhere or to nothing."""
        target = _target(self._link)
        return target.name if target and self._link.exists() and target.parent.name == self._copies.name else None

    def mark_good(self, copy: str) -> None:
        """One rename."""
        with self._sorting_errors():
            self._point(self._copies / _LAST_GOOD, copy)

    def last_good(self) -> GoodCopy | None:
        """Its marking is the link's inode and time: two links made within one tick of the clock differ in the first."""
        link = self._copies / _LAST_GOOD
        target = _target(link)
        if target is None or not link.exists():
            return None
        status = link.lstat()
        return GoodCopy(target.name, f"{status.st_ino}-{status.st_mtime_ns}")

    def prune(self, keep: int) -> None:
        """Oldest first. A copy that cannot be removed stays: it does no harm."""
        with self._sorting_errors():
            self._prune(keep)

    def _prune(self, keep: int) -> None:
        good = self.last_good()
        used = {self.current(), good.copy if good else None}
        entries = [path for path in self._copies.iterdir() if path.name not in (_LAST_GOOD, _LOCK)]
        copies = [path for path in entries if not path.name.startswith(_PRIVATE)]
        copies.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in [*copies[keep:], *(path for path in entries if path not in copies)]:
            if path.is_symlink():
                path.unlink(missing_ok=True)
            elif path.name not in used:
                shutil.rmtree(path, ignore_errors=True)

    def _make_folders(self) -> None:
        for folder in (self._folder, self._copies):
            if not folder.is_dir():
                folder.mkdir(parents=True)
                folder.chmod(_FOLDER_MODE)
                _sync(folder.parent)

    def _create(self, copy: str, generation: Generation) -> None:
        unfinished = Path(tempfile.mkdtemp(prefix=_PRIVATE, dir=self._copies))
        for file in generation.files:
            with (unfinished / file.name).open("xb") as out:
                out.write(file.text.encode())
                os.fchmod(out.fileno(), _FILE_MODE)
        for file in generation.files:  # once all are written: the first waits for the disk, the others hardly do
            _sync(unfinished / file.name)
        unfinished.chmod(_FOLDER_MODE)
        _sync(unfinished)
        unfinished.rename(self._copies / copy)
        _sync(self._copies)

    def _point(self, link: Path, target: str) -> None:
        if link.is_symlink() and str(link.readlink()) == target and link == self._link:
            return
        unfinished = Path(tempfile.mkdtemp(prefix=_PRIVATE, dir=self._copies))
        (unfinished / "link").symlink_to(target)
        (unfinished / "link").rename(link)
        _sync(link.parent)
        unfinished.rmdir()

    @contextmanager
    def _sorting_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"{error.filename or self._folder}: {error.strerror}"
            raise (Permanent if error.errno in _LASTING else Transient)(message) from error


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _target(link: Path) -> Path | None:
    try:
        return link.readlink()
    except OSError:
        return None


def _sync(path: Path) -> None:
    """Wait until it is on disk. Names in a folder are safe only once the folder itself is."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
