"""What tests of applying share: a workspace in memory, a journal in memory, and rule files made by hand."""

import itertools
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.model.event import Event
from controlplane.model.rule import RecordingRule, RuleFile, RuleGroup
from controlplane.problems import Problem
from slo.daemon import ApplyOutcome, SLODaemon
from slo.ports import Compiled

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def to_yaml(file: RuleFile) -> str:
    """Enough of a rule file for Prometheus."""
    groups = [
        {
            "name": group.name,
            "interval": f"{group.interval.total_seconds():g}s",
            "rules": [
                {"record": rule.record, "expr": rule.expr} for rule in group.rules if isinstance(rule, RecordingRule)
            ],
        }
        for group in file.groups
    ]
    return yaml.safe_dump({"groups": groups}, sort_keys=False)


def rules(expr: str, *names: str) -> tuple[RuleFile, ...]:
    """One file with one group for each name, whose only rule is `expr`."""
    return tuple(
        RuleFile(
            f"{name}.yaml", (RuleGroup(f"slo-{name}", timedelta(minutes=1), (RecordingRule(f"test:{name}", expr),)),)
        )
        for name in names or ("checkout",)
    )


@dataclass
class MemoryWorkspace:
    """Files that compile to what a test sets."""

    files: tuple[RuleFile, ...] = field(default_factory=lambda: rules("vector(1)"))
    problems: tuple[Problem, ...] = ()
    look: int = 0
    compilations: int = 0

    def edit(self, files: tuple[RuleFile, ...] | None = None, *, mistake: str = "") -> None:
        """Save something else."""
        self.look += 1
        self.files = files or self.files
        self.problems = (Problem("slo.yaml", 3, 5, "spec", mistake),) if mistake else ()

    def fingerprint(self) -> Hashable:
        return self.look

    def compile(self) -> Compiled:
        self.compilations += 1
        return Compiled(f"digest {self.files} {self.problems}", self.files, problems=self.problems)


@dataclass
class MemoryJournal:
    """Events by id, the first of each."""

    events: dict[str, Event] = field(default_factory=dict)

    def write(self, event: Event) -> bool:
        if event.id in self.events:
            return False
        self.events[event.id] = event
        return True

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events.values()]


@dataclass
class Bench:
    """A daemon on a real folder and a real Prometheus; `turn` runs it two seconds later each time."""

    folder: Path
    url: str
    workspace: MemoryWorkspace = field(default_factory=MemoryWorkspace)
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    def __post_init__(self) -> None:
        self.times = (NOW + timedelta(seconds=2 * turn) for turn in itertools.count())
        self.backend = PrometheusBackend(self.url, timeout_seconds=10)
        self.restart()

    def restart(self) -> None:
        """Forget what the daemon remembers, as a new process would."""
        self.daemon = SLODaemon(self.workspace, RuleFolderOnDisk(self.folder), self.backend, self.journal, to_yaml)

    def turn(self, turns: int = 1) -> ApplyOutcome:
        for _ in range(turns - 1):
            self.daemon.run_once(next(self.times))
        return self.daemon.run_once(next(self.times))

    def loaded(self) -> dict[str, str]:
        """Rule name → expression, as Prometheus runs them now."""
        return {
            name: expr
            for group in self.backend.loaded_groups()
            for name, expr in group.rules
            if "generation" not in name
        }
