"""Files understood once: after an edit, what did not change is not read again.

The outcome is that of reading everything. What is remembered is used on the assumption that nothing is wrong and that
the edit says nothing that other files refer to; when that does not hold, everything is read again and told.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from controlplane.model.slo import SLO
from controlplane.problems import Problem, has_errors, in_order
from controlplane.specfile import Document, SourceFile
from flyball.declared import beside_slos
from flyball.examining import Examined, examine
from flyball.kinds import MAKES_SLOS, concerns_others, name_of, settles
from slo.openslo.spec import ServiceDocument
from slo.settling import settled

_Name = tuple[str, ...]  # as `name_of` gives it, or the position of what has no name


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What one file says. `others`: it holds more than documents that make SLOs, and Services."""

    digest: bytes
    slos: tuple[SLO, ...]
    problems: tuple[Problem, ...]
    names: tuple[_Name, ...]
    declared: tuple[Document, ...]  # what SLOs in other files may refer to
    others: bool

    @property
    def declared_names(self) -> frozenset[_Name]:
        """All that SLOs in other files depend on, when there are no `others`."""
        return frozenset(map(_name, self.declared))


_NOTHING: Final = _Meaning(b"", (), (), (), (), others=False)


class RememberedFiles:
    """The meaning of each file of a workspace when it was last without errors. For one thread at a time."""

    def __init__(self) -> None:
        self._meanings: Mapping[str, _Meaning] = {}

    def understand(self, files: Sequence[SourceFile]) -> tuple[list[Problem], tuple[SLO, ...]]:
        """Everything that is wrong with the files, and their SLOs in the order of their names."""
        digests = {file.path: hashlib.sha256(file.content).digest() for file in files}
        meanings = self._after_edit(files, digests)
        if meanings is None:
            return self._everything(files, digests)
        problems = [problem for meaning in meanings.values() for problem in meaning.problems]
        made = sorted((slo for meaning in meanings.values() for slo in meaning.slos), key=lambda slo: slo.name)
        declared = (document for meaning in meanings.values() for document in meaning.declared)
        settling = list(filter(settles, declared))
        after = settled(made, settling)
        further = (*after.problems, *beside_slos(settling, after.slos).problems)
        if not has_errors(further):
            self._meanings = meanings
        return in_order([*problems, *further]), after.slos

    def _everything(
        self, files: Sequence[SourceFile], digests: Mapping[str, bytes]
    ) -> tuple[list[Problem], tuple[SLO, ...]]:
        result = examine(files)
        if not has_errors(result.problems):
            self._meanings = _meanings(files, digests, result)
        return list(result.problems), result.slos

    def _after_edit(self, files: Sequence[SourceFile], digests: Mapping[str, bytes]) -> dict[str, _Meaning] | None:
        """Meanings with only the changed files read; None when that does not tell all."""
        known = self._meanings
        kept = {path: known[path] for path in digests if path in known and known[path].digest == digests[path]}
        if not kept:
            return None
        changed = [file for file in files if file.path not in kept]
        beside = [document for each in kept.values() for document in each.declared]
        found = _meanings(changed, digests, examine(changed, beside))
        edited = found.keys() | (known.keys() - kept.keys())
        if any(_concerns_others(known.get(path, _NOTHING), found.get(path, _NOTHING)) for path in edited):
            return None
        whole = {path: found[path] if path in found else kept[path] for path in digests}
        if has_errors(problem for meaning in found.values() for problem in meaning.problems) or _repeats(whole):
            return None
        return whole


def _meanings(files: Sequence[SourceFile], digests: Mapping[str, bytes], result: Examined) -> dict[str, _Meaning]:
    """What each of the files says, before policies and exclusions."""
    documents, slos, problems = defaultdict(list), defaultdict(list), defaultdict(list)
    for document in result.documents:
        documents[document.source.path].append(document)
    for slo in result.made:
        slos[slo.source.path].append(slo)
    for problem in result.made_problems:
        problems[problem.path].append(problem)
    return {
        path: _meaning(digests[path], documents[path], slos[path], problems[path]) for path in (f.path for f in files)
    }


def _meaning(
    digest: bytes, documents: Sequence[Document], slos: Sequence[SLO], problems: Sequence[Problem]
) -> _Meaning:
    return _Meaning(
        digest=digest,
        slos=tuple(slos),
        problems=tuple(problems),
        names=tuple(map(_name, documents)),
        declared=tuple(filter(concerns_others, documents)),
        others=any(
            not (document.kind in MAKES_SLOS or isinstance(document.value, ServiceDocument)) for document in documents
        ),
    )


def _concerns_others(before: _Meaning, after: _Meaning) -> bool:
    """Whether SLOs in other files may mean something else after the edit."""
    return before.others or after.others or before.declared_names != after.declared_names


def _repeats(meanings: Mapping[str, _Meaning]) -> bool:
    """Whether a name is taken twice."""
    documents = Counter(name for meaning in meanings.values() for name in meaning.names)
    slos = Counter(slo.name for meaning in meanings.values() for slo in meaning.slos)
    return any(count > 1 for names in (documents, slos) for count in names.values())


def _name(document: Document) -> _Name:
    return name_of(document) or (document.kind.name, str(document.position))
