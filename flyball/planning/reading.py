"""The SLOs of a workspace as manifest lines, reading only what changed since the last plan.

The outcome is that of reading everything. What is cached is used on the assumption that nothing is wrong and that the
edit says nothing that other files refer to; when that does not hold, everything is read.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controlplane.adapters.files import MAX_FILES, TOTAL_LIMIT_BYTES, Stamp, listing, read_folder, shown
from controlplane.collection import collection_paused
from controlplane.model.slo import SLO
from controlplane.model.source import SourcePosition
from controlplane.problems import Problem, has_errors
from controlplane.specfile import SourceFile
from flyball.examining import examine
from flyball.kinds import REFERRED_TO
from flyball.planning.file_cache import CachedFile, CachedSLO, FileCache
from slo.manifest import line_of

_SEPARATOR: Final = re.compile(rb"^---", re.MULTILINE)
_DECLARES: Final = re.compile(
    rb"""\bkind["']?\s*:\s*["']?(?:%s)\b""" % b"|".join(kind.name.encode() for kind in REFERRED_TO)
)
# A file saved within the file system's clock tick after it was read looks the same: younger ones are read again.
_TOO_YOUNG_NS: Final = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Read:
    """What the files say; with errors among the problems the rest is not to be used.

    `files` is how many there are, `reread` how many of them were not taken from the cache, `file_of` the file of each
    SLO, `declaring` the files with documents that are no SLOs.
    """

    slos: tuple[CachedSLO, ...]
    file_of: Mapping[str, tuple[str, CachedSLO]]
    problems: tuple[Problem, ...]
    files: int
    reread: int
    declaring: tuple[str, ...] = ()

    def position(self, name: str) -> SourcePosition | None:
        """Where an SLO is written, None when it is not."""
        if name not in self.file_of:
            return None
        path, slo = self.file_of[name]
        return SourcePosition(shown(Path(path)), slo.at_line, slo.at_column)


@dataclass(frozen=True, slots=True)
class _File:
    """A file that is there: its path as it is read, and its stamp. Caches know it by its path below the workspace."""

    path: str
    stamp: Stamp


_Changed = Sequence[tuple[str, _File, SourceFile]]
UnderstandAll = Callable[[Sequence[SourceFile]], tuple[Sequence[Problem], Sequence[SLO]]]


def read_workspace(folder: Path, cache: FileCache | None, understand_all: UnderstandAll, now_ns: int) -> Read:
    """Every SLO of the workspace, and everything that is wrong. The cache is brought up to date."""
    with collection_paused():
        stamps, unreadable = listing(folder)
        listed = {_key(folder, path): _File(path, stamp) for path, stamp in stamps.items()}
        total = sum(stamp.size for stamp in stamps.values())
        fits = not unreadable and total <= TOTAL_LIMIT_BYTES and len(listed) <= MAX_FILES
        known = cache.load() if cache and fits else {}
        found = _after_edit(listed, known, now_ns) if known else None
        if found is None:
            return _everything(folder, listed, cache, understand_all)
        whole, reread = found
        changed = {path: file for path, file in whole.items() if known.get(path) != file}
        removed = known.keys() - whole.keys()
        if cache and (changed or removed):
            cache.store(changed, removed, whole=False)
        return _read(listed, whole, (), reread)


def _key(folder: Path, path: str) -> str:
    """The path below the workspace, the same from whichever folder it is read."""
    return path.removeprefix(str(folder)).removeprefix("./").lstrip("/")


def _everything(folder: Path, listed: Mapping[str, _File], cache: FileCache | None, understand: UnderstandAll) -> Read:
    files, unreadable = read_folder(folder)
    if not files and not unreadable:
        hint = "to remove the last rules, leave flyball.yaml in it"
        message = "no *.yaml or *.yml files here"
        unreadable = [Problem(shown(folder), 1, 1, "", message, hint=hint, rule="nothing-to-check")]
    problems, slos = understand(files)
    by_path = _by_path(slos)
    keys = {shown(Path(file.path)): key for key, file in listed.items()}
    whole = {
        keys[file.path]: _cached(file, listed[keys[file.path]].stamp, by_path[file.path])
        for file in files
        if file.path in keys
    }
    told = (*unreadable, *problems)
    if cache and not has_errors(told):
        cache.store(whole, (), whole=True)
    return _read(listed, whole, told, len(files))


def _after_edit(
    listed: Mapping[str, _File], known: Mapping[str, CachedFile], now_ns: int
) -> tuple[dict[str, CachedFile], int] | None:
    """What all files say, and how many of them were read; None when what is known does not tell."""
    whole: dict[str, CachedFile] = {}
    changed: list[tuple[str, _File, SourceFile]] = []
    for key, file in listed.items():
        was = known.get(key)
        stamp = str(file.stamp)
        if was is not None and was.stamp == stamp and now_ns - file.stamp.latest_ns > _TOO_YOUNG_NS:
            whole[key] = was
            continue
        files, unreadable = read_folder(Path(file.path))
        if unreadable or not files:
            return None
        if was is not None and was.digest == _digest(files[0]):
            whole[key] = CachedFile(stamp, was.digest, was.declared, was.slos)
        else:
            changed.append((key, file, files[0]))
    gone = [known[key] for key in known.keys() - listed.keys()]
    if len(changed) * 2 > len(listed) or any(file.declared for file in gone):
        return None
    return _with_changed(listed, whole, changed, [*gone, *(known[key] for key, _, _ in changed if key in known)], known)


def _with_changed(
    listed: Mapping[str, _File],
    whole: dict[str, CachedFile],
    changed: _Changed,
    before: Sequence[CachedFile],
    known: Mapping[str, CachedFile],
) -> tuple[dict[str, CachedFile], int] | None:
    """`whole` with what changed files say; `before` is what they and those that are gone said."""
    if any(declared_in(file.content) != (known[key].declared if key in known else b"") for key, _, file in changed):
        return None
    if not changed and not before:
        return whole, 0
    beside = _beside(listed, whole)
    if beside is None:
        return None
    result = examine([*beside, *(file for _, _, file in changed)])
    own = {file.path for _, _, file in changed}
    if has_errors(problem for problem in result.problems if problem.path in own):
        return None
    by_path = _by_path(slo for slo in result.slos if slo.source.path in own)
    whole |= {key: _cached(source, file.stamp, by_path[source.path]) for key, file, source in changed}
    names = [slo.name for file in whole.values() for slo in file.slos]
    lost = {slo.name for file in before for slo in file.slos} - set(names)
    if len(set(names)) != len(names) or any(name.encode() in file.content for name in lost for file in beside):
        return None
    return whole, len(changed)


def _beside(listed: Mapping[str, _File], whole: Mapping[str, CachedFile]) -> list[SourceFile] | None:
    """The files on which changed ones may depend; None when those are so many that all may be read as well."""
    declaring = [key for key, file in whole.items() if file.declared]
    if len(declaring) * 4 > len(whole) + 40:
        return None
    beside = []
    for key in declaring:
        files, unreadable = read_folder(Path(listed[key].path))
        if unreadable:
            return None
        beside += files
    return beside


def declared_in(content: bytes) -> bytes:
    """A digest of the documents in a file that others may depend on, empty when there is none.

    Told by the text, so one too many may count, never one too few.
    """
    if not _DECLARES.search(content):
        return b""
    declaring = [part for part in _SEPARATOR.split(content) if _DECLARES.search(part)]
    return hashlib.sha256(b"\0".join(declaring)).digest()


def _by_path(slos: Iterable[SLO]) -> Mapping[str, list[SLO]]:
    found: dict[str, list[SLO]] = defaultdict(list)
    for slo in slos:
        found[slo.source.path].append(slo)
    return found


def _cached(file: SourceFile, stamp: Stamp, slos: Sequence[SLO]) -> CachedFile:
    lines = tuple(CachedSLO(slo.name, line_of(slo), slo.source.line, slo.source.column) for slo in slos)
    return CachedFile(str(stamp), _digest(file), declared_in(file.content), lines)


def _digest(file: SourceFile) -> bytes:
    return hashlib.sha256(file.content).digest()


def _read(
    listed: Mapping[str, _File], whole: Mapping[str, CachedFile], problems: Sequence[Problem], reread: int
) -> Read:
    file_of = {slo.name: (listed[key].path, slo) for key, file in whole.items() for slo in file.slos}
    slos = tuple(slo for file in whole.values() for slo in file.slos)
    declaring = tuple(listed[key].path for key, file in whole.items() if file.declared)
    return Read(slos, file_of, tuple(problems), len(whole), reread, declaring)
