"""Indicators as PromQL: what is recorded of each, the same over the past, and where its bad events come from."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import number
from controlplane.model.rule import Labels, RecordingRule
from controlplane.model.slo import (
    SLO,
    BoolIndicator,
    Combination,
    CompositeIndicator,
    LatencyIndicator,
    NativeLatencyIndicator,
    Query,
    RatioIndicator,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from slo.indicators.composite import computed_composite, part_places, recorded_composite, recorded_slice, usual_events
from slo.indicators.newborn import counts_births
from slo.indicators.pairs import EventPair, Place, computed, native_count, recorded
from slo.indicators.slices import Simple, gauge_over
from slo.promql.event_query import event_query
from slo.promql.promql_text import Selector
from slo.promql.value_query import value_query

__all__ = [
    "EventPair",
    "bad_events_by",
    "contributor_labels",
    "pair_over_past",
    "part_series",
    "queries_of",
    "rolling_records",
    "usual_records",
    "worst_contributors",
]

_HOUR: Final = timedelta(hours=1)
# What instrumentation usually calls the place and the outcome of a request. A label that is not there costs nothing.
_USUAL_PLACES: Final = ("route", "handler", "path", "operation", "code", "status")
_USUAL_TARGETS: Final = ("job", "instance", "target")
_MOST_LABELS: Final = 8


def rolling_records(slo: SLO) -> Iterator[RecordingRule]:
    """The rules behind the SLO's rolling pair, in the order in which they must be evaluated, the pair last.

    `bad` reads the recorded `all` (`slo:sli_events:rolling5m{event="all"}`). No traffic is 0 events. Missing series:
    `all` is absent; `bad` of a ratio is 0 while there is `all`; `bad` of a latency is absent when its bucket is. What
    is measured in time records its slices first (`slo:sli_slice:bad`), a composite what it records of its parts.
    """
    if isinstance(slo.indicator, CompositeIndicator):
        for part, place in part_places(slo, slo.indicator):
            yield from _records(part.indicator, slo, place)
        slice_ = recorded_slice(slo, slo.indicator)
        if slice_ is not None:
            yield slice_
        yield from _pair_records(recorded_composite(slo, slo.indicator), Place(slo.name))
    else:
        yield from _records(slo.indicator, slo, Place(slo.name))


def usual_records(slo: SLO) -> Iterator[RecordingRule]:
    """What a composite by burn rates records every 5 minutes: its parts' ledgers, and what is usual for each."""
    if _knows_what_is_usual(slo):
        own = ((names.SLO, slo.name),)
        entries = f'avg_over_time({names.PART_EVENTS}{{{names.SLO}="{slo.name}"}}[5m])'
        yield RecordingRule(names.PART_LEDGER, entries, own)
        yield RecordingRule(names.PART_USUAL, usual_events(slo), own)


def pair_over_past(slo: SLO, *, end: datetime | None = None) -> EventPair:
    """The pair without recorded series, for range queries over the past; ask at whole minutes.

    What is usual for the parts of a composite is taken from the window that ends at `end`; by default at the end of the
    query's range, so that several queries for one stretch of time must name it.
    """
    if isinstance(slo.indicator, CompositeIndicator):
        at = "end()" if end is None else str(int(end.timestamp()))
        return computed_composite(slo, slo.indicator, f"@ {at}")
    return computed(slo.indicator, slo.groups, since_birth=counts_births(slo))


def part_series(slo: SLO) -> tuple[tuple[Labels, EventPair], ...]:
    """Labels and pair over the past of each part of a composite by burn rates; nothing of other indicators."""
    if not isinstance(slo.indicator, CompositeIndicator) or not _knows_what_is_usual(slo):
        return ()
    parts = part_places(slo, slo.indicator)
    return tuple(
        (place.labels, computed(part.indicator, slo.groups, since_birth=counts_births(slo))) for part, place in parts
    )


def worst_contributors(slo: SLO) -> str:
    """PromQL: the three label combinations with the most bad events of the last hour; empty when there were none.

    Of a composite its parts. An empty text where nothing tells: a threshold, or a ratio that the user computes.
    """
    events = bad_events_by(slo)
    return f"topk(3, {events})" if events else ""


def bad_events_by(slo: SLO) -> str:
    """PromQL: bad events of the last hour by what tells them apart and by groups; an empty text where nothing does."""
    if isinstance(slo.indicator, CompositeIndicator):
        bad = f'{names.PART_EVENTS}{{{names.SLO}="{slo.name}",{names.EVENT}="{names.EVENT_BAD}"}}'
        by = ", ".join((names.PART, *slo.groups))
        return f"sum by ({by}) (sum_over_time({bad}[1h])) / 5 > 0"
    events = _bad_events_by(slo.indicator, tuple(dict.fromkeys((*slo.groups, *contributor_labels(slo)))))
    return f"{events} > 0" if events else ""


def contributor_labels(slo: SLO) -> tuple[str, ...]:
    """The labels that tell where bad events come from: the user's choice, or what the queries vary over."""
    if slo.worst_by:
        return slo.worst_by
    selectors, grouped = _seen(slo.indicator)
    matchers = [matcher for selector in selectors for matcher in selector.matchers]
    fixed = {matcher.label for matcher in matchers if matcher.operator == "="}
    varied = [matcher.label for matcher in matchers if matcher.operator != "="]
    usual = _USUAL_TARGETS if isinstance(_simple(slo.indicator), BoolIndicator) else _USUAL_PLACES
    wanted = dict.fromkeys((*varied, *grouped, *usual))
    kept = (label for label in wanted if label not in fixed and label not in ("le", "__name__", *slo.groups))
    return tuple(kept)[:_MOST_LABELS]


def queries_of(indicator: Simple) -> tuple[tuple[str, Query], ...]:
    """The user's queries, named by their part in the indicator."""
    match indicator:
        case RatioIndicator(total=total, bad=bad, good=good):
            named = (("good", good), ("bad", bad), ("all", total))
            return tuple((name, query) for name, query in named if query is not None)
        case LatencyIndicator(within=within, total=total):
            return (("fast enough", within), ("all", total))
        case NativeLatencyIndicator(histogram=histogram):
            return (("histogram", histogram),)
        case RawRatioIndicator(ratio=ratio, is_failure=is_failure):
            return (("share of bad events" if is_failure else "share of good events", ratio),)
        case BoolIndicator(gauge=gauge):
            return (("1 while well", gauge),)
        case ThresholdIndicator(value=value):
            return (("value", value),)
        case TimeslicesIndicator(of=of):
            return queries_of(of)


def _knows_what_is_usual(slo: SLO) -> bool:
    return isinstance(slo.indicator, CompositeIndicator) and slo.indicator.combination is Combination.BURN_RATES


def _records(indicator: Simple, slo: SLO, place: Place) -> Iterator[RecordingRule]:
    found = recorded(indicator, slo.groups, place, since_birth=counts_births(slo))
    if found.slice is not None:
        yield RecordingRule(names.SLICE_BAD, found.slice, place.labels)
    yield from _pair_records(found.pair, place)


def _pair_records(pair: EventPair, place: Place) -> Iterator[RecordingRule]:
    for event, expr in ((names.EVENT_ALL, pair.all), (names.EVENT_BAD, pair.bad)):
        yield RecordingRule(place.record, expr, (*place.labels, (names.EVENT, event)))


def _bad_events_by(indicator: Simple, labels: tuple[str, ...]) -> str:
    match indicator:
        case RatioIndicator(bad=bad, gauges=gauges) if bad is not None:
            return event_query(bad.text, gauges).events_by(labels, _HOUR)
        case RatioIndicator(total=total, good=good, gauges=gauges) if good is not None:
            every = event_query(total.text, gauges).events_by(labels, _HOUR)
            return f"({every} - ({event_query(good.text, gauges).events_by(labels, _HOUR)} or 0 * {every}))"
        case LatencyIndicator(within=within, total=total):
            every = event_query(total.text).events_by(labels, _HOUR)
            return f"({every} - {event_query(within.text).events_by(labels, _HOUR)})"
        case NativeLatencyIndicator(histogram=histogram, threshold=threshold):
            query = event_query(histogram.text)
            fraction = f"histogram_fraction(0, {number(threshold)}, {query.summed(_HOUR, labels)})"
            return f"{native_count(query, _HOUR, labels)} * (1 - {fraction})"
        case BoolIndicator(gauge=gauge):
            down = f"1 - clamp(avg_over_time({gauge_over(gauge, _HOUR)}), 0, 1)"
            return f"sum by ({', '.join(labels)}) ({down}) * 60"
        case TimeslicesIndicator(of=of):
            return _bad_events_by(of, labels)
    return ""


def _simple(indicator: Simple | CompositeIndicator) -> Simple | CompositeIndicator:
    return indicator.of if isinstance(indicator, TimeslicesIndicator) else indicator


def _seen(indicator: Simple | CompositeIndicator) -> tuple[list[Selector], list[str]]:
    """The selectors of its queries, bad ones first, and the labels that they group by."""
    if isinstance(indicator, CompositeIndicator):
        return [], []
    queries = [query for _, query in queries_of(indicator)]
    if isinstance(_simple(indicator), RawRatioIndicator | BoolIndicator | ThresholdIndicator):
        return [selector for query in queries for selector in value_query(query.text).selectors], []
    events = [event_query(query.text) for query in queries]
    return [one for each in events for one in each.selectors], [one for each in events for one in each.grouped_by]
