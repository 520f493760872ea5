"""How bad a slice of time was, 0 … 1, as PromQL evaluated every minute; absent where nothing was measured.

A slice ends at the moment of evaluation and looks back over its own length, so slices longer than a minute overlap:
that is the mean over every way of laying them end to end.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import duration, number
from controlplane.model.slo import (
    BoolIndicator,
    Comparison,
    LatencyIndicator,
    Measured,
    NativeLatencyIndicator,
    Query,
    RatioIndicator,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from slo.promql.event_query import aggregated, event_query
from slo.promql.value_query import value_query

Simple = Measured | TimeslicesIndicator  # everything that is not made of parts

_MINUTE: Final = timedelta(minutes=1)
_OPEN_RANGE: Final = timedelta(minutes=5)  # of ranges that the user left open, where no slice has a length of its own
_HALF_A_MINUTE: Final = timedelta(seconds=30)
# Rates are floats: a share that is exactly the target may come out a hair above it, and must not count as bad.
_HAIR: Final = Decimal("1e-9")
_BAD_WHILE: Final = {
    Comparison.AT_MOST: ">",
    Comparison.AT_LEAST: "<",
    Comparison.BELOW: ">=",
    Comparison.ABOVE: "<=",
}


def condition(indicator: Simple, by: Sequence[str]) -> str:
    """How bad the slice that ends now is: 0 or 1 where there is a target or a threshold, else its share of bad events.

    A threshold, or a ratio that the user computes, is a slice of one moment. NaN is nothing measured.
    """
    if isinstance(indicator, RawRatioIndicator):
        return ratio_over(indicator, _OPEN_RANGE, by)
    if not isinstance(indicator, TimeslicesIndicator):
        return _share(indicator, _MINUTE, by)
    share = _share(indicator.of, indicator.length, by)
    if indicator.target is None:
        return f"clamp({share}, 0, 1)"
    return f"({share}) > bool {number(1 - indicator.target + _HAIR)}"


def says_something(indicator: Simple, by: Sequence[str]) -> str:
    """An expression that has a value wherever it is known whether there was traffic; empty where time has no traffic.

    Where it has one and there is no slice, nothing happened. A bucket that does not exist says nothing.
    """
    of, length = (
        (indicator.of, indicator.length) if isinstance(indicator, TimeslicesIndicator) else (indicator, _MINUTE)
    )
    match of:
        case RatioIndicator(total=total, gauges=gauges):
            return event_query(total.text, gauges).events(length, by)
        case LatencyIndicator(within=within):
            return event_query(within.text).events(length, by)
        case NativeLatencyIndicator(histogram=histogram):
            return f"histogram_count({event_query(histogram.text).summed(length, by)})"
        case RawRatioIndicator(ratio=value) | ThresholdIndicator(value=value):
            length = _OPEN_RANGE if of is indicator else length
            return f"{aggregated('count', by)} ({value_query(value.text).over(length)})"
        case BoolIndicator():
            return ""


def gauge_over(gauge: Query, length: timedelta) -> str:
    """The range vector of a gauge's last `length`, of an expression each minute."""
    query = value_query(gauge.text)
    text = query.over(length)
    return f"{text}[{duration(length)}]" if query.is_selector else f"({text})[{_looking_back(length)}:1m]"


def ratio_over(indicator: RawRatioIndicator, length: timedelta, by: Sequence[str]) -> str:
    """The share of bad events as the user's query gives it for `length`; of several series the mean."""
    ratio = value_query(indicator.ratio.text).over(length)
    mean = f"{aggregated('avg', by)} (clamp(({ratio}) >= -Inf, 0, 1))"
    return mean if indicator.is_failure else f"1 - {mean}"


def _share(indicator: Measured, length: timedelta, by: Sequence[str]) -> str:
    """The share of bad events, or of bad time, of the last `length`; absent without traffic."""
    match indicator:
        case RatioIndicator(total=total, bad=None, good=good, gauges=gauges) if good is not None:
            every = event_query(total.text, gauges).events(length, by)
            counted = event_query(good.text, gauges).events(length, by)
            return f"1 - ({counted} or 0 * {every}) / ({every} > 0)"
        case RatioIndicator(total=total, bad=bad, gauges=gauges) if bad is not None:
            every = event_query(total.text, gauges).events(length, by)
            return f"({event_query(bad.text, gauges).events(length, by)} or 0 * {every}) / ({every} > 0)"
        case LatencyIndicator(within=within, total=total):
            every = event_query(total.text).events(length, by)
            return f"1 - {event_query(within.text).events(length, by)} / ({every} > 0)"
        case NativeLatencyIndicator(histogram=histogram, threshold=threshold):
            summed = event_query(histogram.text).summed(length, by)
            return f"1 - (histogram_fraction(0, {number(threshold)}, {summed}) >= 0)"
        case BoolIndicator(gauge=gauge):
            mean = f"avg_over_time({gauge_over(gauge, length)}) >= -Inf"
            return f"1 - {aggregated('avg', by)} (clamp({mean}, 0, 1))"
        case RawRatioIndicator():
            own_range = value_query(indicator.ratio.text).has_open_range
            now = ratio_over(indicator, length if own_range else _OPEN_RANGE, by)
            return now if own_range else _mean_of_minutes(now, length)
        case ThresholdIndicator():
            return _mean_of_minutes(_beyond(indicator, length, by), length)
    raise ValueError("a ratio needs bad or good")


def _beyond(indicator: ThresholdIndicator, length: timedelta, by: Sequence[str]) -> str:
    """1 while the value is on the wrong side of its threshold, 0 while it is not; of several series the worst."""
    value = value_query(indicator.value.text).over(max(length, _OPEN_RANGE))
    compared = f"(({value}) >= -Inf) {_BAD_WHILE[indicator.good_while]} bool {number(indicator.threshold)}"
    return f"{aggregated('max', by)} ({compared})"


def _mean_of_minutes(expr: str, length: timedelta) -> str:
    return expr if length <= _MINUTE else f"avg_over_time(({expr})[{_looking_back(length)}:1m])"


def _looking_back(length: timedelta) -> str:
    """A range that holds the minutes of `length` exactly, wherever ranges are closed."""
    return duration(max(length, _MINUTE) - _HALF_A_MINUTE)
