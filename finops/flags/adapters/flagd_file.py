"""Flags in a flagd file: one place of it is changed, and readers see the old file or the new one, never less."""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent, Transient
from finops.flags.adapters.flagd_text import FlagdFlag, NotJSON, flags_of, with_defaults
from finops.flags.comparing import due, fits, shown
from finops.flags.model import Capabilities, DeclaredFlag, FlagEdit, FlagState, FlagUse, FlagWrite, WriteNote
from finops.flags.ports import Conflict

MOST_BYTES: Final = 8 * 2**20
_PATIENCE_SECONDS: Final = 4.0
_LOCK_RETRY_SECONDS: Final = 0.01
_TICK_NS: Final = 1_000_000
_REFUSED: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.ELOOP)


class FlagdFile:
    """Implements `FlagStore`. Writers of ours exclude each other with a lock file beside the flags.

    A set of flags is one new file, so all of them change or none. Somebody who edits the file without the lock is
    noticed up to the moment in which the new file takes its place. Mode, owner and extended attributes are kept, links
    are followed, and nothing but `defaultVariant` changes.
    """

    capabilities: Final = Capabilities(is_atomic=True, compares=True, visible_within=timedelta(seconds=2))

    def __init__(self, path: Path) -> None:
        if path.suffix in (".yaml", ".yml"):
            raise Permanent(
                f"{path} is YAML: flags that Flyball writes stand in JSON, which keeps their order and text"
            )
        self._path = path

    def read(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagState]:
        """As the port says. A flag that is DISABLED or names no default variant does not exist for applications."""
        text, _ = self._load(self._path)
        found = self._flags(text, frozenset(flag.name for flag in flags))
        return {flag.name: self._state(flag, found.get(flag.name)) for flag in flags}

    def write(self, writes: Sequence[FlagWrite], note: WriteNote) -> None:
        """As the port says; all of them or none."""
        del note  # a flagd file has no place for it
        if not writes:
            return
        path = self._real_path()
        with self._locked(path):
            text, status = self._load(path)
            found = self._flags(text, frozenset(write.seen.flag for write in writes))
            wanted = {write.seen.flag: self._variant(write, found.get(write.seen.flag)) for write in writes}
            states = {name: FlagState(name, _plain(flag.value), flag.default or "") for name, flag in found.items()}
            changes = {write.seen.flag: wanted[write.seen.flag] for write in due(writes, states)}
            if changes:
                self._replace(path, with_defaults(text, changes, found).encode(), status, list(changes))

    def history(self, flag: str, since: datetime) -> list[FlagEdit]:
        """Nothing: a file does not tell who changed it."""
        del flag, since
        return []

    def uses(self, flags: Sequence[DeclaredFlag]) -> list[FlagUse]:
        """Nothing is known of evaluations; targeting rules and flags that are off are noted."""
        text, _ = self._load(self._path)
        found = self._flags(text, frozenset(flag.name for flag in flags))
        return [FlagUse(flag.name, note=_remark(found.get(flag.name))) for flag in flags]

    def close(self) -> None:
        """Nothing is kept open."""

    def _state(self, flag: DeclaredFlag, found: FlagdFlag | None) -> FlagState:
        if found is None or found.value is None:
            return FlagState(flag.name, None)
        if not fits(flag, found.value):
            raise Permanent(
                f"{self._path}: flag {flag.name} is declared as {flag.type.value}, and its variant {found.default} is none"
            )
        return FlagState(flag.name, _plain(found.value), found.default or "")

    def _flags(self, text: str, names: frozenset[str]) -> dict[str, FlagdFlag]:
        try:
            return flags_of(text, names)
        except NotJSON as error:
            raise Transient(f"{self._path} is no JSON: {error}") from None
        except Permanent as error:
            raise Permanent(f"{self._path}: {error}") from None

    def _variant(self, write: FlagWrite, found: FlagdFlag | None) -> str:
        name = write.seen.flag
        if found is None:
            raise Permanent(f"{self._path}: there is no flag {name}")
        if not found.is_enabled:
            raise Permanent(
                f"{self._path}: flag {name} is DISABLED, so no application sees it: set its state to ENABLED"
            )
        if found.default is None:
            raise Permanent(f"{self._path}: flag {name} has no defaultVariant: name the variant of full service there")
        variant = found.variant_of(write.value)
        if variant is None:
            has = ", ".join(f"{name} = {shown(_plain(value))}" for name, value in list(found.variants.items())[:10])
            raise Permanent(
                f"{self._path}: flag {name} has no variant with the value {shown(write.value)}; it has {has}"
            )
        return variant

    def _real_path(self) -> Path:
        try:
            return self._path.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise _unreadable(self._path, error) from None

    def _load(self, path: Path) -> tuple[str, os.stat_result]:
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

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Other writers wait; the kernel lets go of the lock when a process dies. The lock file stays: removing it
        would let two writers lock two files.
        """
        lock = path.with_name(f".{path.name}.lock")
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o660)
        except OSError as error:
            raise _unwritable(path, error) from None
        try:
            _lock(handle, path)
            yield
        finally:
            os.close(handle)

    def _replace(self, path: Path, content: bytes, status: os.stat_result, flags: Sequence[str]) -> None:
        """Put a complete file into the place of the old one, unless that is not the one any more that was read."""
        new = path.with_name(f".{path.name}.new")
        try:
            with suppress(FileNotFoundError):
                new.unlink()  # of a writer that was killed; the lock is ours
            _write_complete(new, content, path, status)
            if _identity(path.stat()) != _identity(status):
                raise Conflict(f"somebody else wrote {path} at the same time", flags)
            new.rename(path)
            _flush_folder(path.parent)
        except OSError as error:
            raise _unwritable(path, error) from None
        finally:
            with suppress(OSError):
                new.unlink()


def _write_complete(new: Path, content: bytes, old: Path, status: os.stat_result) -> None:
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        made = os.fstat(handle)
        if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
            os.fchown(handle, status.st_uid, status.st_gid)
        os.fchmod(handle, stat.S_IMODE(status.st_mode))
        _copy_attributes(old, handle)
        # Readers look for a later time of change, and the file system's clock ticks in milliseconds.
        if made.st_mtime_ns < status.st_mtime_ns + _TICK_NS:
            os.utime(handle, ns=(made.st_atime_ns, status.st_mtime_ns + _TICK_NS))
        os.fsync(handle)


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


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe would make us wait for its writer


def _lock(handle: int, path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
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


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _plain(value: object) -> FlagValue | None:
    return value if isinstance(value, bool | int | str) else None


def _remark(found: FlagdFlag | None) -> str:
    if found is None:
        return "not in the file"
    if not found.is_enabled:
        return "DISABLED: applications take their own default"
    return "targeting rules decide for some" if found.has_targeting else ""


def _unreadable(path: Path, error: Exception) -> Transient:
    # Somebody may just be replacing it: this may pass.
    reason = getattr(error, "strerror", None) or str(error)
    return Transient(f"{path} cannot be read: {reason.lower()}")


def _unwritable(path: Path, error: OSError) -> Permanent | Transient:
    reason = (error.strerror or "it cannot be written").lower()
    if error.errno not in _REFUSED:
        return Transient(f"{path} cannot be written: {reason}")
    hint = f"Flyball replaces it by a new file beside it, so it must be allowed to write the folder {path.parent}"
    return Permanent(f"{path} cannot be written: {reason}. {hint}.")
