"""Indicators as PromQL: the rolling pair of each, and where its bad events come from (RULES.md, "Indicators")."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.slo import SLO, LatencyIndicator, Query, RatioIndicator
from slo.event_query import EventQuery, event_query

ROLLING: Final = timedelta(minutes=5)
_HOUR: Final = timedelta(hours=1)
# What instrumentation usually calls the place and the outcome of a request. A label that is not there costs nothing.
_USUAL_PLACES: Final = ("route", "handler", "path", "operation", "code", "status")
_MOST_LABELS: Final = 8


@dataclass(frozen=True, slots=True)
class EventPair:
    """Two PromQL expressions, each one series without labels: events of the last 5 minutes, all and bad."""

    all: str
    bad: str


def rolling_expressions(slo: SLO) -> EventPair:
    """The expressions behind the SLO's rolling pair.

    `bad` reads the recorded `all` (`slo:sli_events:rolling5m{event="all"}`), so that must be evaluated first.
    No traffic is 0 events. Missing series: `all` is absent; `bad` of a ratio is 0 while there is `all`; `bad` of a
    latency is absent when its bucket is.
    """
    recorded_all = f'{names.ROLLING_EVENTS}{{{names.SLO}="{slo.name}",{names.EVENT}="{names.EVENT_ALL}"}}'
    none = f"0 * sum ({recorded_all})"
    match slo.indicator:
        case RatioIndicator(total=total, bad=None, good=good) if good is not None:
            counted = event_query(good.text).events(ROLLING)
            bad = f"clamp_min(\n  sum ({recorded_all})\n  - ({counted} or {none}),\n  0\n)"
        case RatioIndicator(total=total, bad=counted_bad) if counted_bad is not None:
            bad = f"{event_query(counted_bad.text).events(ROLLING)}\nor\n{none}"
        case LatencyIndicator(within=within, total=total):
            counted = event_query(within.text).events(ROLLING)
            ignoring = f"ignoring ({names.SLO}, {names.EVENT})"
            bad = f"clamp_min(\n  {recorded_all}\n  - {ignoring} {counted},\n  0\n)"
        case _:
            raise ValueError(f"{slo.name}: a ratio needs bad or good")
    return EventPair(event_query(total.text).events(ROLLING), bad)


def standalone_bad(slo: SLO) -> str:
    """The `bad` expression without recorded series: `all` is computed in place, for asking about the past."""
    pair = rolling_expressions(slo)
    recorded_all = f'{names.ROLLING_EVENTS}{{{names.SLO}="{slo.name}",{names.EVENT}="{names.EVENT_ALL}"}}'
    return pair.bad.replace(recorded_all, f"({pair.all})")


def worst_contributors(slo: SLO) -> str:
    """PromQL: the three label combinations with the most bad events of the last hour; empty when there were none."""
    labels = contributor_labels(slo)
    match slo.indicator:
        case RatioIndicator(bad=bad) if bad is not None:
            events = event_query(bad.text).events_by(labels, _HOUR)
        case RatioIndicator(total=total, good=good) if good is not None:
            all_events = event_query(total.text).events_by(labels, _HOUR)
            good_events = event_query(good.text).events_by(labels, _HOUR)
            events = f"({all_events} - ({good_events} or 0 * {all_events}))"
        case LatencyIndicator(within=within, total=total):
            all_events = event_query(total.text).events_by(labels, _HOUR)
            events = f"({all_events} - {event_query(within.text).events_by(labels, _HOUR)})"
        case _:
            raise ValueError(f"{slo.name}: a ratio needs bad or good")
    return f"topk(3, {events} > 0)"


def contributor_labels(slo: SLO) -> tuple[str, ...]:
    """The labels that tell where bad events come from: the user's choice, or what the queries vary over."""
    if slo.worst_by:
        return slo.worst_by
    queries = list(_queries(slo))
    fixed = {
        matcher.label
        for query in queries
        for selector in query.selectors
        for matcher in selector.matchers
        if matcher.operator == "="
    }
    varied = [
        matcher.label
        for query in queries
        for selector in query.selectors
        for matcher in selector.matchers
        if matcher.operator != "="
    ]
    grouped = [label for query in queries for label in query.grouped_by]
    wanted = dict.fromkeys((*varied, *grouped, *_USUAL_PLACES))
    return tuple(label for label in wanted if label not in fixed and label not in ("le", "__name__"))[:_MOST_LABELS]


def _queries(slo: SLO) -> list[EventQuery]:
    queries: tuple[Query | None, ...]
    match slo.indicator:
        case RatioIndicator(total=total, bad=bad, good=good):
            queries = (bad, good, total)
        case LatencyIndicator(within=within, total=total):
            queries = (within, total)
    return [event_query(query.text) for query in queries if query is not None]
