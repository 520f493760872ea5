"""OpenSLO documents to SLOs: references followed, queries understood, every mistake told at its place."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from controlplane.model.slo import SLO, Service
from controlplane.problems import Problem, Severity, has_errors, in_order
from controlplane.specfile import Document, did_you_mean
from slo import metadata
from slo.bridging import renaming_problems
from slo.dialects import DIALECTS
from slo.objectives import Target, targets_of
from slo.queries import indicator_of
from slo.settling import settled
from slo.spec import PROMETHEUS, SET_ASIDE, ServiceDocument, SLIDocument, SLODocument, UnsupportedDocument
from slo.taken_names import without_repeated
from slo.templates import expanded
from slo.windows import period_of


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the documents say, SLOs in the order of their names. With errors among the problems it is not complete."""

    slos: tuple[SLO, ...]
    services: tuple[Service, ...]
    problems: tuple[Problem, ...]


def slos_from(documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False) -> Resolved:
    """Every SLO and service of a workspace, and everything that is wrong. Documents of other kinds are left alone.

    `may_be_declared` tells whether a document that could not be read may carry a name: then a reference to it is no
    further mistake.
    """
    made = unsettled(documents, may_be_declared)
    after = settled(made.slos, documents, may_be_declared)
    return Resolved(after.slos, made.services, tuple(in_order([*made.problems, *after.problems])))


def unsettled(documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False) -> Resolved:
    """The same, before policies and exclusions (`slo.settling`) were applied."""
    short_forms = expanded(documents)
    documents = short_forms.documents
    resolution = _Resolution(documents, may_be_declared)
    others = [dialect.read(documents, may_be_declared) for dialect in DIALECTS]
    made = [*resolution.slos(), *(slo for other in others for slo in other.slos)]
    slos, repeated = without_repeated(made, documents)
    problems = [*resolution.problems, *(problem for other in others for problem in other.problems), *repeated]
    problems += renaming_problems(slos)
    return Resolved(
        tuple(sorted(slos, key=lambda slo: slo.name)),
        tuple(sorted(resolution.services(), key=lambda service: service.name)),
        tuple(in_order([*short_forms.problems, *short_forms.told(problems)])),
    )


class _Resolution:
    def __init__(self, documents: Sequence[Document], may_be_declared: Callable[[str], bool]) -> None:
        self.problems: list[Problem] = []
        self._may_be_declared = may_be_declared
        self._slos = [document for document in documents if isinstance(document.value, SLODocument)]
        self._services = self._named(documents, ServiceDocument)
        self._slis = self._named(documents, SLIDocument)
        self._used_slis: set[str] = set()
        for document in documents:
            if isinstance(document.value, UnsupportedDocument):
                self.problems.append(_set_aside(document, document.value))

    def services(self) -> list[Service]:
        found = []
        for document in self._services.values():
            assert isinstance(document.value, ServiceDocument)
            about, spec = document.value.metadata, document.value.spec
            found.append(Service(about.name, document.position, about.display_name, spec.description if spec else ""))
        return found

    def slos(self) -> list[SLO]:
        found = [slo for document in self._slos for slo in self._slos_of(document)]
        for name, document in self._slis.items():
            if name not in self._used_slis:
                indicator = indicator_of(document, ("spec",))
                self.problems.extend(indicator.problems)
        return found

    def _slos_of(self, document: Document) -> Iterable[SLO]:
        value = document.value
        assert isinstance(value, SLODocument)
        before = len(self.problems)
        about = metadata.checked(document, value.metadata)
        self.problems.extend(about.problems)
        self._check_service(document, value.spec.service)
        period = period_of(document, value.spec)
        targets = targets_of(document, value.spec, period.length)
        self.problems.extend((*period.problems, *targets.problems))
        source = self._indicator_source(document, value)
        if source is None:
            return
        indicator = indicator_of(*source)
        self.problems.extend(indicator.problems)
        if indicator.value is None or period.window is None or has_errors(self.problems[before:]):
            return
        siblings = len(value.spec.objectives)
        for target in targets.values:
            slo, misfits = about.settings.applied(
                SLO(
                    name=_name(value.metadata.name, target, siblings),
                    service=value.spec.service,
                    objective=target.objective,
                    window=period.window,
                    indicator=indicator.value,
                    source=document.position_of("metadata", "name"),
                    display_name=_display_name(value, target),
                    description=value.spec.description,
                    owner=about.owner,
                    runbook_url=about.runbook_url,
                    labels=about.labels,
                    worst_by=about.worst_by,
                    renamed_from=tuple(_name(earlier, target, siblings) for earlier in about.renamed_from),
                )
            )
            self.problems.extend(misfits)
            yield slo

    def _indicator_source(self, document: Document, value: SLODocument) -> tuple[Document, tuple[str, ...]] | None:
        """The document and the path where the indicator's spec stands."""
        spec = value.spec
        if any(each.indicator or each.indicator_ref for each in spec.objectives):
            return None  # a composite: told by targets_of
        if spec.indicator is not None and spec.indicator_ref is not None:
            self._report(
                document,
                "spec",
                "indicatorRef",
                message="an SLO has one indicator, here are two",
                hint="remove indicator or indicatorRef",
                rule="indicator",
                on_key=True,
            )
            return None
        if spec.indicator is not None:
            return document, ("spec", "indicator", "spec")
        if spec.indicator_ref is None:
            self._report(
                document,
                "spec",
                message="no indicator",
                rule="indicator",
                on_key=True,
                hint="write indicator: with a spec, or indicatorRef: with the name of an SLI",
            )
            return None
        return self._referenced(document, spec.indicator_ref)

    def _referenced(self, document: Document, name: str) -> tuple[Document, tuple[str, ...]] | None:
        if name in self._slis:
            self._used_slis.add(name)
            return self._slis[name], ("spec",)
        if self._may_be_declared(name):
            return None
        meant = did_you_mean(name, self._slis)
        message = f"no SLI is named `{name}`" + (f", did you mean `{meant}`?" if meant else "")
        hint = "" if meant else "add a document of kind SLI with this name to the workspace"
        self._report(document, "spec", "indicatorRef", message=message, hint=hint, rule="unknown-reference")
        return None

    def _check_service(self, document: Document, name: str) -> None:
        if not name:
            self._report(document, "spec", "service", message="must not be empty", rule="missing-field")
        elif self._services and name not in self._services and not self._may_be_declared(name):
            meant = did_you_mean(name, self._services)
            message = f"no Service is named `{name}`" + (f", did you mean `{meant}`?" if meant else "")
            hint = "" if meant else "declare it with a document of kind Service, or declare no services at all"
            self._report(document, "spec", "service", message=message, hint=hint, rule="unknown-reference")

    def _named(
        self, documents: Sequence[Document], kind: type[ServiceDocument] | type[SLIDocument]
    ) -> dict[str, Document]:
        """Documents of a kind by name; duplicates and bad names are told."""
        found: dict[str, Document] = {}
        for document in documents:
            value = document.value
            if not isinstance(value, kind):
                continue
            about = metadata.checked(document, value.metadata)
            self.problems.extend(about.problems)
            if value.metadata.name in found:
                first = found[value.metadata.name].position_of("metadata", "name")
                message = f"the name `{value.metadata.name}` is taken by another {value.kind}"
                self._report(
                    document, "metadata", "name", message=message, hint=f"first used at {first}", rule="duplicate-name"
                )
            else:
                found[value.metadata.name] = document
        return found

    def _report(
        self, document: Document, *path: str | int, message: str, hint: str = "", rule: str, on_key: bool = False
    ) -> None:
        self.problems.append(document.problem(*path, message=message, hint=hint, rule=rule, on_key=on_key))


def _set_aside(document: Document, value: UnsupportedDocument) -> Problem:
    """Alerts and data sources come with files in use elsewhere: their SLOs can be used, but that must be said."""
    source = value.spec.get("type") if value.kind == "DataSource" and isinstance(value.spec, dict) else None
    if isinstance(source, str) and source.lower() != PROMETHEUS:
        return document.problem("spec", "type", message=f"{source} is not supported", rule="unsupported")
    message, hint = f"{value.kind} is not used yet", SET_ASIDE[value.kind]
    return document.problem("kind", message=message, hint=hint, severity=Severity.WARNING, rule="unused-kind")


def _name(of_document: str, target: Target, siblings: int) -> str:
    return of_document if siblings == 1 else f"{of_document}-{target.suffix}"


def _display_name(value: SLODocument, target: Target) -> str:
    parts = (value.metadata.display_name, target.display_name if len(value.spec.objectives) > 1 else "")
    return ": ".join(part for part in parts if part)
