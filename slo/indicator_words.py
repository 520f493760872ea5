"""What an objective asks a share of, in words."""

from controlplane.burn_rate import number
from controlplane.model.slo import (
    BoolIndicator,
    Combination,
    Comparison,
    CompositeIndicator,
    Indicator,
    LatencyIndicator,
    NativeLatencyIndicator,
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
        case LatencyIndicator(threshold=threshold) | NativeLatencyIndicator(threshold=threshold):
            return f"events within {number(threshold)} (in the histogram’s unit)"
        case RawRatioIndicator():
            return "time, as good as the query’s ratio says"
        case BoolIndicator():
            return "minutes in which the gauges are 1"
        case ThresholdIndicator(good_while=good_while, threshold=threshold):
            return f"minutes in which the value is {_IN_WORDS[good_while]} {number(threshold)}"
        case TimeslicesIndicator(of=of, length=length, target=None):
            return f"time, each slice of {window(length)} as good as its share of {counted_in_words(of)}"
        case TimeslicesIndicator(of=of, length=length, target=target) if target is not None:
            return f"slices of {window(length)} with at least {exact_percent(target)} of {counted_in_words(of)}"
        case CompositeIndicator(parts=parts):
            return f"{_TOGETHER[indicator.combination].format(len(parts))}: {', '.join(part.name for part in parts)}"
    return "events good"
