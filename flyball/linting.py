"""Lint findings as problems: at their fields, with the severities that a workspace chose, without those it ignores."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from controlplane.conventions import ANNOTATION_LINT_IGNORE
from controlplane.model.source import SourcePosition
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document, did_you_mean, field_name
from controlplane.specfile.composing import Place
from controlplane.specfile.document import entry_at
from flyball.workspace_spec import Workspace
from slo.lint import BY_NAME, About, Finding, Level
from slo.lint.rules import SETTINGS
from slo.openslo.spec import SLODocument

FieldPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Ignored:
    """Rules that nobody wants to hear of between two lines of a file."""

    path: str
    first: int
    last: int
    rules: frozenset[str]

    def covers(self, problem: Problem) -> bool:
        """Whether it is about this problem."""
        return problem.rule in self.rules and problem.path == self.path and self.first <= problem.line <= self.last


@dataclass(frozen=True, slots=True)
class Choices:
    """What a workspace says about lint rules: levels by folder, and what single documents ignore."""

    levels: Mapping[Path, Mapping[str, Level]]
    ignored: tuple[_Ignored, ...]
    problems: tuple[Problem, ...]

    def apply(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Problems of lint rules as chosen; all others as they are."""
        for problem in problems:
            rule = BY_NAME.get(problem.rule)
            if rule is None:
                yield problem
                continue
            level = self._level(problem)
            severity = level.severity if level is not None else problem.severity
            if severity is not None and not any(each.covers(problem) for each in self.ignored):
                yield replace(problem, severity=severity)

    def _level(self, problem: Problem) -> Level | None:
        """What the nearest flyball.yaml above the problem's file says; None: nothing."""
        for folder in Path(problem.path).parents:
            if folder in self.levels:
                return self.levels[folder].get(problem.rule)
        return None


def choices_of(documents: Sequence[Document]) -> Choices:
    """What the documents choose, and rule names in them that do not exist."""
    levels: dict[Path, dict[str, Level]] = {}
    ignored: list[_Ignored] = []
    problems: list[Problem] = []
    for document in documents:
        if isinstance(document.value, Workspace):
            own = levels.setdefault(Path(document.source.path).parent, {})
            for name, level in document.value.spec.lint.items():
                problems += _unknown(document, ("spec", "lint", name), name)
                own[name] = level
            continue
        names = _ignored_names(document)
        if names:
            at = ("metadata", "annotations", ANNOTATION_LINT_IGNORE)
            problems += [problem for name in names for problem in _unknown(document, at, name)]
            ignored.append(_Ignored(document.source.path, document.position.line, document.end.line, frozenset(names)))
    return Choices(levels, tuple(ignored), tuple(problems))


def _ignored_names(document: Document) -> list[str]:
    annotations = getattr(getattr(document.value, "metadata", None), "annotations", None)
    text = annotations.get(ANNOTATION_LINT_IGNORE, "") if isinstance(annotations, Mapping) else ""
    return [name.strip() for name in text.split(",") if name.strip()] if isinstance(text, str) else []


def _unknown(document: Document, path: FieldPath, name: str) -> Iterator[Problem]:
    if name not in BY_NAME:
        meant = did_you_mean(name, BY_NAME)
        message = f"no lint rule is named `{name}`" + (f", did you mean `{meant}`?" if meant else "")
        hint = "" if meant else "`flyball check --explain all` lists them"
        on_key = path[:2] == ("spec", "lint")
        yield document.problem(*path, message=message, hint=hint, rule=SETTINGS.name, on_key=on_key)


def problems_of(findings: Iterable[Finding], documents: Sequence[Document]) -> Iterator[Problem]:
    """Findings at the fields of the documents that they are about."""
    fields = _Fields(documents)
    for finding in findings:
        rule = finding.rule
        hint = f"{finding.hint} ({rule.page})" if finding.hint else rule.page
        severity = rule.level.severity or Severity.WARNING
        position, field, length = fields.at(finding)
        yield Problem.at(position, field, finding.message, hint=hint, rule=rule.name, severity=severity, length=length)


# Where dialects say it, from the document's root, and from what holds the name of the SLO (Sloth has several a file).
_FROM_ROOT: Final[Mapping[About, tuple[FieldPath, ...]]] = {
    About.OBJECTIVE: (
        ("spec", "objectives", 0, "target"),
        ("spec", "objectives", 0, "targetPercent"),
        ("spec", "target"),
    ),
    About.WINDOW: (("spec", "timeWindow", 0, "duration"), ("spec", "window")),
}
_BESIDE_NAME: Final[Mapping[About, str]] = {About.OBJECTIVE: "objective"}


class _Fields:
    """The field that stands at a place, found when somebody asks."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents: dict[str, list[Document]] = {}
        for document in documents:
            self._documents.setdefault(document.source.path, []).append(document)

    def at(self, finding: Finding) -> tuple[SourcePosition, str, int]:
        """Where the problem stands, the field's name, and how many characters of it to underline."""
        position = finding.position
        for document in self._documents.get(position.path, ()):
            starts = document.source.line_starts
            if position.line > len(starts):
                continue
            offset = starts[position.line - 1] + position.column - 1
            if document.place.start <= offset < max(document.place.end, document.place.start + 1):
                path, place = _deepest(document.place, offset)
                for other in _fields_about(finding.about, path):
                    entry, _, found = entry_at(document.place, other)
                    if found and not _has_several(document):
                        path, place, position = other, entry.place, document.source.position(entry.place.start)
                        break
                return position, field_name(path), document.source.length_on_line(place.start, place.end)
        return position, "", 1


def _fields_about(about: About, name: FieldPath) -> Iterator[FieldPath]:
    """Fields that may say what a finding is about, of the SLO whose name stands at this path."""
    if about in _BESIDE_NAME:
        yield (*name[:-1], _BESIDE_NAME[about])
    yield from _FROM_ROOT.get(about, ())


def _has_several(document: Document) -> bool:
    """Whether it has several objectives, of which nobody knows here which one is meant."""
    value = document.value
    return isinstance(value, SLODocument) and len(value.spec.objectives) > 1


def _deepest(place: Place, offset: int) -> tuple[FieldPath, Place]:
    """The path of the innermost value that holds the character."""
    inner: Iterable[tuple[str | int, Place]] = ()
    if isinstance(place.inner, dict):
        inner = ((key, entry.place) for key, entry in place.inner.items())
    elif isinstance(place.inner, list):
        inner = enumerate(place.inner)
    for step, each in inner:
        if each.start <= offset < each.end:
            path, found = _deepest(each, offset)
            return (step, *path), found
    return (), place
