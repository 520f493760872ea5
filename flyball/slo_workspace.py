"""The SLO files of a workspace, from disk to rules and dashboards. Implements `slo.ports.Workspace`."""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from alerts.model import AlertsDeclared
from controlplane.adapters.files import fingerprint, read_folder, shown
from controlplane.collection import collection_paused
from controlplane.model.generation import TextFile
from controlplane.model.slo import SLO
from controlplane.problems import Problem, has_errors, in_order
from controlplane.specfile import SourceFile
from flyball.alerting.compiling import alert_rule_files
from flyball.alerting.declared import NO_ALERTS
from flyball.alerting.reading import alerts_in
from flyball.anomalies.compiling import anomaly_rule_files
from flyball.anomalies.declared import NO_ANOMALIES, AnomaliesDeclared
from flyball.anomalies.reading import anomalies_in
from flyball.delivery.compiling import delivery_rule_files
from flyball.delivery.declared import NO_DELIVERY, DeliveryDeclared
from flyball.delivery.reading import delivery_in
from flyball.money.compiling import money_rule_files
from flyball.money.declared import NOTHING, MoneyDeclared
from flyball.money.discovered import DiscoveredModels
from flyball.money.reading import money_in
from flyball.remembered_files import RememberedFiles
from flyball.remembered_rules import RememberedRules
from flyball.shown_sources import showable
from flyball.slo_manifests import manifest_file
from flyball.synthetics.compiling import check_rule_files
from flyball.synthetics.declared import NO_CHECKS, ChecksDeclared
from flyball.synthetics.reading import checks_in
from slo.compiler import CompileOptions
from slo.manifest import RememberedLines
from slo.ports import Compiled

MakeDashboards = Callable[
    [Sequence[SLO], MoneyDeclared, ChecksDeclared, AlertsDeclared, DeliveryDeclared, AnomaliesDeclared],
    Iterable[TextFile],
]


@dataclass(slots=True)
class LatestDeclared:
    """What the last good files say besides SLOs, with paths as they are meant where the files lie."""

    money: MoneyDeclared = NOTHING
    checks: ChecksDeclared = NO_CHECKS
    alerts: AlertsDeclared = NO_ALERTS
    delivery: DeliveryDeclared = NO_DELIVERY
    anomalies: AnomaliesDeclared = NO_ANOMALIES
    is_known: bool = False  # files were good once


@dataclass(frozen=True, slots=True)
class SLOWorkspace:
    """The directory, or the one file, that users edit. `make_dashboards` is None where nobody picks dashboards up.

    The rules directory must not be among the files that it reads, or rules would be taken for specifications.
    What did not change since the last `compile` is not read and compiled again; one thread at a time may call it.
    `models` are language models that occur and that no file lists: somebody must `look` for them.
    """

    folder: Path
    options: CompileOptions
    rules_directory: Path | None = None
    make_dashboards: MakeDashboards | None = None
    models: DiscoveredModels = field(default_factory=DiscoveredModels)
    _files: RememberedFiles = field(default_factory=RememberedFiles)
    _rules: RememberedRules = field(default_factory=RememberedRules)
    _lines: RememberedLines = field(default_factory=RememberedLines)
    _latest: LatestDeclared = field(default_factory=LatestDeclared)

    def money(self) -> MoneyDeclared:
        """What the files said about money when they were last compiled without errors."""
        return self._latest.money

    def checks(self) -> ChecksDeclared:
        """What the files said about checks from outside when they were last compiled without errors."""
        return self._latest.checks

    def alerts(self) -> AlertsDeclared:
        """What the files said about who is told of alerts when they were last compiled without errors."""
        return self._latest.alerts

    def delivery(self) -> DeliveryDeclared:
        """What the files said about deliveries when they were last compiled without errors."""
        return self._latest.delivery

    def anomalies(self) -> AnomaliesDeclared:
        """What the files said about anomalies when they were last compiled without errors."""
        return self._latest.anomalies

    def is_known(self) -> bool:
        """Whether the files were ever good in this process: before, nobody can tell what is declared no more."""
        return self._latest.is_known

    def begin_with(self, alerts: AlertsDeclared) -> None:
        """Who is told until the files are read: what was applied last. Broken files must not make a page go astray."""
        self._latest.alerts = alerts

    def fingerprint(self) -> Hashable:
        """Metadata of the files, and what was discovered."""
        files, models = fingerprint(self.folder), self.models.fingerprint()
        return (files, models) if models else files

    def sources(self) -> Mapping[str, bytes]:
        """The files as they stand, by the path that problems name; passwords are masked."""
        files, _ = read_folder(self.folder)
        return {file.path: showable(file.path, file.content) for file in files}

    def compile(self) -> Compiled:
        """Everything that is wrong, or what the files mean."""
        with collection_paused():
            return self._compile()

    def _compile(self) -> Compiled:
        files, unreadable = read_folder(self.folder)
        found, slos = self._files.understand(files)
        if not files and not unreadable:
            unreadable = [_nothing_in(self.folder)]
        problems = in_order([*unreadable, *self._misplaced(), *found])
        digest = _digest(files)
        if has_errors(problems):
            return Compiled(digest, (), problems=tuple(problems))
        money = money_in(files)
        checks = checks_in(files, slos)
        alerts = alerts_in(files)
        delivery, anomalies = delivery_in(files), anomalies_in(files)
        self._latest.money, self._latest.checks = money.declared, checks.declared
        self._latest.alerts, self._latest.delivery = alerts.declared, delivery.declared
        self._latest.anomalies = anomalies.declared
        self._latest.is_known = True
        priced = replace(money.declared, price_maps=self.models.priced(money.declared.price_maps))
        return Compiled(
            digest,
            (
                *self._rules.compile(slos, self.options),
                *money_rule_files(priced, self.options),
                *check_rule_files(checks.declared, self.options),
                *alert_rule_files(alerts.declared, money.declared, checks.declared, self.options),
                *delivery_rule_files(delivery.declared, self.options),
                *anomaly_rule_files(anomalies.declared, self.options),
            ),
            slos=slos,
            problems=tuple(problems),
            dashboards=tuple(
                self.make_dashboards(
                    slos, money.declared, checks.declared, alerts.declared, delivery.declared, anomalies.declared
                )
            )
            if self.make_dashboards
            else (),
            manifest=manifest_file(slos, self.options, self._lines),
            records=(*money.records, *checks.records, *alerts.records, *delivery.records, *anomalies.records),
        )

    def _misplaced(self) -> list[Problem]:
        if self.rules_directory is None:
            return []
        folder, rules = self.folder.resolve(), self.rules_directory.resolve()
        if not rules.is_relative_to(folder) or any(part.startswith(".") for part in rules.relative_to(folder).parts):
            return []
        message = "the rules directory lies among the files that Flyball reads"
        hint = f"choose one outside {shown(self.folder)}, or one whose name begins with a dot"
        return [Problem(shown(self.rules_directory), 1, 1, "", message, hint=hint, rule="rules-directory")]


def _nothing_in(folder: Path) -> Problem:
    """An empty folder is a mistake or a volume that is not mounted; it must not take every rule away."""
    hint = "to remove the last rules, leave flyball.yaml in it"
    return Problem(shown(folder), 1, 1, "", "no *.yaml or *.yml files here", hint=hint, rule="nothing-to-check")


def _digest(files: Sequence[SourceFile]) -> str:
    digest = hashlib.sha256()
    for file in files:
        for part in (file.path.encode("utf-8", "surrogateescape"), file.content):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
