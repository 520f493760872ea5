"""A workspace's files, from disk."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from controlplane.problems import Problem
from controlplane.specfile import SourceFile

FILE_LIMIT_BYTES: Final = 32 * 2**20  # about 40,000 SLOs in one file
TOTAL_LIMIT_BYTES: Final = 256 * 2**20
MAX_FILES: Final = 100_000
MANIFEST: Final = ".flyball-generated"  # names, a line each, of the files below its folder that Flyball wrote
_SUFFIXES: Final = (".yaml", ".yml")


def read_folder(
    folder: Path, *, limit_bytes: int = FILE_LIMIT_BYTES, total_limit_bytes: int = TOTAL_LIMIT_BYTES
) -> tuple[list[SourceFile], list[Problem]]:
    """Every `*.yaml` and `*.yml` below a folder in the order of their paths, or the one file that `folder` names.

    Hidden files and folders are skipped, and so is what `flyball compile` wrote. Links are followed, each folder once.
    What is missing, unreadable, no regular file or larger than `limit_bytes` is a problem at 1:1, and is not read; so
    is what exceeds `total_limit_bytes` in all. Paths are relative to the working directory where they lie below it, as
    a user would type them.
    """
    files: list[SourceFile] = []
    problems: list[Problem] = []
    left = total_limit_bytes
    for number, path in enumerate(map(Path, _paths(folder, problems))):
        if number >= MAX_FILES:
            problems.append(_problem(folder, f"more than {MAX_FILES:,} YAML files", "name a smaller folder"))
            break
        file = _read(path, problems, limit_bytes, left)
        if file is not None:
            left -= len(file.content)
            files.append(file)
    return files, problems


def fingerprint(folder: Path) -> tuple[tuple[str | int, ...], ...]:
    """A value that changes when a file that `read_folder` would read appears, goes or is saved; reads no content.

    It tells files by inode, size and times, so a save within the file system's own clock tick (some milliseconds) after
    another one can go unseen when it keeps the size.
    """
    return tuple(_stamp(path) for path in _paths(folder, []))


class Stamp(NamedTuple):
    """What tells, without reading, whether a file was saved since: inode, size, times of content and of metadata."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    def __str__(self) -> str:
        return f"{self.inode}-{self.size}-{self.modified_ns}-{self.changed_ns}"

    @property
    def latest_ns(self) -> int:
        """The later of its times, in nanoseconds since the epoch."""
        return max(self.modified_ns, self.changed_ns)


def listing(folder: Path) -> tuple[dict[str, Stamp], list[Problem]]:
    """The stamps of the files that `read_folder` would read, by path in its order; folders that cannot be entered and
    files that cannot be looked at are problems.
    """
    problems: list[Problem] = []
    found: dict[str, Stamp] = {}
    for path in _paths(folder, problems):
        try:
            status = os.stat(path)  # noqa: PTH116 -- a Path costs as much again, for every file
        except OSError as error:
            problems.append(_unreadable(Path(path), error))
            continue
        if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_LIMIT_BYTES:
            problems.append(_problem(Path(path), "cannot be read"))
            continue
        found[path] = Stamp(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found, problems


def _stamp(path: str) -> tuple[str | int, ...]:
    try:
        status = os.stat(path)  # noqa: PTH116 -- a Path costs as much again, for every file every two seconds
    except OSError as error:
        return path, error.errno or 0
    return path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def generated_in(folder: Path) -> set[str]:
    """The files, by their paths below `folder`, that its manifest lists; those that lead out of it are not believed."""
    try:
        lines = (folder / MANIFEST).read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return set()
    names = {line for line in lines if line and not line.startswith("#")}
    return {name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts}


def shown(path: Path) -> str:
    """A path as a user would type it: relative to the working directory if it lies below it."""
    if not path.is_absolute():
        return os.path.normpath(path)
    text, working = str(path), str(Path.cwd())
    if text == working:
        return "."
    return text.removeprefix(working.rstrip("/") + "/")


def _paths(folder: Path, problems: list[Problem]) -> Iterator[str]:
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        problems.append(_unreadable(folder, error))
        return
    if not stat.S_ISDIR(mode):
        yield str(folder)
        return
    yield from _below(folder, problems, set(), set())


def _below(folder: Path, problems: list[Problem], seen: set[tuple[int, int]], generated: set[str]) -> Iterator[str]:
    """Files below a folder, by name; a folder that a link leads back to is not entered again."""
    try:
        status = folder.stat()
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
        if any(entry.name == MANIFEST for entry in entries):
            generated.update(str(folder / name) for name in generated_in(folder))
    except OSError as error:
        problems.append(_unreadable(folder, error))
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            yield from _below(Path(entry.path), problems, seen, generated)
        elif entry.name.lower().endswith(_SUFFIXES) and not (generated and str(Path(entry.path)) in generated):
            yield entry.path


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere: told when it is read
        return False


def _read(path: Path, problems: list[Problem], limit: int, left: int) -> SourceFile | None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            problems.append(_problem(path, "not a regular file", rule="unreadable"))
            return None
        if status.st_size > min(limit, left):
            problems.append(_too_large(path, status.st_size, limit))
            return None
        with path.open("rb") as file:
            content = file.read(status.st_size + 1)  # as much as is asked for is allocated first
            if len(content) > status.st_size:  # it grew while we looked
                content += file.read(min(limit, left) + 1 - len(content))
    except OSError as error:
        problems.append(_unreadable(path, error))
        return None
    if len(content) > min(limit, left):
        problems.append(_too_large(path, len(content), limit))
        return None
    return SourceFile(shown(path), content)


def _too_large(path: Path, size: int, limit: int) -> Problem:
    if size > limit:
        message = f"the file is too large: {_mebibytes(size)}, the limit is {_mebibytes(limit)}"
        return _problem(path, message, "split it into several files", "too-large")
    return _problem(path, "with this file the workspace is too large", "name a smaller folder", "too-large")


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def _unreadable(path: Path, error: OSError) -> Problem:
    reasons: dict[type[OSError], str] = {
        FileNotFoundError: "no such file or folder",
        PermissionError: "permission denied",
        NotADirectoryError: "no such file or folder",
    }
    reason = reasons.get(type(error), (error.strerror or "it cannot be read").lower())
    if path.is_symlink() and isinstance(error, FileNotFoundError):
        reason = f"a link to nothing: {path.readlink()}"
    return _problem(path, reason, rule="unreadable")


def _problem(path: Path, message: str, hint: str = "", rule: str = "unreadable") -> Problem:
    return Problem(shown(path), 1, 1, "", message, hint=hint, rule=rule)
