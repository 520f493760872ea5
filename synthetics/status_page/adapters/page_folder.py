"""A page in a folder that a web server reads: whole generations, switched by renaming one symbolic link.

FOLDER/current                      -> .generations/<generation>     the web server's root
FOLDER/.generations/<generation>/   the files; never changed once the folder has this name
FOLDER/.generations/<generation>.json   its manifest
FOLDER/.generations/lock            held while a process publishes

What did not change is linked from the generation before (hard links), so that it costs no bytes and keeps its time:
web servers go on answering 304.
"""

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path, PurePosixPath
from typing import Final

from controlplane.ports import Permanent, Transient
from synthetics.status_page.publishing import Manifest, decoded, digest, encoded, fits

CURRENT: Final = "current"
_COPIES: Final = ".generations"
_PRIVATE: Final = "."  # entries that begin with it are being made, or were when a process died
_LOCK: Final = "lock"
_OLD_KEPT: Final = 2
_NAME_DIGEST: Final = 8
_FOLDER_MODE: Final = 0o755  # web servers run as other users
_FILE_MODE: Final = 0o644
_POLL_SECONDS: Final = 0.05
_LASTING: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.ENOSYS})


class PageFolder:
    """Implements `Place`. The folder is made when it is not there; all else in it is left alone."""

    def __init__(self, folder: Path, *, patience_seconds: float = 5) -> None:
        self._folder = folder.absolute()
        self._link = self._folder / CURRENT
        self._copies = self._folder / _COPIES
        self._patience_seconds = patience_seconds

    def manifest(self) -> Manifest | None:
        """None as well when a file is missing: then all are written anew."""
        copy = self._current()
        if copy is None:
            return None
        try:
            found = decoded((self._copies / f"{copy}.json").read_bytes())
        except OSError:
            return None
        folder = self._copies / copy
        return found if found and all((folder / path).is_file() for path in found.digests) else None

    def put(self, manifest: Manifest, changed: Mapping[str, bytes]) -> bool:
        """A new generation beside the old one, on disk, then one rename."""
        with self._sorting_errors(), self._exclusive():
            before = self.manifest()
            if before is not None and before.at >= manifest.at:
                return False
            if not fits(before, manifest, changed):
                raise Transient(f"{self._folder} has changed meanwhile")
            if self._link.exists() and not self._link.is_symlink():
                raise Permanent(f"{self._link} is not a link of ours: move it away, or publish to another folder")
            name = f"{manifest.at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{digest(encoded(manifest))[:_NAME_DIGEST]}"
            self._create(name, manifest, changed)
            self._switch(name)
            self._prune(name)
            return True

    def _current(self) -> str | None:
        try:
            target = self._link.readlink()
        except OSError:
            return None
        return target.name if target.parent.name == _COPIES and self._link.exists() else None

    def _create(self, name: str, manifest: Manifest, changed: Mapping[str, bytes]) -> None:
        unfinished = Path(tempfile.mkdtemp(prefix=_PRIVATE, dir=self._copies))
        written = [_write(unfinished / path, content) for path, content in changed.items()]
        for path in manifest.digests.keys() - changed.keys():
            _link(self._link / path, unfinished / path)
        about = unfinished.with_name(f"{unfinished.name}.json")
        _write(about, encoded(manifest))
        folders = {parent for path in manifest.digests for parent in PurePosixPath(path).parents}
        for made in [*written, about, *(unfinished / folder for folder in folders)]:
            _sync(made)  # once all are written: the first waits for the disk, the others hardly do
        for folder in folders:
            (unfinished / folder).chmod(_FOLDER_MODE)
        about.rename(self._copies / f"{name}.json")
        if (self._copies / name).exists():  # left by a process that died before it switched, or damaged since
            shutil.rmtree(self._copies / name)
        unfinished.rename(self._copies / name)
        _sync(self._copies)

    def _switch(self, name: str) -> None:
        unfinished = Path(tempfile.mkdtemp(prefix=_PRIVATE, dir=self._copies))
        (unfinished / "link").symlink_to(f"{_COPIES}/{name}")
        (unfinished / "link").rename(self._link)
        _sync(self._folder)
        unfinished.rmdir()

    def _prune(self, current: str) -> None:
        """Oldest first; what cannot be removed does no harm. Readers of the last generations are not done yet."""
        names = [path.name for path in self._copies.iterdir() if path.name != _LOCK]
        copies = sorted({name.removesuffix(".json") for name in names if not name.startswith(_PRIVATE)})
        kept = {current, *[name for name in copies if name != current][-_OLD_KEPT:]}
        for name in names:
            if name.removesuffix(".json") in kept:
                continue
            path = self._copies / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        for folder in (self._folder, self._copies):
            if not folder.is_dir():
                folder.mkdir(parents=True)
                folder.chmod(_FOLDER_MODE)
                _sync(folder.parent)
        lock = os.open(self._copies / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        try:
            deadline = time.monotonic() + self._patience_seconds
            while not _locked(lock):
                if time.monotonic() > deadline:
                    raise Transient(f"another process is publishing to {self._folder}")
                time.sleep(_POLL_SECONDS)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _sorting_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"{error.filename or self._folder}: {error.strerror}"
            raise (Permanent if error.errno in _LASTING else Transient)(message) from error


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:
        out.write(content)
        os.fchmod(out.fileno(), _FILE_MODE)
    return path


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(source, target)
        _sync(target)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
