"""A file replaced in one step by the writers that know of its lock, and who of them wrote what last.

Beside the file NAME stand `.NAME.lock`, `.NAME.writes` (ids of the last writes), and for a moment `.NAME.new`.
Readers need none of them. A writer may be killed between any two statements: the file is the old one or the new one,
and the ids are those of that one.
"""

import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from controlplane.ports import Permanent, Transient

MOST_BYTES: Final = 8 * 2**20
_PATIENCE_SECONDS: Final = 4.0
_LOCK_RETRY_SECONDS: Final = 0.01
_TICK_NS: Final = 1_000_000
_REFUSED: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.ELOOP)
_MOST_TRIES: Final = 5


class Replaced(Exception):
    """Somebody without the lock replaced or wrote the file in the meantime."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's text, what it was when it was read, and ids of last writes by flag."""

    text: str
    status: os.stat_result
    writes: Mapping[str, str] = field(default_factory=dict)


def load(path: Path) -> Loaded:
    """Read it, and the ids that belong to what was read. Raises `Transient` or `Permanent`."""
    for _ in range(_MOST_TRIES):
        text, status = _read(path)
        writes = _last_writes(path, status)
        try:
            if _identity(path.stat()) == _identity(status):
                return Loaded(text, status, writes)
        except OSError as error:
            raise _unreadable(path, error) from None
    raise Transient(f"{path} is replaced all the time")


@contextmanager
def locked(path: Path, patience_seconds: float = _PATIENCE_SECONDS) -> Iterator[None]:
    """Other writers wait, and the kernel lets go of the lock when a process dies; being allowed to read it is enough.

    The lock file stays: removing it would let two writers lock two files. Raises `Transient` when it is not free in
    time.
    """
    lock = _beside(path, "lock")
    try:
        handle = os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        _lock(handle, path, time.monotonic() + patience_seconds)
        yield
    finally:
        os.close(handle)


def replace(path: Path, text: str, old: Loaded, writes: Mapping[str, str]) -> None:
    """Put a complete file into the place of the old one, under the lock, and remember the ids of these writes.

    Mode, owner and extended attributes are kept. Raises `Replaced` when the file is not the one any more that was
    loaded, and changes nothing then.
    """
    new = _beside(path, "new")
    after = {flag: id_ for flag, id_ in {**old.writes, **writes}.items() if id_}
    try:
        _settle(path, new, old)  # what a writer left that was killed; the lock is ours
        try:
            made = _write_complete(new, text.encode(), path, old.status)
            _remember(path, made, old.writes, after)
            if _identity(path.stat()) != _identity(old.status):
                raise Replaced
            new.rename(path)
        except BaseException:
            with suppress(OSError):
                _settle(path, new, old)
            raise
        _flush_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None


def _settle(path: Path, new: Path, old: Loaded) -> None:
    """Ids that were noted for a file that is not in its place are dropped, and then that file.

    The number of a file that is gone may be given to the next new one, so no note of it may be left.
    """
    made = _record(path).get("new")
    if made is not None and made != _inode(path):
        _remember(path, None, old.writes, old.writes)
    new.unlink(missing_ok=True)


def _remember(path: Path, new: os.stat_result | None, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    record = {"new": [new.st_dev, new.st_ino] if new else None, "before": dict(before), "after": dict(after)}
    staged = _beside(path, "writes.new")
    with staged.open("w", encoding="utf-8") as file:
        json.dump(record, file)
        file.flush()
        os.fsync(file.fileno())
    staged.rename(_beside(path, "writes"))


def _last_writes(path: Path, status: os.stat_result) -> Mapping[str, str]:
    record = _record(path)
    if not record:
        return {}
    made = record.get("new")
    waiting = _inode(_beside(path, "new"))
    has_happened = made is None or made == [status.st_dev, status.st_ino] or made != waiting
    found = record.get("after" if has_happened else "before")
    return {str(flag): str(id_) for flag, id_ in found.items()} if isinstance(found, dict) else {}


def _record(path: Path) -> dict[str, object]:
    try:
        with _beside(path, "writes").open("rb") as file:
            record = json.loads(file.read(MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}  # nothing is known then
    return record if isinstance(record, dict) else {}


def _inode(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_dev, status.st_ino]


def _read(path: Path) -> tuple[str, os.stat_result]:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise Permanent(f"{path} is no regular file")
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(content) > MOST_BYTES:
        raise Permanent(f"{path} is larger than {MOST_BYTES // 2**20} MiB")
    try:
        return content.decode(), status
    except UnicodeDecodeError:
        raise Permanent(f"{path} is not UTF-8 text") from None


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe would make us wait for its writer


def _write_complete(new: Path, content: bytes, old: Path, status: os.stat_result) -> os.stat_result:
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        made = os.fstat(handle)
        if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
            os.fchown(handle, status.st_uid, status.st_gid)
        _copy_attributes(old, handle)
        os.fchmod(handle, stat.S_IMODE(status.st_mode))
        # Readers look for a later time of change, and the file system's clock ticks in milliseconds.
        if made.st_mtime_ns < status.st_mtime_ns + _TICK_NS:
            os.utime(handle, ns=(made.st_atime_ns, status.st_mtime_ns + _TICK_NS))
        os.fsync(handle)
    return made


def _copy_attributes(old: Path, handle: int) -> None:
    """Access lists and users' attributes; labels of the system's own are given by the system."""
    try:
        names = os.listxattr(old)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        return
    for name in names:
        if name.startswith(("user.", "system.posix_acl_")):
            os.setxattr(handle, name, os.getxattr(old, name))


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lock(handle: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Transient(f"{path} is locked by another writer") from None
            time.sleep(_LOCK_RETRY_SECONDS)
        except OSError as error:
            raise _unwritable(path, error) from None
        else:
            return


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.{what}")


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _unreadable(path: Path, error: OSError) -> Transient:
    # Somebody may just be replacing it: this may pass.
    return Transient(f"{path} cannot be read: {(error.strerror or str(error)).lower()}")


def _unwritable(path: Path, error: OSError) -> Permanent | Transient:
    reason = (error.strerror or "it cannot be written").lower()
    if error.errno not in _REFUSED:
        return Transient(f"{path} cannot be written: {reason}")
    hint = f"Flyball puts a new file in its place, so it must own the file and may write the folder {path.parent}"
    return Permanent(f"{path} cannot be written: {reason}. {hint}.")
