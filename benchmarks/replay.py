"""The compiled rules over a past month, on a real Prometheus: each rule by range query, its series written back."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.prometheus_data import Backend, Result
from benchmarks.report import progress
from controlplane import conventions as names
from controlplane.model.rule import AlertingRule, RecordingRule, Rule, RuleGroup

SERIES: Final = re.compile(r"\b(?:slo:[A-Za-z0-9_:]+|ALERTS)\b")


@dataclass(frozen=True, slots=True)
class Step:
    """A rule and how often it is evaluated, in seconds."""

    rule: Rule
    interval: int

    @property
    def writes(self) -> str:
        """The series it makes."""
        return self.rule.record if isinstance(self.rule, RecordingRule) else f"ALERTS-{_severity(self.rule)}"

    @property
    def reads(self) -> frozenset[str]:
        """The recorded series that it needs."""
        found = set(SERIES.findall(self.rule.expr)) - {self.writes}
        if "ALERTS" in found:
            found = (found - {"ALERTS"}) | {f"ALERTS-{names.SEVERITY_PAGE}"}
        return frozenset(found)


def _severity(rule: AlertingRule) -> str:
    return dict(rule.labels).get(names.SEVERITY, "")


def in_order(groups: Sequence[RuleGroup]) -> Iterator[list[Step]]:
    """Rules in stages: whatever a stage reads, an earlier one has written for the whole month."""
    waiting = [
        Step(rule, round(group.interval.total_seconds()))
        for group in groups
        for rule in group.rules
        if not (isinstance(rule, AlertingRule) and rule.alert == names.ALERT_NO_DATA)
    ]
    while waiting:
        unwritten = {step.writes for step in waiting}
        ready = [step for step in waiting if not step.reads & unwritten]
        if not ready:  # the bad events of the rolling pair read its own other half
            ready = [step for step in waiting if not (step.reads - {step.writes}) & unwritten]
        if not ready:
            raise RuntimeError(f"rules that wait for one another: {[step.writes for step in waiting]}")
        waiting = [step for step in waiting if step not in ready]
        yield ready


def replay(backend: Backend, groups: Sequence[RuleGroup], start: int, end: int) -> dict[str, list[Result]]:
    """Evaluate the rules from `start` to `end`; return what was recorded, by series name (alerts: `ALERTS-page`).

    `SLONoData` is left out: it judges nothing here.
    """
    recorded: dict[str, list[Result]] = {}
    for stage in in_order(groups):
        for step in _rolling_totals_first(stage):
            if step.writes not in recorded:
                progress(step.writes)
            found = _evaluated(backend, step, start, end)
            backend.write((result.labels, result.times, result.values) for result in found)
            recorded.setdefault(step.writes, []).extend(found)
    return recorded


def _rolling_totals_first(stage: list[Step]) -> list[Step]:
    return sorted(stage, key=lambda step: dict(step.rule.labels).get(names.EVENT) != names.EVENT_ALL)


def _evaluated(backend: Backend, step: Step, start: int, end: int) -> list[Result]:
    rule = step.rule
    extra = dict(rule.labels)
    if isinstance(rule, AlertingRule):
        extra |= {"__name__": "ALERTS", "alertname": rule.alert, "alertstate": "firing"}
    else:
        extra |= {"__name__": rule.record}
    first = -(-start // step.interval) * step.interval
    return [
        Result({**_plain(result.labels), **extra}, result.times, _written(rule, result.values))
        for result in backend.range(rule.expr, first, end, step.interval)
    ]


def _plain(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name != "__name__"}


def _written(rule: Rule, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ones_like(values) if isinstance(rule, AlertingRule) else values
