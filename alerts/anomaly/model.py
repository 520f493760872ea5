"""Anomaly detectors as declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Final

from controlplane.model.source import SourcePosition
from controlplane.model.spend import Ledger

MOST_SERIES: Final = 10_000
STANDARD_MOST_SERIES: Final = 1_000


class Direction(Enum):
    """Which deviations count."""

    BOTH = "both"
    ABOVE = "above"
    BELOW = "below"


class Sensitivity(Enum):
    """How rare is rare enough; `alerts.anomaly.detector.settings` has the thresholds."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Output(Enum):
    """What is scored: single points, or what goes on."""

    POINT = "point"
    SUSTAINED = "sustained"


class Values(Enum):
    """What the numbers are."""

    GAUGE = "gauge"
    COUNTER = "counter"  # made into a rate a second; a fall is a reset
    COUNT = "count"  # events a step: scored on the square root, whose noise does not grow with traffic
    RATIO = "ratio"  # a share of something; below `least_denominator` there is no score


BASELINES: Final = ("", "level", "daily", "weekly", "cost")
"""What a step is compared with, by code; the last one is that of daily costs."""


class Maturity(IntEnum):
    """How much past there is."""

    COLD = 0  # nothing to compare with: no score
    LEVEL = 1  # less than a day: scored against the level, never an alert
    DAILY = 2  # 1 to 14 days
    WEEKLY = 3


@dataclass(frozen=True, slots=True)
class Season:
    """In whose day and week the series lives."""

    time_zone: str = "UTC"  # IANA
    daily: bool = True
    weekly: bool = True


@dataclass(frozen=True, slots=True)
class CalendarTerms:
    """Days and deployments that are not learnt from. Exactly one of `country`, `dates` and `deployments`.

    `like` says which weekday such a day resembles (0 Monday … 6 Sunday): it is then compared with those. None: with
    its own weekday. They are scored all the same.
    """

    country: str = ""  # ISO 3166, with a subdivision: DE-BY; of the package `holidays`
    dates: tuple[tuple[date, date], ...] = ()  # first and last day, both included, in the season's time zone
    deployments: timedelta | None = None  # for so long after each deployment of `service`
    service: str = ""  # of deployments; empty: the one that the series' label `service` names
    name: str = ""
    like: int | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """Series that are judged together: with the same values of `by`. `by` empty: all of them.

    The sum (or mean) of each group is scored as a series of its own. Members alert only if they pass
    Benjamini–Hochberg at `false_discovery_rate` among the members of the group; None: each for itself.
    """

    by: tuple[str, ...] = ()
    aggregate: str = "sum"  # sum | mean
    false_discovery_rate: Decimal | None = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Opening:
    """Hysteresis: opens when `steps` of the last `of` are anomalous, closes after `close_after` below 0.6."""

    steps: int = 1
    of: int = 1
    close_after: int = 3


@dataclass(frozen=True, slots=True)
class CostQuery:
    """Daily spend of a ledger, one series per value of `by`."""

    ledger: Ledger
    by: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] | None = None
    currency: str = ""  # empty: each currency is a series of its own


@dataclass(frozen=True, slots=True)
class AnomalyDetector:
    """What is watched, and when that is told. Exactly one of `query` (PromQL) and `cost`.

    A deviation smaller than `least_absolute` (in the values' unit) or `least_relative` (of what is expected) is none.
    `outputs` are those that open anomalies; both are scored.
    """

    name: str
    display_name: str
    query: str
    cost: CostQuery | None
    step: timedelta
    season: Season
    values: Values
    direction: Direction
    least_absolute: Decimal | None
    least_relative: Decimal | None
    denominator: str  # PromQL with the labels of the query: what a ratio is a share of
    least_denominator: Decimal | None
    sensitivity: Sensitivity
    outputs: tuple[Output, ...]
    calendars: tuple[CalendarTerms, ...]
    grouping: Grouping | None
    opening: Opening
    severity: str  # page | ticket | info
    most_series: int
    labels: Mapping[str, str]  # copied to alerts
    runbook_url: str
    source: SourcePosition
