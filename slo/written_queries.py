"""Queries as they stand in users' files, of any dialect: understood, checked, and paired to indicators."""

from dataclasses import dataclass, replace

from controlplane.model.slo import Indicator, LatencyIndicator, Query, RatioIndicator
from controlplane.problems import Problem, Severity
from controlplane.promql import check_promql
from controlplane.specfile import Document
from slo.event_query import EventQuery, QueryFault, event_query
from slo.histogram import LatencyFault, latency_of
from slo.promql_text import Selector

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """An indicator, or None when it cannot be used."""

    value: Indicator | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """A query that counts events, and where it stands."""

    document: Document
    path: Path
    query: Query
    events: EventQuery


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text says, or None when it counts nothing."""

    query: ReadQuery | None
    problems: tuple[Problem, ...]


def understood(document: Document, path: Path, text: str) -> Understood:
    """Read the query that stands at `path` as a count of events."""
    try:
        events = event_query(text)
    except QueryFault as fault:
        return Understood(None, (query_problem(document, path, text, fault),))
    query = ReadQuery(document, path, Query(text, document.position_of(*path)), events)
    problems = []
    if events.scaled:
        hint = "write rate() or increase() without the factor"
        problems.append(_warning(query, "a rate times a number counts each event that many times", hint))
    for selector in events.selectors:
        if not selector.name and not _has_one_name(selector):
            message = "Prometheus refuses to count metrics together whose series have the same labels"
            problems.append(_warning(query, message, "add them up: sum(rate(a[5m])) + sum(rate(b[5m]))", selector))
    return Understood(query, tuple(problems))


def bad_of_total(bad: ReadQuery, total: ReadQuery) -> Found:
    """The indicator of bad events among all."""
    problems = [*_total_problems(total)]
    buckets = [each for each in bad.events.selectors if each.name.endswith("_bucket")]
    if buckets:
        problem = bad.document.problem(
            *bad.path,
            offset=buckets[0].start,
            length=len(buckets[0].name),
            severity=Severity.WARNING,
            rule="latency",
            message="a mistyped le would read as no bad events at all",
            hint="give the bucket as good, and x_count as total: then a missing bucket raises SLONoData",
        )
        problems.append(problem)
    return Found(RatioIndicator(total.query, bad.query, None), tuple(problems))


def good_of_total(good: ReadQuery, total: ReadQuery) -> Found:
    """The indicator of good events among all: a latency when they are those of one bucket of a histogram."""
    problems = _total_problems(total)
    try:
        latency = latency_of(good.events, total.events)
    except LatencyFault as fault:
        where = good if fault.in_good else total
        problem = where.document.problem(
            *where.path,
            message=fault.message,
            hint=fault.hint,
            offset=fault.offset,
            length=fault.length,
            rule="query",
        )
        return Found(None, (*problems, problem))
    if latency is None:
        return Found(RatioIndicator(total.query, None, good.query), problems)
    within, every = latency.within.apply(good.query.text), latency.total.apply(total.query.text)
    value = LatencyIndicator(replace(good.query, text=within), replace(total.query, text=every), latency.threshold)
    return Found(value, problems)


def query_problem(document: Document, path: Path, text: str, fault: QueryFault) -> Problem:
    """A query's fault at its own line and column."""
    syntax = check_promql(text) if fault.rule == "promql-syntax" else None
    if syntax is not None:
        return document.problem(
            *path, message=syntax.message, hint=syntax.hint, offset=syntax.offset, length=syntax.length, rule=fault.rule
        )
    return document.problem(
        *path, message=fault.message, hint=fault.hint, offset=fault.offset, length=fault.length, rule=fault.rule
    )


def _total_problems(total: ReadQuery) -> tuple[Problem, ...]:
    problems = []
    if total.events.filled:
        message = "missing data would read as no traffic, and never raise SLONoData"
        problems.append(_warning(total, message, "remove `or vector(0)` from total"))
    if total.events.filtered:
        message = "no traffic would read as missing data, and raise SLONoData"
        hint = "remove the comparison from total: without traffic the budget stands still anyway"
        problems.append(_warning(total, message, hint))
    return tuple(problems)


def _warning(query: ReadQuery, message: str, hint: str, at: Selector | None = None) -> Problem:
    offset = at.start if at is not None else None
    return query.document.problem(
        *query.path, offset=offset, message=message, hint=hint, severity=Severity.WARNING, rule="query"
    )


def _has_one_name(selector: Selector) -> bool:
    return any(matcher.label == "__name__" and matcher.operator == "=" for matcher in selector.matchers)
