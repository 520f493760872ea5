"""SLO files of any dialect as files of OpenSLO v1 that mean the same."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

from controlplane.collection import collection_paused
from controlplane.conventions import API_VERSION
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO
from controlplane.problems import Problem, Severity, has_errors, in_order
from controlplane.specfile import Document, ReadResult, SourceFile, read
from flyball.kinds import KINDS, name_of
from slo.convert.burn_rate import as_burn_rate
from slo.convert.openslo import documents_of, service_document
from slo.convert.yaml_text import Value, to_yaml
from slo.openslo.spec import OPENSLO_V1
from slo.resolve import Resolved, slos_from, unsettled
from slo.settling import settled

_RULE = "convert"
_NATIVE = (OPENSLO_V1, API_VERSION)


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    """`alerts`: another method for the SLOs that are converted; `keep_names`: record their tools' series, too."""

    alerts: AlertMethod | None = None
    keep_names: bool = False


@dataclass(frozen=True, slots=True)
class Conversion:
    """Texts by the paths of the files that they come from, and how many SLOs were converted.

    With errors among the problems something was lost, or nothing was converted.
    """

    texts: dict[str, bytes]
    converted: int
    problems: tuple[Problem, ...]


def convert(files: Sequence[SourceFile], options: ConvertOptions) -> Conversion:
    """Convert the SLOs that are not written as OpenSLO v1; files without any are kept as they are, byte for byte.

    What is written is read again: whatever does not come back the same is a problem at the SLO's place. Comments of
    converted files are lost.
    """
    with collection_paused():
        return _convert(files, options)


def _convert(files: Sequence[SourceFile], options: ConvertOptions) -> Conversion:
    result = read(files, KINDS)
    found = unsettled(result.documents)
    problems = in_order([*result.problems, *found.problems])
    if has_errors(problems):
        return Conversion({}, 0, tuple(problems))
    foreign = _foreign_slos(result.documents, found.slos)
    asked = {slo.name: _as_asked(slo, options) for slo in foreign}
    texts = {file.path: file.content for file in files}
    own = defaultdict(list)
    for slo in asked.values():
        own[slo.source.path].append(slo)
    for path, documents in _by_file(result.documents).items():
        if any(not _is_native(document) for document in documents):
            texts[path] = to_yaml(list(_written(documents, own[path], found))).encode("utf-8", "surrogatepass")
    meant = settled([asked.get(slo.name, slo) for slo in found.slos], result.documents).slos
    return Conversion(texts, len(asked), (*problems, *_lost(meant, texts)))


def _foreign_slos(documents: Sequence[Document], slos: Iterable[SLO]) -> list[SLO]:
    """The SLOs of documents that are not OpenSLO v1."""
    lines = {
        path: [(document.position.line, document.end.line) for document in several if not _is_native(document)]
        for path, several in _by_file(documents).items()
    }
    return [slo for slo in slos if any(first <= slo.source.line <= last for first, last in lines[slo.source.path])]


def _as_asked(slo: SLO, options: ConvertOptions) -> SLO:
    if options.alerts is AlertMethod.BURN_RATE:
        slo = as_burn_rate(slo)
    elif options.alerts is not None:
        slo = replace(slo, alerting=replace(slo.alerting, method=options.alerts))
    legacy = slo.legacy_names
    if legacy is None or legacy.recorded:
        return slo
    return replace(slo, legacy_names=replace(legacy, recorded=True) if options.keep_names else None)


def _by_file(documents: Sequence[Document]) -> dict[str, list[Document]]:
    files: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        files[document.source.path].append(document)
    return files


def _is_native(document: Document) -> bool:
    """Whether it is written in the words of OpenSLO v1, or in ours."""
    written = _written_at(document, "apiVersion")
    return written in _NATIVE


def _written_at(document: Document, key: str) -> str:
    inner = document.place.inner
    if not isinstance(inner, dict) or key not in inner:
        return ""
    place = inner[key].place
    return document.source.text[place.start : place.end].strip("\"'")


def _written(documents: Sequence[Document], slos: Sequence[SLO], found: Resolved) -> Iterator[dict[str, Value]]:
    for document in documents:
        if _is_native(document):
            yield document.value.model_dump(by_alias=True, exclude_unset=True)
            continue
        for service in found.services:
            if service.source == document.position:
                yield service_document(service)
        for slo in slos:
            if document.position.line <= slo.source.line <= document.end.line:
                yield from documents_of(slo)


def _lost(meant: Sequence[SLO], texts: dict[str, bytes]) -> Iterator[Problem]:
    """What does not come back when the converted files are read."""
    again = read([SourceFile(path, content) for path, content in texts.items()], KINDS)
    resolved = slos_from(again.documents)
    after = {slo.name: slo for slo in resolved.slos}
    faults = [each for each in (*again.problems, *resolved.problems) if each.severity is Severity.ERROR]
    for slo in meant:
        back = after.get(slo.name)
        refused = [fault for fault in faults if _is_in_what_was_written(again, fault, slo)]
        if back == slo and not refused:
            continue
        lost = "this SLO" if back is None else ", ".join(_different(slo, back)) or "this"
        reasons = refused or (faults if back is None else [])
        why = f": {reasons[0].field}: {reasons[0].message}" if reasons else ""
        message = f"OpenSLO v1 cannot say {lost}{why}"
        yield Problem.at(slo.source, "", message, hint="change it by hand after converting", rule=_RULE)


def _is_in_what_was_written(again: ReadResult, fault: Problem, slo: SLO) -> bool:
    """Whether a fault stands in one of the documents that an SLO became."""
    at = {part for document in _documents_at(again, fault) for part in name_of(document) or ()}
    return bool(at & set(_names_written(slo)))


def _names_written(slo: SLO) -> Iterator[str]:
    for document in documents_of(slo):
        match document:
            case {"metadata": {"name": str(name)}}:
                yield name


def _documents_at(found: ReadResult, problem: Problem) -> Iterator[Document]:
    for document in (*found.documents, *found.incomplete):
        if document.position.path == problem.path and document.position.line <= problem.line <= document.end.line:
            yield document


def _different(one: SLO, other: SLO) -> Iterator[str]:
    for field in fields(SLO):
        if field.compare and getattr(one, field.name) != getattr(other, field.name):
            yield field.name.replace("_", " ")
