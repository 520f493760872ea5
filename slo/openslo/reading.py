"""OpenSLO documents to SLOs: references followed, queries understood, every mistake told at its place."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from controlplane.burn_rate import number
from controlplane.model.alerting import STANDARD_ALERTING, STANDARD_TIERS
from controlplane.model.slo import (
    SLO,
    STANDARD_POLICY,
    Combination,
    CompositeIndicator,
    CompositePart,
    DataPolicy,
    Indicator,
    Measured,
    Service,
    TimeslicesIndicator,
    Window,
)
from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Document, Path
from slo import metadata
from slo.indicators.composite import composite_objective, fastest_burn
from slo.openslo.alert_policies import AlertPolicies, ChosenAlerts
from slo.openslo.data_sources import DataSources
from slo.openslo.declared import declared
from slo.openslo.indicators import indicator_of
from slo.openslo.objectives import Asked, Target, targets_of
from slo.openslo.slicing import sliced
from slo.openslo.spec import InlineSLI, ServiceDocument, SLIDocument, SLISpec, SLODocument
from slo.policies.settings import ABSENT, METHOD, TIERS
from slo.windows import Period, period_of


@dataclass(frozen=True, slots=True)
class OpenSLO:
    """What the documents say, in their order. With errors among the problems it is not complete."""

    slos: tuple[SLO, ...]
    services: tuple[Service, ...]
    problems: tuple[Problem, ...]


_Measured = tuple[Target, Indicator]


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """Where the spec of an indicator stands, and what the indicator is called."""

    document: Document
    path: Path
    spec: SLISpec
    name: str


def openslo(documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False) -> OpenSLO:
    """Every SLO and service, and everything that is wrong. Documents of other kinds are left alone.

    `may_be_declared` tells whether a document that could not be read may carry a name: then a reference to it is no
    further mistake.
    """
    reading = _Reading(documents, may_be_declared)
    slos = [
        slo for document in documents if isinstance(document.value, SLODocument) for slo in reading.slos_of(document)
    ]
    reading.finish()
    return OpenSLO(tuple(slos), tuple(reading.services()), tuple(reading.problems))


class _Reading:
    def __init__(self, documents: Sequence[Document], may_be_declared: Callable[[str], bool]) -> None:
        self._services = declared(documents, ServiceDocument, may_be_declared)
        self._slis = declared(documents, SLIDocument, may_be_declared)
        self._sources = DataSources(documents, may_be_declared)
        self._policies = AlertPolicies(documents, may_be_declared)
        self._used_slis: set[str] = set()
        self.problems: list[Problem] = [*self._services.problems, *self._slis.problems]

    def services(self) -> Iterator[Service]:
        for document, value in self._services.by_name.values():
            about, spec = value.metadata, value.spec
            yield Service(about.name, document.position, about.display_name, spec.description if spec else "")

    def finish(self) -> None:
        """Check what no SLO uses."""
        for name, (document, value) in self._slis.by_name.items():
            if name not in self._used_slis:
                self.problems.extend(indicator_of(document, ("spec",)).problems)
                self.problems.extend(self._sources.check(document, ("spec",), value.spec))
        self.problems.extend((*self._sources.problems(), *self._policies.problems()))

    def slos_of(self, document: Document) -> Iterable[SLO]:
        value = document.value
        assert isinstance(value, SLODocument)
        before = len(self.problems)
        about = metadata.checked(document, value.metadata)
        self.problems.extend(about.problems)
        self._check_service(document, value.spec.service)
        period = period_of(document, value.spec)
        alerts = self._policies.of(document, value.spec.alert_policies, period.length)
        of_standard = ("alert-windows",) if alerts.alerting is not None else ()  # tells which standard tiers do not fit
        self.problems.extend(problem for problem in period.problems if problem.rule not in of_standard)
        self.problems.extend(alerts.problems)
        sources = self._indicator_sources(document, value)
        targets = self._targets(document, value, period, alerts, sources)
        found = list(self._measured(sources, targets))
        if period.window is None or len(found) < len(targets) or has_errors(self.problems[before:]):
            return
        if _has_parts(value) and len(found) > 1:
            target, composite = _composite(found, sources)
            self.problems.extend(_composite_problems(document, composite))
            found = [(target, composite)]
        for target, indicator in found:
            made = _Made(document, value, about, alerts, siblings=len(found))
            slo, misfits = about.settings.applied(made.slo(period.window, target, indicator))
            self.problems.extend(misfits)
            yield slo

    def _measured(self, sources: Sequence[_Source | None], targets: Sequence[Target]) -> Iterator[_Measured]:
        """The indicators that can be used. Queries are checked also where no objective can be."""
        wanted = {target.index for target in targets}
        unwanted = (source for index, source in enumerate(sources) if source is not None and index not in wanted)
        for each in dict.fromkeys(unwanted):
            self.problems.extend(indicator_of(each.document, each.path).problems)
        for target in targets:
            source = sources[target.index]
            found = self._indicator(source, target) if source is not None else None
            if found is not None:
                yield target, found

    def _targets(
        self,
        document: Document,
        value: SLODocument,
        period: Period,
        alerts: ChosenAlerts,
        sources: Sequence[_Source | None],
    ) -> tuple[Target, ...]:
        thresholds = [None if source is None else source.spec.threshold_metric is not None for source in sources]
        tiers = STANDARD_TIERS if alerts.alerting is None else alerts.alerting.tiers
        asked = Asked(period.length, tiers, thresholds, composite=_has_parts(value))
        targets = targets_of(document, value.spec, asked)
        self.problems.extend(targets.problems)
        return targets.values

    def _indicator(self, source: _Source, target: Target) -> Measured | TimeslicesIndicator | None:
        found = indicator_of(source.document, source.path, target.compared)
        self.problems.extend(found.problems)
        if found.value is None:
            return None
        assert not isinstance(found.value, TimeslicesIndicator | CompositeIndicator)  # made of it, here
        return sliced(found.value, target.slices)

    def _indicator_sources(self, document: Document, value: SLODocument) -> list[_Source | None]:
        """For each objective, where its indicator stands; None: nowhere, and that was told."""
        spec = value.spec
        if not _has_parts(value):
            return [self._source(document, (), spec.indicator, spec.indicator_ref)] * len(spec.objectives)
        for key, given in (("indicator", spec.indicator), ("indicatorRef", spec.indicator_ref)):
            if given is not None:
                message, hint = "in a composite every objective has an indicator of its own", "remove this one"
                self._report(document, "spec", key, message=message, hint=hint, rule="indicator", on_key=True)
        return [
            self._source(document, ("objectives", index), objective.indicator, objective.indicator_ref)
            for index, objective in enumerate(spec.objectives)
        ]

    def _source(self, document: Document, at: Path, inline: InlineSLI | None, reference: str | None) -> _Source | None:
        at = ("spec", *at)
        inline_key, reference_key = document.key(*at, "indicator"), document.key(*at, "indicatorRef")
        if inline is not None and reference is not None:
            message = "an SLO has one indicator, here are two" if len(at) == 1 else "here are two indicators"
            hint = f"remove {inline_key} or {reference_key}"
            self._report(document, *at, "indicatorRef", message=message, hint=hint, rule="indicator", on_key=True)
            return None
        if inline is not None:
            if inline.metadata is not None:
                within = document.below(*at, "indicator")
                self.problems.extend(metadata.checked(within, inline.metadata).problems)
            name = inline.metadata.name if inline.metadata is not None else ""
            return self._checked(_Source(document, (*at, "indicator", "spec"), inline.spec, name))
        if reference is not None:
            return self._referenced(document, (*at, "indicatorRef"), reference)
        hint = f"write {inline_key}: with a spec, or {reference_key}: with the name of an SLI"
        self._report(document, *at, message="no indicator", hint=hint, rule="indicator", on_key=True)
        return None

    def _referenced(self, document: Document, at: Path, name: str) -> _Source | None:
        if name not in self._slis.by_name:
            hint = "add a document of kind SLI with this name to the workspace"
            self.problems.extend(self._slis.missing(document, *at, name=name, hint=hint))
            return None
        self._used_slis.add(name)
        found, value = self._slis.by_name[name]
        return self._checked(_Source(found, ("spec",), value.spec, name))

    def _checked(self, source: _Source) -> _Source:
        self.problems.extend(self._sources.check(source.document, source.path, source.spec))
        return source

    def _check_service(self, document: Document, name: str) -> None:
        if not name:
            self._report(document, "spec", "service", message="must not be empty", rule="missing-field")
        elif self._services.by_name and name not in self._services.by_name:
            hint = "declare it with a document of kind Service, or declare no services at all"
            self.problems.extend(self._services.missing(document, "spec", "service", name=name, hint=hint))

    def _report(
        self, document: Document, *path: str | int, message: str, hint: str = "", rule: str, on_key: bool = False
    ) -> None:
        self.problems.append(document.problem(*path, message=message, hint=hint, rule=rule, on_key=on_key))


def _has_parts(value: SLODocument) -> bool:
    return any(each.indicator is not None or each.indicator_ref is not None for each in value.spec.objectives)


def _composite(found: Sequence[_Measured], sources: Sequence[_Source | None]) -> tuple[Target, CompositeIndicator]:
    """One objective over all parts, so that its budget burns as theirs say."""
    parts: dict[str, CompositePart] = {}
    for target, indicator in found:
        assert not isinstance(indicator, CompositeIndicator)
        source = sources[target.index]
        name = source.name if source is not None and source.name else f"part-{target.index + 1}"
        if name in parts:
            name = f"{name}-{target.index + 1}"
        parts[name] = CompositePart(name, indicator, target.objective, target.weight)
    composite = CompositeIndicator(tuple(parts.values()))
    return replace(found[0][0], objective=composite_objective(composite), display_name=""), composite


def _composite_problems(document: Document, composite: CompositeIndicator) -> Iterator[Problem]:
    fastest = fastest_burn(composite)
    if composite.combination is Combination.BURN_RATES and fastest <= 1:
        yield document.problem(
            "spec",
            "objectives",
            message=f"its budget can never be spent: with everything bad it burns at {number(round(fastest, 3))}×",
            hint="a compositeWeight multiplies the burn rate of its objective: 1 takes it as it is",
            severity=Severity.WARNING,
            rule="composite",
        )


@dataclass(frozen=True, slots=True)
class _Made:
    """What all SLOs of one document have in common."""

    document: Document
    value: SLODocument
    about: metadata.About
    alerts: ChosenAlerts
    siblings: int

    def slo(self, window: Window, target: Target, indicator: Indicator) -> SLO:
        """One of them."""
        value, about, alerts = self.value, self.about, self.alerts
        return SLO(
            name=self._named(value.metadata.name, target),
            service=value.spec.service,
            objective=target.objective,
            window=window,
            indicator=indicator,
            source=self.document.position_of("metadata", "name"),
            display_name=self._display_name(target),
            description=value.spec.description,
            owner=about.owner,
            runbook_url=about.runbook_url,
            labels=about.labels,
            worst_by=about.worst_by,
            renamed_from=tuple(self._named(earlier, target) for earlier in about.renamed_from),
            alerting=alerts.alerting or STANDARD_ALERTING,
            policy=STANDARD_POLICY if alerts.absent is None else DataPolicy(absent=alerts.absent),
            own_settings=_settled_by(alerts),
        )

    def _named(self, of_document: str, target: Target) -> str:
        return of_document if self.siblings == 1 else f"{of_document}-{target.suffix}"

    def _display_name(self, target: Target) -> str:
        parts = (self.value.metadata.display_name, target.display_name if self.siblings > 1 else "")
        return ": ".join(part for part in parts if part)


def _settled_by(alerts: ChosenAlerts) -> frozenset[str]:
    """The settings that the document made itself, which no SLOPolicy changes."""
    settled = (*((TIERS, METHOD) if alerts.alerting else ()), *((ABSENT,) if alerts.absent else ()))
    return frozenset(settled)
