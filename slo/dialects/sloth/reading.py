"""Sloth's documents to SLOs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from controlplane.model.alerting import Alerting, AlertText, Tier, Urgency
from controlplane.model.slo import SLO, Indicator, RollingWindow
from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Document
from slo.dialects.alert_texts import alert_annotations, alert_labels, alert_text, name_problem, told_apart
from slo.dialects.kubernetes import own_settings_of
from slo.dialects.naming import slo_name
from slo.dialects.reading import Made, MayBeDeclared
from slo.dialects.sloth import spec as sloth
from slo.dialects.sloth.alert_windows import Catalogue, catalogue_of
from slo.dialects.sloth.latency import fast_among
from slo.dialects.sloth.plugins import Effect, effect_of, unknown_indicator
from slo.dialects.sloth.ratios import as_ratio
from slo.legacy_names import sloth_names
from slo.metadata import About, prometheus_labels
from slo.openslo.objectives import target_fault
from slo.promql.written_queries import Found, Written, ratio_of, raw_ratio_of

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_WINDOW: Final = re.compile(r"\{\{-? *\.window *-?\}\}")
_OWN_LABEL: Final = re.compile(r"\{\{-?\s*\$labels\.(sloth_(?:id|slo|service))\s*-?\}\}")
_Path = tuple[str | int, ...]


def read(documents: Sequence[Document], may_be_declared: MayBeDeclared) -> Made:
    """Every SLO of Sloth's documents, and what is wrong with these."""
    del may_be_declared
    catalogue = catalogue_of(documents)
    slos: list[SLO] = []
    problems = list(catalogue.problems)
    for document in documents:
        service = _service_of(document)
        if service is not None:
            found = _Reading(service, catalogue)
            slos += found.slos()
            problems += found.problems
    return Made(tuple(slos), tuple(problems))


@dataclass(frozen=True, slots=True)
class _Service:
    """The SLOs of a service, however they are wrapped. `keys` are the names of fields in this wrapping."""

    document: Document
    root: _Path
    name: str
    labels: dict[str, str]
    chain: sloth.Chain | None
    slos: Sequence[sloth.Objective]
    own: About | None
    in_camel_case: bool

    def key(self, name: str) -> str:
        """A field's name as it is written here."""
        return _camel(name) if self.in_camel_case else name


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _service_of(document: Document) -> _Service | None:
    value = document.value
    if isinstance(value, sloth.ServiceLevels):
        return _Service(document, (), value.service, value.labels, value.slo_plugins, value.slos, None, False)
    if isinstance(value, sloth.PrometheusServiceLevel):
        given, own = value.spec, own_settings_of(document, value.metadata)
        return _Service(document, ("spec",), given.service, given.labels, given.slo_plugins, given.slos, own, True)
    return None


class _Reading:
    """Reads the SLOs of one document and collects what is wrong."""

    def __init__(self, service: _Service, catalogue: Catalogue) -> None:
        self.problems: list[Problem] = []
        self._service = service
        self._document = service.document
        self._catalogue = catalogue

    def slos(self) -> Iterator[SLO]:
        service = self._service
        self._check_name((*service.root, "service"), service.name)
        if service.own is not None:
            self.problems += service.own.problems
        common, problems = prometheus_labels(self._document, (*service.root, "labels"), service.labels, "labels")
        self.problems += problems
        usable = not has_errors(self.problems)
        for index, written in enumerate(service.slos):
            before = len(self.problems)
            slo = self._slo((*service.root, "slos", index), written, common)
            if slo is not None and usable and not has_errors(self.problems[before:]):
                yield slo

    def _slo(self, path: _Path, written: sloth.Objective, common: dict[str, str]) -> SLO | None:
        document, service = self._document, self._service
        self._check_name((*path, "name"), written.name)
        name = slo_name(service.name, written.name)
        fault, hint = target_fault("objective", written.objective, Decimal(100))
        if fault:
            self.problems.append(document.problem(*path, "objective", message=fault, hint=hint, rule="objective"))
        own, problems = prometheus_labels(document, (*path, "labels"), written.labels, "labels")
        self.problems += problems
        effect = self._effect(path, written)
        indicator = self._indicator((*path, "sli"), written.sli)
        alerting = self._alerting((*path, "alerting"), written, effect)
        if indicator is None:
            return None
        labels = common | own | effect.labels
        slo = SLO(
            name=name,
            service=service.name,
            objective=written.objective / 100,
            window=RollingWindow(self._catalogue.period),
            indicator=indicator,
            source=document.position_of(*path, "name"),
            description=written.description,
            labels=tuple(sorted(labels.items())),
            alerting=alerting,
            legacy_names=sloth_names(service.name, written.name, labels, recorded=False),
        )
        return slo if service.own is None else self._settled(slo, service.own)

    def _settled(self, slo: SLO, own: About) -> SLO:
        """With what our annotations on the object say."""
        done, misfits = own.settings.applied(
            replace(
                slo,
                owner=own.owner,
                runbook_url=own.runbook_url,
                worst_by=own.worst_by,
                renamed_from=own.renamed_from,
            )
        )
        self.problems += misfits
        return done

    def _check_name(self, path: _Path, name: str) -> None:
        if not name:
            self.problems.append(self._document.problem(*path, message="must not be empty", rule="missing-field"))
        elif not _NAME.fullmatch(name):
            message = f"`{name[:80]}` is not a name: letters, digits, `.`, `_` and `-`, a letter or digit at each end"
            self.problems.append(self._document.problem(*path, message=message, rule="metadata"))

    def _effect(self, path: _Path, written: sloth.Objective) -> Effect:
        service = self._service
        chains = [((*service.root, service.key("slo_plugins")), service.chain), ((*path, "plugins"), written.plugins)]
        effect = effect_of(self._document, [(at, chain) for at, chain in chains if chain is not None])
        self.problems += effect.problems
        return effect

    def _indicator(self, path: _Path, sli: sloth.Indicator) -> Indicator | None:
        given = [key for key in ("events", "raw", "plugin") if getattr(sli, key) is not None]
        if len(given) != 1:
            message = f"{' and '.join(given)} are both given" if given else "no indicator"
            hint = "keep one of them" if given else "write events: with error_query and total_query"
            problem = self._document.problem(*path, message=message, hint=hint, rule="indicator", on_key=True)
            self.problems.append(problem)
            return None
        if sli.plugin is not None:
            self.problems.append(unknown_indicator(self._document, (*path, "plugin", "id"), sli.plugin.id))
        if sli.raw is not None:
            at = (*path, "raw", self._service.key("error_ratio_query"))
            return self._raw(at, sli.raw.error_ratio_query)
        return self._events((*path, "events"), sli.events) if sli.events is not None else None

    def _raw(self, path: _Path, text: str) -> Indicator | None:
        if not self._has_window(path, text):
            return None
        return self._taken(raw_ratio_of(Written(self._document, path, text), is_failure=True))

    def _events(self, path: _Path, events: sloth.Events) -> Indicator | None:
        bad_at = (*path, self._service.key("error_query"))
        total_at = (*path, self._service.key("total_query"))
        has_windows = self._has_window(bad_at, events.error_query), self._has_window(total_at, events.total_query)
        if not all(has_windows):
            return None
        if events.error_query == events.total_query:
            message = "the queries for bad and for all events are the same"
            self.problems.append(self._document.problem(*bad_at, message=message, rule="indicator"))
            return None
        total = Written(self._document, total_at, events.total_query)
        bad = Written(self._document, bad_at, events.error_query)
        fast = fast_among(bad, total)
        found = ratio_of(total, bad=bad) if fast is None else ratio_of(total, good=fast)
        return self._taken(found if found.value is not None else as_ratio(bad, total, found))

    def _taken(self, found: Found) -> Indicator | None:
        self.problems += found.problems
        return found.value

    def _has_window(self, path: _Path, text: str) -> bool:
        if _WINDOW.search(text):
            return True
        message = "no {{.window}} in it" if text else "must not be empty"
        hint = "write its ranges as [{{.window}}]"
        self.problems.append(self._document.problem(*path, message=message, hint=hint, rule="query"))
        return False

    def _alerting(self, path: _Path, written: sloth.Objective, effect: Effect) -> Alerting:
        given = written.alerting
        disabled = {Urgency.PAGE: given.page_alert.disable, Urgency.TICKET: given.ticket_alert.disable}
        asked = [urgency for urgency, is_disabled in disabled.items() if not is_disabled]
        if asked and not given.name:
            message, hint = "alerts need a name", "write name:, or disable: true for page and ticket"
            problem = self._document.problem(*path, "name", message=message, hint=hint, rule="alert", on_key=True)
            self.problems.append(problem)
        elif asked and (fault := name_problem(self._document, (*path, "name"), given.name)) is not None:
            self.problems.append(fault)
        tiers: tuple[Tier, ...] = ()
        if effect.alerts:
            tiers = tuple(tier for tier in self._catalogue.tiers if not disabled[tier.urgency])
        texts = {urgency: self._text(path, given, urgency) if urgency in asked else AlertText() for urgency in Urgency}
        filled = {urgency: self._filled(text, written.name) for urgency, text in texts.items()}
        page, ticket = filled[Urgency.PAGE], filled[Urgency.TICKET]
        if len(asked) > 1:
            ticket = told_apart(self._document, path, page, ticket, self.problems)
        return Alerting(tiers=tiers, page=page, ticket=ticket)

    def _text(self, path: _Path, given: sloth.Alerting, urgency: Urgency) -> AlertText:
        key = f"{urgency.value}_alert"
        own: sloth.Alert = getattr(given, key)
        at = (*path, self._written_key(path, key))
        labels = alert_labels(self._document, (*path, "labels"), given.labels, self.problems)
        labels |= alert_labels(self._document, (*at, "labels"), own.labels, self.problems)
        annotations = alert_annotations(self._document, (*path, "annotations"), given.annotations, self.problems)
        annotations |= alert_annotations(self._document, (*at, "annotations"), own.annotations, self.problems)
        return alert_text(given.name, labels, annotations)

    def _written_key(self, path: _Path, key: str) -> str:
        """The key as it stands there: in `prometheus/v1` some write camel case, which Sloth passes over in silence."""
        camel = _camel(key)
        if self._service.in_camel_case or not self._document.has(*path, camel):
            return self._service.key(key)
        problem = self._document.problem(
            *path, camel,
            message=f"Sloth itself passes over this: it is called {key} there",
            hint=f"write {key}", severity=Severity.WARNING, rule="unknown-field", on_key=True,
        )  # fmt: skip
        self.problems.append(problem)
        return camel

    def _filled(self, text: AlertText, name: str) -> AlertText:
        """Texts that name a label which only Sloth's series have say its value."""
        known = dict(sloth_names(self._service.name, name, {}, recorded=False).labels)
        filled = ((key, _OWN_LABEL.sub(lambda match: known[match[1]], value)) for key, value in text.annotations)
        return AlertText(text.labels, tuple(filled), text.severity, text.name)
