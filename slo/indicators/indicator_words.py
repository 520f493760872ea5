"""What an objective asks a share of, in words."""

import re
from datetime import timedelta
from decimal import Decimal

from controlplane.burn_rate import number
from controlplane.model.slo import (
    BoolIndicator,
    Combination,
    Comparison,
    CompositeIndicator,
    Indicator,
    LatencyIndicator,
    NativeLatencyIndicator,
    Query,
    RatioIndicator,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from controlplane.wording import exact_percent, window

_IN_WORDS = {
    Comparison.AT_MOST: "at most",
    Comparison.AT_LEAST: "at least",
    Comparison.BELOW: "below",
    Comparison.ABOVE: "above",
}

_UNITS = (("seconds", "s"), ("milliseconds", "ms"), ("ms", "ms"))
_MINUTE = timedelta(minutes=1)

_TOGETHER = {
    Combination.BURN_RATES: "what {} objectives measure, whose burn rates add up",
    Combination.ANY_BAD_SLICE: "slices of time that are bad for none of {} objectives",
    Combination.MISSING_SHARES: "time, each slice less what {} objectives miss of it together",
}


def counted_in_words(indicator: Indicator) -> str:
    """Such as `events good`, or `minutes in which the value is at most 5`."""
    match indicator:
        case RatioIndicator():
            return "events good"
        case (
            LatencyIndicator(threshold=threshold, within=measured)
            | NativeLatencyIndicator(threshold=threshold, histogram=measured)
        ):
            return f"events within {_with_unit(threshold, measured)}"
        case RawRatioIndicator():
            return "time, as good as the query’s ratio says"
        case BoolIndicator():
            return "minutes in which the gauges are 1"
        case ThresholdIndicator(good_while=good_while, threshold=threshold):
            return f"minutes in which the value is {_IN_WORDS[good_while]} {_grouped(threshold)}"
        case TimeslicesIndicator(of=ThresholdIndicator() as of, length=length, target=target) if (
            length == _MINUTE and target == 1
        ):
            return counted_in_words(of)
        case TimeslicesIndicator(of=of, length=length, target=None):
            return f"time, each {window(length)} slice as good as its share of {counted_in_words(of)}"
        case TimeslicesIndicator(of=of, length=length, target=target) if target is not None:
            return f"{window(length)} slices with at least {exact_percent(target)} of {counted_in_words(of)}"
        case CompositeIndicator(parts=parts):
            return f"{_TOGETHER[indicator.combination].format(len(parts))}: {', '.join(part.name for part in parts)}"
    return "events good"


def unit_in_words(indicator: Indicator) -> str:
    """What its budget is counted in, in the plural."""
    match indicator:
        case RatioIndicator(gauges=True):
            return "units for a minute"
        case RatioIndicator() | LatencyIndicator() | NativeLatencyIndicator():
            return "events"
        case CompositeIndicator(combination=Combination.BURN_RATES):
            return "usual minutes"
    return "minutes"


def _with_unit(threshold: Decimal, histogram: Query) -> str:
    """A threshold in the unit that the histogram's name tells, as Prometheus' naming has it."""
    for ending, unit in _UNITS:
        if re.search(rf"_{ending}(_bucket|_sum|_count)?\b", histogram.text):
            return f"{number(threshold)} {unit}"
    return f"{number(threshold)} (in the histogram’s unit)"


def _grouped(value: Decimal) -> str:
    """`50000000` → `50,000,000`."""
    return f"{value.normalize():,f}"
