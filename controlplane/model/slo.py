"""Service level objectives, in a form that no dialect owns."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

from controlplane.model.alerting import STANDARD_ALERTING, Alerting
from controlplane.model.exclusion import Exclusion
from controlplane.model.source import SourcePosition


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL as a user wrote it, and where it stands in their file. Equal to the same text elsewhere."""

    text: str
    position: SourcePosition = field(compare=False)


@dataclass(frozen=True, slots=True)
class RatioIndicator:
    """Events counted by counters: all of them, and either the bad or the good ones; exactly one of the two is set.

    A bad (or good) series that is missing while `total` is there counts as zero events. `gauges`: metrics without a
    function are gauges, such as replicas that are ready and wanted; what they show is counted for as long as they do.
    """

    total: Query
    bad: Query | None
    good: Query | None
    gauges: bool = False


@dataclass(frozen=True, slots=True)
class LatencyIndicator:
    """Events no slower than `threshold` (in the histogram's own unit), counted by one bucket of a classic histogram.

    `within` selects the bucket (`le` = threshold), `total` all events. A bucket that does not exist is missing
    data, never zero: a mistyped `le` must not read as "everything is slow".
    """

    within: Query
    total: Query
    threshold: Decimal


@dataclass(frozen=True, slots=True)
class NativeLatencyIndicator:
    """Events no slower than `threshold` (in the histogram's own unit), from a native histogram (Prometheus 3).

    `histogram` selects it, as a count of events: `http_request_duration_seconds{job="api"}` or a `rate` of it.
    """

    histogram: Query
    threshold: Decimal


@dataclass(frozen=True, slots=True)
class RawRatioIndicator:
    """A ratio that the user computes, each minute as heavy as any other; `is_failure`: of bad events, else of good.

    Clamped to 0…1; NaN is missing. The query may hold a placeholder for its range.
    """

    ratio: Query
    is_failure: bool


@dataclass(frozen=True, slots=True)
class BoolIndicator:
    """Gauges that are 1 while all is well and else 0, such as `probe_success`; counted in series-minutes."""

    gauge: Query


class Comparison(Enum):
    """How a value must stand to its threshold to be good; values as PromQL writes them."""

    AT_MOST = "<="
    AT_LEAST = ">="
    BELOW = "<"
    ABOVE = ">"


@dataclass(frozen=True, slots=True)
class ThresholdIndicator:
    """A gauge, good in each minute in which `value` stands to `threshold` as `good_while` says."""

    value: Query
    good_while: Comparison
    threshold: Decimal


Counted = RatioIndicator | LatencyIndicator | NativeLatencyIndicator
Measured = Counted | RawRatioIndicator | BoolIndicator | ThresholdIndicator


@dataclass(frozen=True, slots=True)
class TimeslicesIndicator:
    """Slices of time, each as heavy as any other, whatever its traffic.

    With `target` a slice is bad when its share of good events is below (OpenSLO: Timeslices); without, it is as bad as
    its share of bad events (RatioTimeslices). `length` is how far a slice looks back.
    """

    of: Measured
    length: timedelta
    target: Decimal | None


@dataclass(frozen=True, slots=True)
class CompositePart:
    """One objective of a composite. `weight` multiplies what it takes from the composite's budget."""

    name: str
    indicator: Measured | TimeslicesIndicator
    objective: Decimal
    weight: Decimal


class Combination(Enum):
    """How the parts of a composite become one; values as OpenSLO's `budgetingMethod` has them."""

    BURN_RATES = "Occurrences"
    ANY_BAD_SLICE = "Timeslices"
    MISSING_SHARES = "RatioTimeslices"


@dataclass(frozen=True, slots=True)
class CompositeIndicator:
    """Several indicators as one (OpenSLO, "Notes (Composite SLO)").

    Its budget burns at the sum of weight × burn rate of each part. Of slices of time: a slice that is bad for any part
    is bad, whatever the weights, or weight × missing share of each part adds up, to 100 % at most.
    A part without data at a moment weighs nothing then.
    """

    parts: tuple[CompositePart, ...]

    @property
    def combination(self) -> Combination:
        """As all parts are measured: in slices of one kind, or else by their burn rates."""
        kinds = {_slice_kind(part.indicator) for part in self.parts}
        return kinds.pop() if len(kinds) == 1 else Combination.BURN_RATES


def _slice_kind(indicator: Measured | TimeslicesIndicator) -> Combination:
    if not isinstance(indicator, TimeslicesIndicator):
        return Combination.BURN_RATES
    return Combination.MISSING_SHARES if indicator.target is None else Combination.ANY_BAD_SLICE


Indicator = Measured | TimeslicesIndicator | CompositeIndicator


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """The period over which the objective must hold, ending now."""

    length: timedelta


class CalendarUnit(Enum):
    """What a calendar window is a number of."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_NOMINAL: Final = {
    CalendarUnit.DAY: timedelta(days=1),
    CalendarUnit.WEEK: timedelta(days=7),
    CalendarUnit.MONTH: timedelta(days=30),
    CalendarUnit.QUARTER: timedelta(days=90),
    CalendarUnit.YEAR: timedelta(days=365),
}


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """A period that begins anew at `start` (local wall-clock time, ISO 8601, no zone) and every `count` units after.

    `time_zone` is an IANA name. Whole days are counted by the clock on the wall, so days of 23 and 25 hours are days.
    """

    count: int
    unit: CalendarUnit
    start: str
    time_zone: str

    @property
    def length(self) -> timedelta:
        """Its nominal length: a month is 30 days. Only thresholds are scaled by it; budgets count what there was."""
        return self.count * _NOMINAL[self.unit]


Window = RollingWindow | CalendarWindow


class NoTraffic(Enum):
    """What time without any event counts as."""

    GOOD = "good"
    EXCLUDED = "excluded"
    BAD = "bad"


class Absent(Enum):
    """What happens when the series are gone."""

    IGNORE = "ignore"
    TICKET = "ticket"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """How missing data is read. `up` is PromQL that gives 1 while the service is there: then absence means idle."""

    no_traffic: NoTraffic = NoTraffic.EXCLUDED
    absent: Absent = Absent.TICKET
    absent_after: timedelta = timedelta(minutes=15)
    up: str = ""


STANDARD_POLICY: Final = DataPolicy()


class Dialect(Enum):
    """The tools whose files we read."""

    OPENSLO = "openslo"
    SLOTH = "sloth"
    PYRRA = "pyrra"


@dataclass(frozen=True, slots=True)
class LegacyNames:
    """What another tool calls an SLO: the labels that it gives its series. `recorded`: these are wanted beside ours."""

    dialect: Dialect
    labels: tuple[tuple[str, str], ...]
    recorded: bool = True


@dataclass(frozen=True, slots=True)
class SLO:
    """One objective for one indicator over one window. `name` is unique in a workspace.

    `objective` is the share of good events asked for, 0 < objective < 1. `labels` are copied to every alert. `groups`
    are labels of the user's series: every combination of their values has a budget of its own.
    SLOs are equal when they ask for the same, wherever they are written.
    """

    name: str
    service: str
    objective: Decimal
    window: Window
    indicator: Indicator
    source: SourcePosition = field(compare=False)
    display_name: str = ""
    description: str = ""
    owner: str = ""
    runbook_url: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    worst_by: tuple[str, ...] = ()  # labels that tell where bad events come from; empty: what the queries suggest
    groups: tuple[str, ...] = ()
    policy: DataPolicy = STANDARD_POLICY
    alerting: Alerting = STANDARD_ALERTING
    exclusions: tuple[Exclusion, ...] = ()
    legacy_names: LegacyNames | None = None
    renamed_from: tuple[str, ...] = ()  # earlier names, whose recorded history counts as its own
    own_settings: frozenset[str] = field(default=frozenset(), compare=False)  # what its document settled: no policy may
    policies: tuple[str, ...] = field(default=(), compare=False)  # policies that its document asks for by name

    @property
    def budget_ratio(self) -> Decimal:
        """Share of events that may be bad: 1 − objective, exactly."""
        return 1 - self.objective


@dataclass(frozen=True, slots=True)
class Service:
    """Something that has objectives."""

    name: str
    source: SourcePosition
    display_name: str = ""
    description: str = ""
