"""Large workspaces on several processors: files understood in parts, rules written shard by shard.

The outcome is that of one process. Parts are tried on the assumption that nothing is wrong; when something is, one
process reads everything again and tells it.
"""

import multiprocessing
import os
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from controlplane.model.slo import SLO
from controlplane.problems import Problem, has_errors, in_order
from controlplane.rulefile import to_yaml
from controlplane.specfile import Document, SourceFile
from flyball.declared import beside_slos
from flyball.examining import examine
from flyball.kinds import MAKES_SLOS, REFERRED_TO, name_of, settles
from slo.compiler import CompileOptions, rule_file, shared_files, subjects
from slo.passes import Subject
from slo.settling import settled

LARGE_BYTES: Final = 1_000_000  # about 1,500 SLOs: below, starting processes costs more than it saves
_MOST_PROCESSES: Final = 8
_PARTS_EACH: Final = 2  # so that a slow part keeps nobody waiting for long
# Documents that others refer to: every part needs them. One that this misses is an unknown reference, read again.
_REFERRED_TO: Final = re.compile(
    rb"""\bkind["']?\s*:\s*["']?(?:%s)\b""" % b"|".join(kind.name.encode() for kind in REFERRED_TO)
)

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Run(Protocol):
    """Applies a function to every item, in order; `map`, or the same on several processors."""

    def __call__(self, function: Callable[[_In], _Out], items: Iterable[_In], /) -> Iterable[_Out]:
        """The results."""
        ...


@dataclass(frozen=True, slots=True)
class _Part:
    own: tuple[SourceFile, ...]
    referred_to: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class _Understood:
    problems: tuple[Problem, ...]
    slos: tuple[SLO, ...]
    names: tuple[tuple[str, ...], ...]  # of documents that make SLOs: one may hold several
    settling: tuple[Document, ...]  # what settles something about SLOs of any part


@contextmanager
def processors(files: Sequence[SourceFile], large_bytes: int = LARGE_BYTES) -> Iterator[tuple[Run, int]]:
    """How to run the work for these files, and on how many processors. Forks, so only for a process without threads."""
    count = min(len(os.sched_getaffinity(0)), _MOST_PROCESSES)
    if count < 2 or sum(len(file.content) for file in files) < large_bytes:
        yield map, 1
        return
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("fork")) as pool:
        yield pool.map, count


def understand(files: Sequence[SourceFile], run: Run, processes: int) -> tuple[list[Problem], tuple[SLO, ...]]:
    """Everything that is wrong with the files, and their SLOs in the order of their names."""
    parts = _parts(files, processes)
    if len(parts) > 1:
        found = list(run(_understood, parts))
        problems = in_order(problem for each in found for problem in each.problems)
        slos = tuple(sorted((slo for each in found for slo in each.slos), key=lambda slo: slo.name))
        if not has_errors(problems) and _unique([slo.name for slo in slos], [n for each in found for n in each.names]):
            settling = [document for each in found for document in each.settling]
            after = settled(slos, settling)
            others = beside_slos(settling, after.slos)
            return in_order([*problems, *after.problems, *others.problems]), after.slos
    whole = examine(files)
    return list(whole.problems), whole.slos


def rule_texts(slos: Iterable[SLO], options: CompileOptions, run: Run) -> dict[str, str]:
    """The text of every rule file by its name."""
    listed = tuple(slos)
    common = {file.name: to_yaml(file) for file in shared_files(listed)}
    return dict(run(_named_text, subjects(listed, options))) | common


def _parts(files: Sequence[SourceFile], processes: int) -> list[_Part]:
    """Files in parts of about the same size; a single one where splitting does not pay."""
    referred_to = tuple(file for file in files if _REFERRED_TO.search(file.content))
    whole, common = _size(files), _size(referred_to)
    if processes == 1 or common * 4 > whole:
        return []
    limit = (whole - common) / (processes * _PARTS_EACH)
    parts, own, size = [_Part(referred_to, ())], list[SourceFile](), 0
    for file in files:
        if _REFERRED_TO.search(file.content):
            continue
        own.append(file)
        size += len(file.content)
        if size >= limit:
            parts.append(_Part(tuple(own), referred_to))
            own, size = [], 0
    return [*parts, _Part(tuple(own), referred_to)]


def _size(files: Iterable[SourceFile]) -> int:
    return sum(len(file.content) for file in files)


def _unique(*several: Sequence[Hashable]) -> bool:
    return all(len(set(names)) == len(names) for names in several)


def _understood(part: _Part) -> _Understood:
    result = examine([*part.referred_to, *part.own])
    own = {file.path for file in part.own}
    made = (each for each in result.documents if each.kind in MAKES_SLOS and each.source.path in own)
    return _Understood(
        result.made_problems,
        tuple(slo for slo in result.made if slo.source.path in own),
        tuple(name for name in map(name_of, made) if name is not None),
        tuple(each for each in result.documents if settles(each) and each.source.path in own),
    )


def _named_text(subject: Subject) -> tuple[str, str]:
    file = rule_file(subject)
    return file.name, to_yaml(file)
