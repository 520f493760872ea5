"""Prometheus rules as values; `controlplane.rulefile` writes them."""

from dataclasses import dataclass
from datetime import timedelta

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """A series computed by Prometheus. `expr` is PromQL; it may span lines."""

    record: str
    expr: str
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """A condition that becomes an alert after it held for `hold` (Prometheus: `for`)."""

    alert: str
    expr: str
    labels: Labels = ()
    annotations: Labels = ()
    hold: timedelta = timedelta(0)
    keep_firing: timedelta = timedelta(0)


Rule = RecordingRule | AlertingRule


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that Prometheus evaluates together and in order, every `interval`. `name` is unique in its file."""

    name: str
    interval: timedelta
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One YAML file of rule groups. `name` is its path below the rules directory, such as `slo/checkout.yaml`."""

    name: str
    groups: tuple[RuleGroup, ...]
