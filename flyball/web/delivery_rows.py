"""Metrics of deliveries as pages show them: a row for each service, a cell for each metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exporters.dora.model import Metric
from exporters.dora.report import numbers
from exporters.dora.report.model import Report, Row
from exporters.dora.report.telling import (
    NAMES,
    estimate_of,
    interval_text,
    overall_text,
    samples_text,
    value_text,
)
from flyball.web.charts import Lines
from flyball.web.delivery_charts import trend

SHOWN: Final = (Metric.LEAD_TIME, Metric.FREQUENCY, Metric.FAIL_RATE, Metric.RECOVERY_TIME, Metric.REWORK_RATE)
SHORT: Final = {
    Metric.LEAD_TIME: "Lead time",
    Metric.FREQUENCY: "Frequency",
    Metric.FAIL_RATE: "Fail rate",
    Metric.RECOVERY_TIME: "Recovery",
    Metric.REWORK_RATE: "Rework",
    Metric.RESTORE_TIME: "MTTR",
}
_UNITS: Final = {
    Metric.LEAD_TIME: "seconds",
    Metric.FREQUENCY: "a day",
    Metric.FAIL_RATE: "",
    Metric.RECOVERY_TIME: "seconds",
    Metric.REWORK_RATE: "",
    Metric.RESTORE_TIME: "seconds",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One metric. `exact` for tooltips; `before` is empty where the time before was not asked for."""

    metric: Metric
    value: str
    interval: str
    samples: str
    exact: str
    is_missing: bool
    before: str = ""
    place: str = ""

    @property
    def name(self) -> str:
        """In full."""
        return NAMES[self.metric]

    @property
    def short(self) -> str:
        """As a column's head."""
        return SHORT[self.metric]


@dataclass(frozen=True, slots=True)
class RowView:
    """A row; `deployments` and `leads` are its small lines over the weeks, None without enough of them."""

    row: Row
    team: str
    cells: tuple[Cell, ...]
    deployments: Lines | None
    leads: Lines | None
    overall: str

    @property
    def name(self) -> str:
        """Of the service, team or environment."""
        return self.row.name

    @property
    def environment(self) -> str:
        """Where."""
        return self.row.metrics.scope.environment


def row_views(report: Report, teams: dict[str, str] | None = None) -> list[RowView]:
    """All rows, in the report's order."""
    return [row_view(row, (teams or {}).get(row.metrics.scope.service, "")) for row in report.rows]


def row_view(row: Row, team: str = "", metrics: Sequence[Metric] = SHOWN) -> RowView:
    """One of them."""
    weeks = row.metrics.weeks
    return RowView(
        row=row,
        team=team or row.metrics.scope.team,
        cells=tuple(cell(row, metric) for metric in metrics),
        deployments=trend(weeks, lambda week: week.deployments),
        leads=trend(weeks, lambda week: week.lead_time_median),
        overall=overall_text(row) if row.placed else "",
    )


def cell(row: Row, metric: Metric) -> Cell:
    """One metric of a row."""
    it = estimate_of(row.metrics, metric)
    placement = row.placed.metrics.get(metric) if row.placed else None
    return Cell(
        metric=metric,
        value=value_text(metric, it),
        interval=interval_text(metric, it),
        samples=samples_text(metric, it) if it.samples else "",
        exact=f"{it.value} {_UNITS[metric]}".strip() if it.value is not None else "",
        is_missing=it.value is None,
        before=value_text(metric, estimate_of(row.before, metric)) if row.before else "",
        place=placement.in_words() if placement else "",
    )


def rhythm(row: Row) -> str:
    """How deployments are spread over the days, in a sentence; empty without any."""
    it = row.metrics.frequency
    if not it.deployments:
        return ""
    told = [f"Deployed on {it.active_days:,} of {numbers.counted(it.days, 'day')}"]
    if it.burst is not None:
        told.append(f"{numbers.ratio(it.burst)} of deployments on the busiest tenth of days")
    if it.releases != it.deployments:
        told.append(numbers.counted(it.releases, "release"))
    return f"{', '.join(told)}."
