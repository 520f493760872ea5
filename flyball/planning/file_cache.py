"""What files of a workspace said when they were last read, kept between processes (docs/decisions/0005).

Only texts and numbers are kept, no objects, so that a cache that somebody altered can give wrong plans but run no code;
and nothing but plans reads it. It lies in a folder that only its owner may enter, in SQLite, which takes care of
processes that use it at once. Whatever is wrong with it, it is thrown away and made again.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

_BUSY_SECONDS: Final = 2.0
_MOST_WORKSPACES: Final = 20
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS made_by (code TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS file (
        path TEXT PRIMARY KEY, stamp TEXT NOT NULL, digest BLOB NOT NULL, declared BLOB NOT NULL, slos TEXT NOT NULL,
        seal BLOB NOT NULL
    ) WITHOUT ROWID;
"""


class CachedSLO(NamedTuple):
    """An SLO as a manifest's line, and where it stands in its file. Of these there are many: tuples are made fast."""

    name: str
    line: str
    at_line: int
    at_column: int


class CachedFile(NamedTuple):
    """What a file without mistakes says.

    `stamp` tells whether it was saved since, `digest` whether its content is another. `declared` is a digest of what
    SLOs in other files may depend on, empty when there is none.
    """

    stamp: str
    digest: bytes
    declared: bytes
    slos: tuple[CachedSLO, ...]


class FileCache:
    """The files of one workspace. Neither method raises: without a usable cache everything is read, that is all."""

    def __init__(self, folder: Path, workspace: Path, code: str) -> None:
        name = hashlib.sha256(os.fsencode(workspace.absolute())).hexdigest()[:24]
        self._folder = folder
        self._path = folder / f"{name}.db"
        self._code = code

    def load(self) -> dict[str, CachedFile]:
        """The files by path; empty when there is nothing that the same code wrote whole."""
        if not self._is_private() or not self._path.exists():
            return {}
        try:
            with closing(self._open()) as database:
                if database.execute("SELECT code FROM made_by").fetchall() != [(self._code,)]:
                    return {}
                rows = database.execute("SELECT path, stamp, digest, declared, slos, seal FROM file").fetchall()
            return {row[0]: _unsealed(row) for row in rows}
        except sqlite3.OperationalError:  # locked, or the disk
            return {}
        except (sqlite3.DatabaseError, ValueError, TypeError):
            self._forget()
            return {}

    def store(self, changed: Mapping[str, CachedFile], removed: Iterable[str], *, whole: bool) -> None:
        """Remember files; with `whole`, they are all that there is."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_private():
                return
            with closing(self._open()) as database, database:
                if whole:
                    database.executescript("DROP TABLE IF EXISTS file; DROP TABLE IF EXISTS made_by;" + _SCHEMA)
                    database.execute("INSERT INTO made_by VALUES (?)", (self._code,))
                database.executemany("DELETE FROM file WHERE path = ?", [(path,) for path in removed])
                rows = [_sealed(path, file) for path, file in changed.items()]
                database.executemany("REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._prune()
        except sqlite3.OperationalError:
            return
        except sqlite3.DatabaseError:
            self._forget()
        except (OSError, ValueError):
            return

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _is_private(self) -> bool:
        """Whether nobody else can write there."""
        try:
            status = self._folder.stat()
        except OSError:
            return False
        return status.st_uid == os.geteuid() and not status.st_mode & 0o022

    def _forget(self) -> None:
        with suppress(OSError):
            self._path.unlink()

    def _prune(self) -> None:
        """Forget workspaces that were not planned for the longest time."""
        caches = sorted(self._folder.glob("*.db"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in caches[_MOST_WORKSPACES:]:
            path.unlink(missing_ok=True)


_Row = tuple[str, str, bytes, bytes, str, bytes]


def _sealed(path: str, file: CachedFile) -> _Row:
    slos = "\n".join(f"{slo.at_line}\t{slo.at_column}\t{slo.name}\t{slo.line}" for slo in file.slos)
    return path, file.stamp, file.digest, file.declared, slos, _seal(path, file.stamp, file.digest, file.declared, slos)


def _unsealed(row: _Row) -> CachedFile:
    path, stamp, digest, declared, slos, seal = row
    if seal != _seal(path, stamp, digest, declared, slos):
        raise ValueError("a row is damaged")
    cells = (each.split("\t", 3) for each in slos.split("\n")) if slos else ()
    found = tuple(CachedSLO(name, line, int(at), int(column)) for at, column, name, line in cells)
    return CachedFile(stamp, digest, declared, found)


def _seal(path: str, stamp: str, digest: bytes, declared: bytes, slos: str) -> bytes:
    """Notices damage, not intent."""
    head = f"{path}\0{stamp}\0{len(slos)}\0".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(b"".join((head, digest, declared, b"\0", slos.encode())), digest_size=8).digest()
