"""Alert rules of detectors: what is unusual, what is missing, and a detector that has stopped looking."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from alerts.anomaly import rule_texts as texts
from alerts.anomaly.labels import RESERVED, STANDS_FOR
from alerts.anomaly.model import AnomalyDetector
from controlplane import anomaly_names
from controlplane import conventions as names
from controlplane.burn_rate import number, seconds
from controlplane.model.rule import AlertingRule, Labels, RuleFile, RuleGroup

FILE: Final = "anomaly-detectors.yaml"
EVERY: Final = timedelta(minutes=1)
MOST_ALERTS: Final = 50
"""More anomalies at once than this are one alert: nobody reads the rest, and something common is behind them."""
ALL: Final = (STANDS_FOR, "all")
"""The label of an alert that stands for many series; their own labels it has not."""
_MOST_MISSING: Final = 20
_STORM: Final = timedelta(minutes=10)  # for so long one alert stands for all, so that alerts do not take turns
_KEEP: Final = timedelta(minutes=5)  # a restart of Flyball, or a scrape that fails, ends no anomaly
_LEAST_AGE: Final = timedelta(minutes=10)
_STEPS_STALE: Final = 5
_STEPS_MISSING: Final = 3


def rule_files(detectors: Sequence[AnomalyDetector], *, external_url: str = "") -> tuple[RuleFile, ...]:
    """One file with a group for each detector; none where no detector is declared.

    `external_url` is Flyball's own address, for links.

    AnomalyDetected: for each series while an anomaly is open, with its labels; with `grouping` for each group as one,
    and for members only of groups that are not anomalous themselves; beyond 50 at once a single one. How many times a
    series was anomalous before it opened was settled by the detector, so there is no `for`.
    AnomalySeriesMissing: samples that used to come do not, for 3 steps (10 minutes at least).
    AnomalyDetectorStale: nothing was scored for 5 steps (10 minutes at least), or nothing watches at all.
    """
    page = external_url.rstrip("/")
    groups = tuple(
        RuleGroup(f"anomaly:{each.name}", EVERY, tuple(_rules(each, page)))
        for each in sorted(detectors, key=lambda each: each.name)
    )
    return (RuleFile(FILE, groups),) if groups else ()


def _rules(detector: AnomalyDetector, page: str) -> Iterator[AlertingRule]:
    yield from _unusual(detector, page)
    yield from _missing(detector, page)
    yield _stale(detector, page)


def _unusual(detector: AnomalyDetector, page: str) -> Iterator[AlertingRule]:
    """Groups, then one alert for many members that no group stands for, or one for each of few."""
    told = f"{_series(anomaly_names.OPEN, detector, is_group=False)} == 1"
    grouping = detector.grouping
    if grouping is not None:
        groups = f"{_series(anomaly_names.OPEN, detector, is_group=True)} == 1"
        by = ", ".join((anomaly_names.OUTPUT, *(_exposed(label) for label in grouping.by)))
        told += f"\nunless on ({by})\n{groups}"
        yield _anomaly(detector, groups, texts.of_group(detector), page, (anomaly_names.GROUP, "1"))
    if detector.most_series > MOST_ALERTS:
        storm = _Storm(anomaly_names.ALERT_ANOMALY, detector, told, MOST_ALERTS, anomaly_names.OUTPUT)
        yield _anomaly(detector, storm.expr, texts.of_many(detector), page, ALL, keep=_STORM)
        told = storm.otherwise
    yield _anomaly(detector, told, texts.of_series(detector), page)


def _missing(detector: AnomalyDetector, page: str) -> Iterator[AlertingRule]:
    gaps = f"{_series(anomaly_names.GAP, detector, is_group=False)} == 1"
    hold = max(_STEPS_MISSING * detector.step, _LEAST_AGE)
    severity, links = _not_waking(detector), _links(detector, page)
    storm = _Storm(anomaly_names.ALERT_GAP, detector, gaps, _MOST_MISSING)
    for expr, own, about, keep in (
        (storm.expr, (ALL,), texts.of_many_missing(detector), _STORM),
        (storm.otherwise, (), texts.of_missing(detector), timedelta(0)),
    ):
        labels = _labels(detector, severity, *own)
        yield AlertingRule(anomaly_names.ALERT_GAP, expr, labels, (*about, *links), hold=hold, keep_firing=keep)


def _stale(detector: AnomalyDetector, page: str) -> AlertingRule:
    limit = max(_STEPS_STALE * detector.step, _LEAST_AGE)
    own = f'{{{anomaly_names.DETECTOR}="{detector.name}"}}'
    last = f"max by ({anomaly_names.DETECTOR}) ({anomaly_names.SCORED_AT}{own})"
    expr = f"time() - {last} > {number(seconds(limit))}\nor\nabsent({anomaly_names.SERIES}{own})"
    about = (*texts.of_stale(detector), *_links(detector, page))
    labels = _labels(detector, _not_waking(detector))
    return AlertingRule(anomaly_names.ALERT_STALE, expr, labels, about, hold=_LEAST_AGE)


@dataclass(frozen=True, slots=True)
class _Storm:
    """One alert for many series that are `told` at once, apart by the label `by`.

    Its own state keeps it from taking turns with theirs: it fires for a while longer, and as long there are none.
    """

    alert: str
    detector: AnomalyDetector
    told: str
    most: int
    by: str = ""

    @property
    def expr(self) -> str:
        """How many there are, where those are too many."""
        counted = f"count by ({self.by})" if self.by else "count"
        return f"{counted} (\n  {self.told.replace(chr(10), chr(10) + '  ')}\n) > {self.most}"

    @property
    def otherwise(self) -> str:
        """Each of them, where they are not."""
        of, (label, value) = anomaly_names.DETECTOR, ALL
        own = f'ALERTS{{alertname="{self.alert}",{of}="{self.detector.name}",{label}="{value}"}}'
        return f"{self.told}\nunless on ({self.by})\n({self.expr})\nunless on ({self.by})\n{own}"


def _series(metric: str, detector: AnomalyDetector, *, is_group: bool) -> str:
    one = "1" if is_group else ""
    return f'{metric}{{{anomaly_names.DETECTOR}="{detector.name}",{anomaly_names.GROUP}="{one}"}}'


def _exposed(label: str) -> str:
    """What a series' label is called on our metrics."""
    return f"exported_{label}" if label in RESERVED else label


def _anomaly(
    detector: AnomalyDetector,
    expr: str,
    about: Labels,
    page: str,
    *own: tuple[str, str],
    keep: timedelta = _KEEP,
) -> AlertingRule:
    labels = _labels(detector, detector.severity, *own)
    return AlertingRule(anomaly_names.ALERT_ANOMALY, expr, labels, (*about, *_links(detector, page)), keep_firing=keep)


def _labels(detector: AnomalyDetector, severity: str, *own: tuple[str, str]) -> Labels:
    """The detector's name and what `own` says stand in every rule: rules that differ in nothing else are duplicates."""
    return (
        (names.SEVERITY, severity),
        (anomaly_names.DETECTOR, detector.name),
        *own,
        *((name, texts.literal(value)) for name, value in sorted(detector.labels.items())),
    )


def _not_waking(detector: AnomalyDetector) -> str:
    """A detector that cannot see is repaired by day: burning budgets page by themselves."""
    return names.SEVERITY_INFO if detector.severity == names.SEVERITY_INFO else names.SEVERITY_TICKET


def _links(detector: AnomalyDetector, page: str) -> Labels:
    found = {
        names.DASHBOARD_URL: f"{page}/anomalies/{detector.name}" if page else "",
        names.RUNBOOK_URL: texts.literal(detector.runbook_url),
    }
    return tuple((name, value) for name, value in found.items() if value)
