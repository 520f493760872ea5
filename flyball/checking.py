"""What `flyball check` finds: mistakes, lint rules as the workspace chose them, and what a live Prometheus says."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.model import AlertsDeclared
from controlplane.adapters.clock import SystemClock
from controlplane.model.slo import SLO
from controlplane.problems import Problem, Severity, in_order
from controlplane.specfile import Document, SourceFile
from flyball.alerting.declared import NO_ALERTS, is_about_alerts
from flyball.anomalies.declared import NO_ANOMALIES, AnomaliesDeclared
from flyball.delivery.declared import NO_DELIVERY, DeliveryDeclared
from flyball.examining import Examined, examine
from flyball.linting import Choices, choices_of, problems_of
from flyball.money.declared import NOTHING, MoneyDeclared
from flyball.money.joining import unit_cost_label_problems
from flyball.synthetics.declared import NO_CHECKS, ChecksDeclared
from flyball.workspace_spec import Workspace
from slo.lint import Finding, Surroundings, static_findings
from slo.lint.rules import ALERT_UNREACHABLE

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """Files as checked so far."""

    documents: tuple[Document, ...]
    slos: tuple[SLO, ...]
    problems: tuple[Problem, ...]
    choices: Choices
    money: MoneyDeclared = NOTHING
    checks: ChecksDeclared = NO_CHECKS
    alerts: AlertsDeclared = NO_ALERTS
    delivery: DeliveryDeclared = NO_DELIVERY
    anomalies: AnomaliesDeclared = NO_ANOMALIES

    @property
    def sound_slos(self) -> tuple[SLO, ...]:
        """SLOs in documents without mistakes: of others nobody knows yet what they ask for."""
        errors: dict[str, list[int]] = defaultdict(list)
        for problem in self.problems:
            if problem.severity is Severity.ERROR:
                errors[problem.path].append(problem.line)
        within: dict[str, list[Document]] = defaultdict(list)
        for document in self.documents:
            within[document.source.path].append(document)
        return tuple(slo for slo in self.slos if _is_sound(slo, within[slo.source.path], errors[slo.source.path]))

    def with_findings(self, findings: Sequence[Finding]) -> "Checked":
        """The same, and what lint rules found."""
        further = self.choices.apply(problems_of(findings, self.documents))
        return replace(self, problems=tuple(in_order([*self.problems, *further])))


def check_files(
    files: Sequence[SourceFile], now: datetime | None = None, *, exists: Callable[[str], bool] | None = None
) -> Checked:
    """Everything that the files alone tell. `now` decides what has expired; the clock says when it is None.

    `exists` tells whether another file of the workspace is there; None: nobody is asked.
    """
    examined = examine(files)
    choices = choices_of(examined.documents)
    now = now or SystemClock().now()
    findings = static_findings(examined.slos, Surroundings(now, _has_runbooks(examined.documents)))
    told, findings = _merged(examined, findings)
    joined = unit_cost_label_problems(examined.money.unit_costs, examined.money.price_maps)
    problems = in_order([*choices.apply(told), *choices.problems, *joined, *_about_alerts(examined, now, exists)])
    checked = Checked(
        examined.documents,
        examined.slos,
        tuple(problems),
        choices,
        examined.money,
        examined.checks,
        examined.alerts,
        examined.delivery,
        examined.anomalies,
    )
    return checked.with_findings(findings)


def ask_prometheus(
    checked: Checked, url: str, *, progress: Progress = lambda what, done, of: None, note: Callable[[str], None]
) -> Checked:
    """The same, and what the live rules find. `note` is told what could not be checked.

    Raises `Transient` and `Permanent` when Prometheus cannot be asked.
    """
    from controlplane.adapters.prometheus import PrometheusBackend
    from controlplane.adapters.prometheus_catalogue import PrometheusCatalogue
    from slo.lint.live import Live, live_findings

    backend = PrometheusBackend(url)
    try:
        live = Live(backend, PrometheusCatalogue(backend), SystemClock().now())
        found = live_findings(checked.sound_slos, live, progress)
    finally:
        backend.close()
    for text in found.notes:
        note(f"not checked: {text}")
    return checked.with_findings(found.findings)


def _is_sound(slo: SLO, documents: Sequence[Document], errors: Sequence[int]) -> bool:
    """Whether no error stands in the document that it is from; documents of a file are in order."""
    if not errors:
        return True
    following = bisect_right(documents, slo.source.line, key=lambda document: document.position.line)
    if following == 0:
        return False
    own = documents[following - 1]
    return slo.source.line <= own.end.line and not any(own.position.line <= line <= own.end.line for line in errors)


def _about_alerts(examined: Examined, now: datetime, exists: Callable[[str], bool] | None) -> tuple[Problem, ...]:
    if not any(is_about_alerts(document) for document in examined.documents):
        return ()
    from flyball.alerting.checking import alert_problems

    return alert_problems(examined, now, exists)


def _has_runbooks(documents: Sequence[Document]) -> bool:
    return any(isinstance(document.value, Workspace) and document.value.spec.slo.runbook_url for document in documents)


def _merged(examined: Examined, findings: Sequence[Finding]) -> tuple[list[Problem], list[Finding]]:
    """Each alert that cannot fire once: at its target, where that is known to be still true, or at its SLO."""
    silent = [finding for finding in findings if finding.rule is ALERT_UNREACHABLE]
    told: list[Problem] = []
    placed: set[Finding] = set()
    for problem in examined.problems:
        if problem.rule != ALERT_UNREACHABLE.name:
            told.append(problem)
            continue
        same = [finding for finding in silent if _in_one_document(problem, finding, examined.documents)]
        placed |= set(same)
        told += [problem] if same else []
    return told, [finding for finding in findings if finding not in placed]


def _in_one_document(problem: Problem, finding: Finding, documents: Sequence[Document]) -> bool:
    if problem.path != finding.position.path:
        return False
    return any(
        document.source.path == problem.path
        and document.position.line <= min(problem.line, finding.position.line)
        and max(problem.line, finding.position.line) <= document.end.line
        for document in documents
    )
