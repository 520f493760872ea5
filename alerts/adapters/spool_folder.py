"""The spool of critical pages as a folder of JSON files, one a notification, each written whole and synced to disk.

A disk that takes nothing, full like the one below the database, holds no page up: what it did not take is kept in
memory and leaves from there.
"""

import json
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alerts.delivery.spool.model import Spooled, from_json, to_json
from controlplane.ports import Permanent, Transient

MOST_FILES: Final = 1000
MOST_BYTES: Final = 8 * 2**20  # of one file: more than the webhook takes
_SUFFIX: Final = ".json"
_BROKEN: Final = ".broken"
log = logging.getLogger(__name__)


class SpoolFolder:
    """Implements `SpoolStore`. Threads may share it; each process needs a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._kept: dict[str, Spooled] | None = None  # what the folder holds, once it was read

    def put(self, spooled: Spooled) -> None:
        """Write it under a temporary name, sync it, and rename it. `Permanent` when `MOST_FILES` are there.

        What the disk does not take is kept in memory alone: whoever sent it was told to send it again.
        """
        content = json.dumps(to_json(spooled), ensure_ascii=False).encode("utf-8", "backslashreplace")
        if len(content) > MOST_BYTES:
            raise Permanent(f"a notification of {len(content):,} bytes is too large for the spool")
        with self._lock:
            kept = self._read()
            if spooled.id not in kept and len(kept) >= MOST_FILES:
                raise Permanent(f"the spool holds {MOST_FILES:,} notifications and takes no more")
            kept[spooled.id] = spooled
            try:
                self._write(self._path(spooled), content)
            except OSError as error:
                log.error("alerts.spool_in_memory", extra={"id": spooled.id, "error": error.strerror or str(error)})

    def all(self) -> Sequence[Spooled]:
        """All, in the order in which they were received."""
        with self._lock:
            return sorted(self._read().values(), key=lambda each: (each.received_at, each.id))

    def forget(self, spooled: str) -> None:
        """Remove the file. One that comes back after a crash is handed in again, which changes nothing."""
        with self._lock:
            known = self._read().pop(spooled, None)
            if known is not None:
                try:
                    self._path(known).unlink(missing_ok=True)
                except OSError as error:
                    if self._path(known).exists():  # otherwise it was in memory alone
                        raise _failed(error) from error

    def count(self) -> int:
        """How many are kept."""
        with self._lock:
            return len(self._read())

    def _path(self, spooled: Spooled) -> Path:
        return self._folder / f"{spooled.id}{_SUFFIX}"

    def _read(self) -> dict[str, Spooled]:
        if self._kept is None:
            found: dict[str, Spooled] = {}
            try:
                paths = sorted(self._folder.glob(f"*{_SUFFIX}")) if self._folder.is_dir() else []
                for path in paths[:MOST_FILES]:
                    spooled = _spooled(path)
                    if spooled is not None:
                        found[spooled.id] = spooled
            except OSError as error:
                raise _failed(error) from error
            self._kept = found
        return self._kept

    def _write(self, path: Path, content: bytes) -> None:
        part = path.with_suffix(".part")
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync(self._folder)


def _spooled(path: Path) -> Spooled | None:
    """What the file holds; one that nobody can read is put aside, for a person to look at."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        kept = json.loads(path.read_bytes())
        return from_json(kept if isinstance(kept, dict) else {})
    except (ValueError, TypeError, RecursionError) as error:
        log.error("alerts.spool_unreadable", extra={"file": path.name, "error": str(error)})
        path.replace(path.with_suffix(_BROKEN))
        return None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(error: OSError) -> Transient:
    return Transient(f"the spool of pages: {error.strerror or error}")
