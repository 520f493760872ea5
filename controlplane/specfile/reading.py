"""Files in, documents and problems out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from yaml import YAMLError

from controlplane.collection import collection_paused
from controlplane.model.source import SourcePosition
from controlplane.problems import Problem, Severity, in_order
from controlplane.source_text import SourceText, decode
from controlplane.specfile.characters import first_fault
from controlplane.specfile.composing import MAX_VALUES, Composed, Composer, Place, Value
from controlplane.specfile.document import Document, Kind, entry_at
from controlplane.specfile.faults import Fault
from controlplane.specfile.kinds import KindIndex
from controlplane.specfile.listing import documents_in
from controlplane.specfile.splitting import document_spans
from controlplane.specfile.suggestions import short
from controlplane.specfile.syntax import fault_of
from controlplane.specfile.validation import problems_of, without_mistakes


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as found: its path as the user would type it, and its bytes."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Documents that are right in themselves, in the order of the files, and everything that is wrong, in order.

    `incomplete` holds documents that are not right, without what is wrong in them, as far as something sensible is
    left: to look for further mistakes, and for nothing else.
    """

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    incomplete: tuple[Document, ...] = ()


MAX_PROBLEMS: Final = 1000  # of one file: whoever has more has one problem
_HIDING: Final = ("bad-key", "unknown-tag", "bad-merge")


@dataclass(slots=True)
class _Reading:
    kinds: KindIndex
    documents: list[Document] = field(default_factory=list)
    incomplete: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    names: dict[tuple[str, str, str, str], SourcePosition] = field(default_factory=dict)


def read(files: Iterable[SourceFile], kinds: Sequence[Kind]) -> ReadResult:
    """Read every document of every file; a list, or a `kind: List`, is as many documents as it has items.

    Never raises on what the files hold, and reports everything at once: a document that is broken takes no other with
    it, and each mistake in the others is told. Two documents of one kind, `metadata.namespace` and `metadata.name` are
    a mistake of the second. Empty files and documents are nothing. Bounds (`MAX_DEPTH`, `MAX_VALUES`,
    `MAX_ALIASED_VALUES`) are problems too. Text is taken as YAML 1.2 takes it: `on`, `yes` and `no` are words, `1.10`
    is what it says.
    """
    reading = _Reading(KindIndex(kinds))
    with collection_paused():
        for file in files:
            _read_file(reading, SourceText(file.path, decode(file.content)))
    return ReadResult(tuple(reading.documents), tuple(in_order(reading.problems)), tuple(reading.incomplete))


def _read_file(reading: _Reading, source: SourceText) -> None:
    before = len(reading.problems)
    for part in _parts(source):
        if len(reading.problems) - before >= MAX_PROBLEMS:
            start = part.start if isinstance(part, Fault) else part.place.start
            reading.problems.append(_problem(source, _too_many(start)))
            return
        if isinstance(part, Fault):
            reading.problems.append(_problem(source, part))
        else:
            _take(reading, source, part)


def _too_many(start: int) -> Fault:
    message = f"more than {MAX_PROBLEMS:,} problems; the file was not read further"
    return Fault(start, start + 1, message, "", "too-many")


def _parts(source: SourceText) -> Iterator[Composed | Fault]:
    """The documents of a file, and a fault in place of each that cannot be read."""
    text = source.text
    left = MAX_VALUES
    for start, end in document_spans(text):
        if (fault := first_fault(text, start, end)) is not None:
            yield fault
            continue
        composer = Composer(text[start:end], start, left)
        try:
            yield from list(composer.documents())  # all of a piece or nothing: what precedes a syntax error misleads
        except YAMLError as error:
            yield fault_of(error, text[start:end], start)
        except Fault as error:
            yield error
            if error.rule == "too-large":
                return
        left -= composer.count


def _take(reading: _Reading, source: SourceText, composed: Composed) -> None:
    """One document, or each item of a list of them."""
    before = len(reading.problems)
    reading.problems.extend(_problem(source, fault) for fault in composed.faults[:MAX_PROBLEMS])
    for part in documents_in(composed):
        if len(reading.problems) - before >= MAX_PROBLEMS:
            start = part.start if isinstance(part, Fault) else part.place.start
            reading.problems.append(_problem(source, _too_many(start)))
            return
        if isinstance(part, Fault):
            reading.problems.append(_problem(source, part))
        else:
            _take_one(reading, source, part)


def _take_one(reading: _Reading, source: SourceText, composed: Composed) -> None:
    value, place = composed.value, composed.place
    if not isinstance(value, dict):
        what = "a list" if isinstance(value, list) else "nothing" if value is None else "plain text"
        hint = "a document begins with `apiVersion:` and `kind:`"
        fault = Fault(
            place.start, max(place.end, place.start + 1), f"expected a mapping, got {what}", hint, "not-a-mapping"
        )
        reading.problems.append(_problem(source, fault))
        return
    kind = reading.kinds.kind_of(value)
    if kind is None:
        if any(fault.rule in _HIDING for fault in composed.faults):
            return  # fields that seem to be missing are there, in a form that was refused
        reading.problems.extend(reading.kinds.problems_of(source, value, place))
        return
    repeated = _repeated_name(reading, kind, source, (value, place))
    reading.problems.extend(repeated)
    model, problems = problems_of(kind, source, value, place, composed.faults)
    reading.problems.extend(_perhaps_cut_off(source, place, problems))
    if model is not None and not repeated and not composed.faults:
        reading.documents.extend(_as_read(Document(kind, model, source, place)))
    elif not repeated and (rest := without_mistakes(kind, value)) is not None:
        reading.incomplete.extend(_as_read(Document(kind, rest, source, place)))


def _as_read(document: Document) -> Sequence[Document]:
    return (document,) if document.kind.read_as is None else document.kind.read_as(document)


def _perhaps_cut_off(source: SourceText, place: Place, problems: list[Problem]) -> list[Problem]:
    """What is missing at the end of a file that ends within a line was probably there before it was cut."""
    if place.end < len(source.text) or source.text.endswith(("\n", "\r")):
        return problems
    hint = f"the file ends within line {source.position(len(source.text)).line}: was it cut off?"
    return [
        replace(problem, hint=hint) if problem.rule == "missing-field" and not problem.hint else problem
        for problem in problems
    ]


def _repeated_name(
    reading: _Reading, kind: Kind, source: SourceText, composed: tuple[dict[str, Value], Place]
) -> list[Problem]:
    """The problem that a document of this kind and name has been seen; the first is remembered."""
    value, place = composed
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str):
        return []
    where = entry_at(place, ("metadata", "name"))[0].place
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    key = (kind.api_version.partition("/")[0], kind.name, namespace if isinstance(namespace, str) else "", name)
    first = reading.names.get(key)
    if first is None:
        reading.names[key] = source.position(where.start)
        return []
    message = f"the {kind.name} `{short(name)}` is there twice: first at {first}"
    length = source.length_on_line(where.start, where.end)
    position = source.position(where.start)
    hint = "" if kind.repeated is Severity.ERROR else "this one is left out"
    return [
        Problem.at(
            position, "metadata.name", message, severity=kind.repeated, hint=hint, rule="duplicate-name", length=length
        )
    ]


def _problem(source: SourceText, fault: Fault) -> Problem:
    hint = fault.hint
    if fault.first is not None:
        hint = f"first at {source.position(fault.first)}"
    position, length = source.position(fault.start), source.length_on_line(fault.start, fault.end)
    return Problem.at(position, fault.field, fault.message, hint=hint, rule=fault.rule, length=length)
