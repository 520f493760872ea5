"""Indicators of the model as OpenSLO v1 writes them."""

from controlplane.burn_rate import duration
from controlplane.model.slo import (
    BoolIndicator,
    Comparison,
    CompositeIndicator,
    Indicator,
    LatencyIndicator,
    Measured,
    NativeLatencyIndicator,
    RatioIndicator,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from slo.convert.yaml_text import Value
from slo.openslo.slicing import RATIO_TIMESLICES, TIMESLICES

_OPERATORS = {Comparison.AT_MOST: "lte", Comparison.AT_LEAST: "gte", Comparison.BELOW: "lt", Comparison.ABOVE: "gt"}
_OCCURRENCES = "Occurrences"


def method_of(indicator: Indicator) -> str:
    """The budgeting method."""
    if isinstance(indicator, CompositeIndicator):
        return indicator.combination.value
    if isinstance(indicator, TimeslicesIndicator):
        return RATIO_TIMESLICES if indicator.target is None else TIMESLICES
    return _OCCURRENCES


def sli_spec(indicator: Measured | TimeslicesIndicator) -> dict[str, Value]:
    """The `spec` of an SLI."""
    match indicator:
        case TimeslicesIndicator(of=of):
            return sli_spec(of)
        case RatioIndicator(total=total, bad=bad, good=good, gauges=gauges):
            counted = {key: _metric(query.text) for key, query in (("good", good), ("bad", bad)) if query is not None}
            return {"ratioMetric": {"counter": not gauges, **counted, "total": _metric(total.text)}}
        case LatencyIndicator(within=within, total=total):
            return {"ratioMetric": {"counter": True, "good": _metric(within.text), "total": _metric(total.text)}}
        case NativeLatencyIndicator(histogram=histogram, threshold=threshold):
            every = f"histogram_count({histogram.text})"
            fast = f"histogram_fraction(0, {threshold:f}, {histogram.text}) * {every}"
            return {"ratioMetric": {"good": _metric(fast), "total": _metric(every)}}
        case RawRatioIndicator(ratio=ratio, is_failure=is_failure):
            raw_type = "failure" if is_failure else "success"
            return {"ratioMetric": {"rawType": raw_type, "raw": _metric(ratio.text)}}
        case BoolIndicator(gauge=gauge):
            return {"ratioMetric": {"good": _metric(f"sum({gauge.text})"), "total": _metric(f"count({gauge.text})")}}
        case ThresholdIndicator(value=value):
            return {"thresholdMetric": _metric(value.text)}


def comparison_of(indicator: Measured | TimeslicesIndicator) -> dict[str, Value]:
    """What an objective says of its indicator: the threshold, and the slices of time."""
    match indicator:
        case TimeslicesIndicator(of=of, length=length, target=target):
            slices: dict[str, Value] = {} if target is None else {"timeSliceTarget": target}
            return {**comparison_of(of), **slices, "timeSliceWindow": duration(length)}
        case ThresholdIndicator(good_while=good_while, threshold=threshold):
            return {"op": _OPERATORS[good_while], "value": threshold}
    return {}


def _metric(query: str) -> dict[str, Value]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}
