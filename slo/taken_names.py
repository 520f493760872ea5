"""One name, one SLO: across files and dialects."""

from collections.abc import Iterable, Iterator, Sequence

from controlplane.model.slo import SLO
from controlplane.model.source import SourcePosition
from controlplane.problems import Problem
from controlplane.specfile import Document, field_name
from controlplane.specfile.composing import Place

_Written = tuple[str, int]  # a field, and how much of its value to underline


def without_repeated(slos: Iterable[SLO], documents: Sequence[Document]) -> tuple[list[SLO], list[Problem]]:
    """Each name's first SLO, and a problem at the place of every further one's name."""
    found: dict[str, SLO] = {}
    problems = []
    written: dict[str, dict[SourcePosition, _Written]] = {}
    for slo in slos:
        first = found.setdefault(slo.name, slo)
        if first is slo:
            continue
        if slo.source.path not in written:
            written[slo.source.path] = dict(_written_in(slo.source.path, documents))
        field, length = written[slo.source.path].get(slo.source, ("", 1))
        message, hint = f"the name `{slo.name}` is taken", f"first used at {first.source}"
        problems.append(Problem.at(slo.source, field, message, hint=hint, rule="duplicate-name", length=length))
    return list(found.values()), problems


def _written_in(path: str, documents: Sequence[Document]) -> Iterator[tuple[SourcePosition, _Written]]:
    """Every scalar of a file, by the position at which it begins."""
    for document in documents:
        if document.source.path == path:
            for steps, place in _scalars(document.place, ()):
                source = document.source
                yield source.position(place.start), (field_name(steps), source.length_on_line(place.start, place.end))


def _scalars(place: Place, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Place]]:
    if isinstance(place.inner, dict):
        for key, entry in place.inner.items():
            yield from _scalars(entry.place, (*path, key))
    elif isinstance(place.inner, list):
        for index, item in enumerate(place.inner):
            yield from _scalars(item, (*path, index))
    else:
        yield path, place
