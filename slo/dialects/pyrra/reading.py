"""Pyrra's documents to SLOs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL, duration
from controlplane.model.alerting import STANDARD_TIERS, Alerting, AlertText
from controlplane.model.slo import SLO, Absent, DataPolicy, Indicator, LegacyNames, RollingWindow
from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Document
from slo.dialects.alert_texts import alert_annotations, name_problem, told_apart
from slo.dialects.durations import prometheus_duration
from slo.dialects.kubernetes import own_settings_of
from slo.dialects.naming import slo_name
from slo.dialects.pyrra import spec as pyrra
from slo.dialects.pyrra.indicator import Found, indicator_of, job_of
from slo.dialects.reading import Made, MayBeDeclared
from slo.legacy_names import pyrra_names
from slo.metadata import About, prometheus_labels
from slo.openslo.objectives import target_fault
from slo.windows import LONGEST, SHORTEST

PROPAGATED: Final = "pyrra.dev/"  # the prefix of labels and annotations that Pyrra puts on series and alerts
_ABSENT_PAGES: Final = ("critical", "page")
_Path = tuple[str | int, ...]


def read(documents: Sequence[Document], may_be_declared: MayBeDeclared) -> Made:
    """Every SLO of Pyrra's documents, and what is wrong with these."""
    del may_be_declared
    slos: list[SLO] = []
    problems: list[Problem] = []
    for document in documents:
        if isinstance(document.value, pyrra.ServiceLevelObjective):
            reading = _Reading(document, document.value)
            slo = reading.slo()
            problems += reading.problems
            if slo is not None and not has_errors(reading.problems):
                slos.append(slo)
    return Made(tuple(slos), tuple(problems))


class _Reading:
    """Reads one document and collects what is wrong."""

    def __init__(self, document: Document, value: pyrra.ServiceLevelObjective) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._about = value.metadata
        self._spec = value.spec

    def slo(self) -> SLO | None:
        own = own_settings_of(self._document, self._about)
        self.problems += own.problems
        name = slo_name(self._about.name)
        if not name:
            message = "must not be empty" if not self._about.name else "a name needs a letter or a digit"
            self._tell("metadata", "name", message=message, rule="metadata")
        self._check_target()
        window = self._window()
        found = indicator_of(self._document, self._spec.indicator)
        self.problems += found.problems
        labels = self._labels(found.groups)
        alerting, policy = self._alerting()
        self._tell_unused()
        if found.value is None or window is None:
            return None
        slo = SLO(
            name=name,
            service=self._service(found.value),
            objective=self._spec.target / 100,
            window=RollingWindow(window),
            indicator=found.value,
            source=self._document.position_of("metadata", "name"),
            description=self._spec.description,
            owner=own.owner,
            runbook_url=own.runbook_url or self._runbook(),
            labels=tuple(sorted(labels.items())),
            worst_by=own.worst_by,
            renamed_from=own.renamed_from,
            groups=found.groups,
            policy=policy,
            alerting=alerting,
            legacy_names=self._legacy(),
        )
        return self._settled(slo, own, found)

    def _settled(self, slo: SLO, own: About, found: Found) -> SLO:
        done, misfits = own.settings.applied(slo)
        self.problems += misfits
        return replace(done, groups=tuple(dict.fromkeys((*found.groups, *done.groups))))

    def _check_target(self) -> None:
        target = self._spec.target
        fault, hint = target_fault("target", target, Decimal(100))
        if fault:
            self._tell("spec", "target", message=fault, hint=hint, rule="objective")
        elif target < 1:
            message = f"a target of {target} is {target} per cent"
            hint = f"write {target * 100:f} if you mean that"
            self._tell("spec", "target", message=message, hint=hint, rule="objective", severity=Severity.WARNING)

    def _window(self) -> timedelta | None:
        length, fault = prometheus_duration(self._spec.window)
        if not fault and not SHORTEST <= length <= LONGEST:
            fault = f"must be between {duration(SHORTEST)} and {duration(LONGEST)}"
        if not fault and length % LEDGER_INTERVAL:
            fault = "must be a multiple of 5 minutes"
        if fault:
            self._tell("spec", "window", message=fault, rule="time-window")
            return None
        return length

    def _propagated(self, written: dict[str, str]) -> dict[str, str]:
        return {key: value for key, value in written.items() if key.startswith(PROPAGATED) and key != PROPAGATED}

    def _labels(self, groups: Sequence[str]) -> dict[str, str]:
        given = self._propagated(self._about.labels)
        given.pop(f"{PROPAGATED}{names.SERVICE}", None)
        labels: dict[str, str] = {}
        for key, value in given.items():
            one, problems = prometheus_labels(self._document, (), {key.removeprefix(PROPAGATED): value})
            if problems:
                message = f"left out: Flyball sets `{key.removeprefix(PROPAGATED)}` itself"
                self._tell("metadata", "labels", key, message=message, hint="rename it",
                           rule="metadata", severity=Severity.WARNING, on_key=True)  # fmt: skip
            labels |= one
        if self._about.namespace and "namespace" not in groups:
            labels.setdefault("namespace", self._about.namespace)
        return labels

    def _service(self, indicator: Indicator) -> str:
        """Pyrra knows no services: what the object says, or the job that is measured, or where the object lives."""
        given = self._about.labels.get(f"{PROPAGATED}{names.SERVICE}")
        return given or job_of(indicator) or self._about.namespace or self._about.name

    def _runbook(self) -> str:
        address = self._about.annotations.get(f"{PROPAGATED}{names.RUNBOOK_URL}", "")
        return address if address.startswith(("http://", "https://")) else ""

    def _legacy(self) -> LegacyNames:
        labels = {key.removeprefix(PROPAGATED): value for key, value in self._propagated(self._about.labels).items()}
        return pyrra_names(self._about.name, labels, recorded=False)

    def _alerting(self) -> tuple[Alerting, DataPolicy]:
        given = self._spec.alerting
        severities = given.severities or pyrra.Severities()
        silent = given.disabled is True or given.burnrates is False
        for key, name in (("name", given.name), ("absentName", given.absent_name)):
            fault = name_problem(self._document, ("spec", "alerting", key), name) if name else None
            self.problems += [fault] if fault is not None else []
        annotations = self._annotations()
        page = self._severity("mediumBurn", severities.fast_burn, severities.medium_burn)
        ticket = self._severity("longTermBurn", severities.slow_burn, severities.long_term_burn)
        absence = AlertText((), annotations, severities.absent, given.absent_name)
        paging = AlertText((), annotations, page, given.name)
        ticketing = AlertText((), annotations, ticket, given.name)
        if not silent:
            ticketing = told_apart(self._document, ("spec", "alerting"), paging, ticketing, self.problems)
        alerting = Alerting(() if silent else STANDARD_TIERS, page=paging, ticket=ticketing, absence=absence)
        if given.absent is False or given.disabled is True:
            return alerting, DataPolicy(absent=Absent.IGNORE)
        return alerting, DataPolicy(absent=Absent.PAGE if severities.absent in _ABSENT_PAGES else Absent.TICKET)

    def _severity(self, key: str, first: str, second: str) -> str:
        """One severity for both tiers of an urgency."""
        if first and second and first != second:
            self._tell(
                "spec", "alerting", "severities", key, message=f"both tiers of an urgency have one severity: {first}",
                hint="give them the same", rule="alert", severity=Severity.WARNING,
            )  # fmt: skip
        return first or second

    def _annotations(self) -> tuple[tuple[str, str], ...]:
        written = self._propagated(self._about.annotations)
        if self._runbook():
            del written[f"{PROPAGATED}{names.RUNBOOK_URL}"]
        at = ("metadata", "annotations")
        found = alert_annotations(self._document, at, written, self.problems, prefix=PROPAGATED)
        return tuple(sorted(found.items()))

    def _tell_unused(self) -> None:
        spec = self._spec
        if spec.partial_response_strategy == "warn":
            self._unused("partial_response_strategy", "it is a setting of Thanos Ruler's")
        if spec.rule_output is not None:
            self._unused("ruleOutput", "one file holds all rules of an SLO")

    def _unused(self, key: str, hint: str) -> None:
        self._tell("spec", key, message="changes nothing here", hint=hint, rule="unused-field",
                   severity=Severity.WARNING, on_key=True)  # fmt: skip

    def _tell(
        self,
        *path: str | int,
        message: str,
        rule: str,
        hint: str = "",
        severity: Severity = Severity.ERROR,
        on_key: bool = False,
    ) -> None:
        self.problems.append(
            self._document.problem(*path, message=message, hint=hint, rule=rule, severity=severity, on_key=on_key)
        )
