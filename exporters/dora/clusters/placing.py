"""Where measured performance stands among the clusters of a report.

A report's clusters come from a cluster analysis of answers to a survey; it prints what is usual in each of them, not
where one ends. They overlap and leave gaps, so that a measured value may fit several clusters or lie between two: that
is what is said then. How the overall place is found is ours (`Placed.overall`): no report gives a rule for it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from statistics import median

from exporters.dora.clusters.editions import Band, Edition
from exporters.dora.model import DoraMetrics, Metric


class Fit(Enum):
    """How a value stands to the clusters named."""

    IN = "in"  # it is what the report prints of them: of several, it may be any
    BETWEEN = "between"  # it lies between the first and the second
    BETTER = "better"  # better than what is printed of the best
    WORSE = "worse"  # worse than what is printed of the worst


@dataclass(frozen=True, slots=True)
class Placement:
    """The clusters that a value belongs to or lies between."""

    clusters: tuple[str, ...]
    fit: Fit = Fit.IN

    def in_words(self) -> str:
        """`elite`, `high or medium`, `between elite and high`, `worse than low`."""
        if self.fit is Fit.BETWEEN:
            return f"between {self.clusters[0]} and {self.clusters[1]}"
        named = " or ".join(self.clusters)
        return named if self.fit is Fit.IN else f"{self.fit.value} than {named}"


@dataclass(frozen=True, slots=True)
class Placed:
    """Every metric that the edition knows; None where nothing was measured.

    `overall`: each metric's place is the mean of the ranks of its clusters, and the median of these four is the
    overall place; between two ranks it is said to be between them. None unless all four were measured.
    """

    edition: Edition
    metrics: Mapping[Metric, Placement | None]
    overall: Placement | None

    @property
    def missing(self) -> tuple[Metric, ...]:
        """What was not measured: because of it there is no overall place."""
        return tuple(metric for metric, placement in self.metrics.items() if placement is None)


def cluster_of(metrics: DoraMetrics, edition: Edition) -> Placed:
    """The place of a service, team or environment. Medians of times, the mean frequency, and the rate are compared."""
    found = {
        metric: None if value is None else placement_of(value, edition.clusters, edition.bands[metric])
        for metric, value in ((metric, _value(metrics, metric)) for metric in edition.bands)
    }
    placed = [placement for placement in found.values() if placement is not None]
    return Placed(edition, found, _overall(placed, edition.clusters) if len(placed) == len(found) else None)


def placement_of(value: Decimal, clusters: Sequence[str], bands: Sequence[Band]) -> Placement:
    """The place of one value where less is better. Of nested ranges (`less than a day`) the narrowest counts."""
    if bands[0].typical is not None:
        return _among_typical(value, clusters, bands)
    fitting = [(band.high, name) for name, band in zip(clusters, bands, strict=True) if band.holds(value)]
    if fitting:
        narrowest = min((high for high, _ in fitting if high is not None), default=None)
        return Placement(tuple(name for high, name in fitting if high == narrowest))
    named = list(zip(clusters, bands, strict=True))
    better = [(band.high, name) for name, band in named if band.high is not None and band.high <= value]
    worse = [(band.low, name) for name, band in named if band.low > value]
    if not better:
        first = min(low for low, _ in worse)
        return Placement(tuple(name for low, name in worse if low == first), Fit.BETTER)
    last = max(high for high, _ in better)
    nearest = tuple(name for high, name in better if high == last)
    if not worse:
        return Placement(nearest, Fit.WORSE)
    next_low = min(low for low, _ in worse)
    return Placement((nearest[-1], next(name for low, name in worse if low == next_low)), Fit.BETWEEN)


def _among_typical(value: Decimal, clusters: Sequence[str], bands: Sequence[Band]) -> Placement:
    """Between the two nearest of what is usual, in the order of the values: it need not be that of the clusters."""
    usual = sorted((band.typical, name) for name, band in zip(clusters, bands, strict=True) if band.typical is not None)
    same = tuple(name for typical, name in usual if typical == value)
    if same or value < usual[0][0]:  # a survey's answer: nobody fails less than never
        return Placement(same or (usual[0][1],))
    if value > usual[-1][0]:
        return Placement((usual[-1][1],), Fit.WORSE)
    at = next(at for at, (typical, _) in enumerate(usual) if typical > value)
    return Placement((usual[at - 1][1], usual[at][1]), Fit.BETWEEN)


def _value(metrics: DoraMetrics, metric: Metric) -> Decimal | None:
    """What is compared, as a number of which less is better."""
    if metric is Metric.LEAD_TIME:
        return metrics.lead_time.median.value
    if metric is Metric.FREQUENCY:
        per_day = metrics.frequency.per_day.value
        return 1 / per_day if per_day else None
    if metric is Metric.RECOVERY_TIME:
        return metrics.recovery_time.median.value
    if metric is Metric.RESTORE_TIME:
        return metrics.restore_time.median.value
    return metrics.fail_rate.value if metric is Metric.FAIL_RATE else metrics.rework_rate.value


def _overall(placed: Sequence[Placement], clusters: Sequence[str]) -> Placement:
    ranks = [sum(clusters.index(name) for name in each.clusters) / len(each.clusters) for each in placed]
    middle = median(ranks)
    low, high = clusters[math.floor(middle)], clusters[math.ceil(middle)]
    return Placement((low,)) if low == high else Placement((low, high), Fit.BETWEEN)
