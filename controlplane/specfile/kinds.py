"""Which kind a document is of, and what to say when that is unclear."""

from collections.abc import Mapping, Sequence
from typing import Final

from controlplane.problems import Problem
from controlplane.source_text import SourceText
from controlplane.specfile.composing import Place, Value
from controlplane.specfile.document import Kind
from controlplane.specfile.suggestions import choices, did_you_mean, short

_VERSION: Final = "version"  # what tells documents that have neither apiVersion nor kind


class KindIndex:
    """The kinds that a workspace may hold, by `apiVersion` and `kind`."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = {(kind.api_version, kind.name): kind for kind in kinds if kind.marked_by == "kind"}
        self._versions = list(dict.fromkeys(version for version, _ in self._kinds))
        self._marked = {kind.api_version: kind for kind in kinds if kind.marked_by == "version"}

    def kind_of(self, value: Mapping[str, Value]) -> Kind | None:
        """The kind that the document names, if it is one that we know."""
        version, name = value.get("apiVersion"), value.get("kind")
        if isinstance(version, str) and isinstance(name, str):
            return self._kinds.get((version, name))
        marked = value.get(_VERSION)
        return self._marked.get(marked) if isinstance(marked, str) and _has_no_kind(value) else None

    def problems_of(self, source: SourceText, value: Mapping[str, Value], place: Place) -> list[Problem]:
        """Why `kind_of` found none: what is missing, or which known name is meant."""
        version, name = value.get("apiVersion"), value.get("kind")
        marked = value.get(_VERSION)
        if self._marked and _has_no_kind(value) and isinstance(marked, str):
            return [_unknown(source, place, _VERSION, (marked, list(self._marked)))]
        problems = []
        if not isinstance(version, str):
            problems.append(_bad(source, value, place, "apiVersion", self._versions))
        elif version not in self._versions:
            problems.append(_unknown(source, place, "apiVersion", (version, self._versions)))
            if did_you_mean(version, self._versions) is None:
                return problems  # nothing of ours: its kind says no more
        fitting = [kind for known, kind in self._kinds if not isinstance(version, str) or known == version]
        names = list(dict.fromkeys(fitting)) or list(dict.fromkeys(kind for _, kind in self._kinds))
        if not isinstance(name, str):
            problems.append(_bad(source, value, place, "kind", names))
        elif name not in names:
            of = version if fitting and isinstance(version, str) else ""
            problems.append(_unknown(source, place, "kind", (name, names), of=of))
        return problems


def _has_no_kind(value: Mapping[str, Value]) -> bool:
    return "apiVersion" not in value and "kind" not in value


def _bad(source: SourceText, value: Mapping[str, Value], place: Place, key: str, known: list[str]) -> Problem:
    assert isinstance(place.inner, dict)
    hint = f"known are {choices(known)}" if known else ""
    if key in value:
        entry = place.inner[key]
        length = source.length_on_line(entry.start, entry.end)
        return Problem.at(
            source.position(entry.start), key, "expected text", hint=hint, rule="unknown-kind", length=length
        )
    first = min((entry.end for entry in place.inner.values() if entry.start >= place.start), default=place.start + 1)
    length = source.length_on_line(place.start, first)
    message = "required, but missing"
    return Problem.at(source.position(place.start), key, message, hint=hint, rule="missing-field", length=length)


def _unknown(source: SourceText, place: Place, key: str, written: tuple[str, list[str]], *, of: str = "") -> Problem:
    assert isinstance(place.inner, dict)
    where = place.inner[key].place
    text, known = written
    meant = did_you_mean(text, known)
    message = f"unknown {key} `{short(text)}`"
    if of:
        message += f" of {of}"
    if meant is not None:
        message += f", did you mean `{meant}`?"
    hint = f"known are {choices(known)}" if known and meant is None else ""
    length = source.length_on_line(where.start, where.end)
    return Problem.at(source.position(where.start), key, message, hint=hint, rule="unknown-kind", length=length)
