"""Each indicator as a pair of PromQL expressions: all and bad events of the last 5 minutes (RULES.md, "Indicators").

What is measured in time counts minutes: of the last 5, how many were measured and how many of them were bad.
Expressions give one series, or one per combination of the labels `by`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import number
from controlplane.model.rule import Labels
from controlplane.model.slo import (
    BoolIndicator,
    LatencyIndicator,
    NativeLatencyIndicator,
    Query,
    RatioIndicator,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from slo.indicators.newborn import Births, births_among
from slo.indicators.slices import Simple, condition, gauge_over, ratio_over, says_something
from slo.promql.event_query import EventQuery, aggregated, event_query
from slo.promql.value_query import value_query

ROLLING: Final = timedelta(minutes=5)
_MINUTES: Final = 5
# Slices are written every minute: a little less than 5 minutes holds exactly five of them, wherever ranges are closed.
FIVE_SLICES: Final = "4m30s"
EACH_MINUTE: Final = "1m"


@dataclass(frozen=True, slots=True)
class EventPair:
    """Two PromQL expressions, each one series per group: events of the last 5 minutes, all and bad."""

    all: str
    bad: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where an indicator is recorded: as that of an SLO, or of one part of a composite."""

    slo: str
    part: str = ""

    @property
    def labels(self) -> Labels:
        """The labels of everything that is recorded here."""
        return ((names.SLO, self.slo), *(((names.PART, self.part),) if self.part else ()))

    @property
    def record(self) -> str:
        """The name of the rolling pair."""
        return names.PART_EVENTS if self.part else names.ROLLING_EVENTS

    @property
    def every(self) -> str:
        """The recorded series of all events."""
        return f'{self.record}{{{self._matchers},{names.EVENT}="{names.EVENT_ALL}"}}'

    @property
    def slices(self) -> str:
        """The recorded slices."""
        return f"{names.SLICE_BAD}{{{self._matchers}}}"

    @property
    def added(self) -> str:
        """The labels that recording adds, to be ignored where recorded and other series meet."""
        return ", ".join((*dict(self.labels), names.EVENT))

    @property
    def _matchers(self) -> str:
        return ",".join(f'{label}="{value}"' for label, value in self.labels)


@dataclass(frozen=True, slots=True)
class Every:
    """How `bad` refers to all events: their expression, and labels of it to ignore where it meets the user's series."""

    text: str
    added: str
    since_birth: bool

    def none(self, by: Sequence[str]) -> str:
        """Zero while there is `all`."""
        return f"0 * {aggregated('sum', by)} ({self.text})"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An indicator's pair, and the slice that it is made of and that must be recorded before, None without one."""

    slice: str | None
    pair: EventPair


def recorded(indicator: Simple, by: Sequence[str], place: Place, *, since_birth: bool = True) -> Recorded:
    """The expressions of rules: `bad` reads the recorded `all`, and both read the recorded slices.

    `since_birth` as in `slo.indicators.newborn`.
    """
    if _is_direct(indicator):
        return Recorded(None, _direct(indicator, by, Every(place.every, place.added, since_birth)))
    return Recorded(condition(indicator, by), _sliced(indicator, by, f"{place.slices}[{FIVE_SLICES}]", place.every))


def computed(indicator: Simple, by: Sequence[str], *, since_birth: bool = True) -> EventPair:
    """The same without anything recorded, for asking about the past. Ask at whole minutes."""
    if not _is_direct(indicator):
        slices = f"({condition(indicator, by)})[{FIVE_SLICES}:{EACH_MINUTE}]"
        return _sliced(indicator, by, slices, f"({_sliced(indicator, by, slices, '').all})")
    every = _direct(indicator, by, Every("", "", since_birth)).all
    return _direct(indicator, by, Every(f"({every})", f"{names.SLO}, {names.EVENT}", since_birth))


def _is_direct(indicator: Simple) -> bool:
    """Whether a range of 5 minutes tells what happened in them; else each minute is judged by itself."""
    match indicator:
        case TimeslicesIndicator() | ThresholdIndicator():
            return False
        case RawRatioIndicator(ratio=ratio):
            return value_query(ratio.text).over_five_minutes
    return True


def _sliced(indicator: Simple, by: Sequence[str], slices: str, every: str) -> EventPair:
    total = aggregated("sum", by)
    quiet = says_something(indicator, by)
    all_, bad = f"{total} (count_over_time({slices}))", f"{total} (sum_over_time({slices}))"
    if quiet:
        return EventPair(f"{all_}\nor\n0 * {quiet}", f"{bad}\nor\n0 * {total} ({every})")
    return EventPair(all_, bad)


def _direct(indicator: Simple, by: Sequence[str], every: Every) -> EventPair:
    match indicator:
        case RatioIndicator() | LatencyIndicator():
            return _counted(indicator, by, every)
        case NativeLatencyIndicator():
            return _native(indicator, by, every)
        case BoolIndicator(gauge=gauge):
            mean = f"avg_over_time({gauge_over(gauge, ROLLING)}) >= -Inf"  # NaN is missing
            return EventPair(
                f"{aggregated('count', by)} ({mean}) * {_MINUTES}",
                f"{aggregated('sum', by)} (1 - clamp({mean}, 0, 1)) * {_MINUTES}",
            )
        case RawRatioIndicator():
            bad = ratio_over(indicator, ROLLING, by)
            quiet = says_something(indicator, by)
            return EventPair(
                f"{_MINUTES} + 0 * ({bad})\nor\n0 * {quiet}", f"{_MINUTES} * ({bad})\nor\n{every.none(by)}"
            )
    raise TypeError(f"no pair of a {type(indicator).__name__} itself")


def _counted(indicator: RatioIndicator | LatencyIndicator, by: Sequence[str], every: Every) -> EventPair:
    total = _events(indicator, indicator.total)
    match indicator:
        case RatioIndicator(bad=None, good=good) if good is not None:
            counted = _events(indicator, good).events(ROLLING, by)
            whole = f"{aggregated('sum', by)} ({every.text})"
            bad = f"clamp_min(\n  {whole}\n  - ({counted} or {every.none(by)}),\n  0\n)"
        case RatioIndicator(bad=counted_bad) if counted_bad is not None:
            query = _events(indicator, counted_bad)
            births = births_among(query, total, ROLLING, by) if every.since_birth else None
            bad = f"{births.whole if births else query.events(ROLLING, by)}\nor\n{every.none(by)}"
        case LatencyIndicator(within=within):
            counted = event_query(within.text).events(ROLLING, by)
            bad = f"clamp_min(\n  {every.text}\n  - ignoring ({every.added}) {counted},\n  0\n)"
        case _:
            raise ValueError("a ratio needs bad or good")
    return EventPair(total.events(ROLLING, by), bad)


def births_of(indicator: RatioIndicator, by: Sequence[str]) -> Births | None:
    """How its bad events are counted since birth; None where they are not."""
    if indicator.bad is None:
        return None
    return births_among(_events(indicator, indicator.bad), _events(indicator, indicator.total), ROLLING, by)


def _native(indicator: NativeLatencyIndicator, by: Sequence[str], every: Every) -> EventPair:
    """An empty histogram's fraction is NaN: no events, none of them bad."""
    query = event_query(indicator.histogram.text)
    histogram, threshold = query.summed(ROLLING, by), number(indicator.threshold)
    slow = f"(1 - histogram_fraction(0, {threshold}, {histogram}))"
    bad = f"clamp_min(\n  {every.text}\n  * ignoring ({every.added}) {slow},\n  0\n) >= 0\nor\n{every.none(by)}"
    return EventPair(native_count(query, ROLLING, by), bad)


def native_count(query: EventQuery, window: timedelta, by: Sequence[str]) -> str:
    """The observations of native histograms during `window`."""
    return f"histogram_count({query.summed(window, by)}){query.factor(window)}"


def _events(indicator: RatioIndicator | LatencyIndicator, query: Query) -> EventQuery:
    return event_query(query.text, gauges=isinstance(indicator, RatioIndicator) and indicator.gauges)
