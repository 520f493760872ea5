"""Queries as they stand in users' files, of any dialect: understood, checked, and paired to indicators."""

from dataclasses import dataclass, replace
from decimal import Decimal

from controlplane.model.slo import (
    BoolIndicator,
    Comparison,
    Indicator,
    LatencyIndicator,
    NativeLatencyIndicator,
    Query,
    RatioIndicator,
    RawRatioIndicator,
    ThresholdIndicator,
)
from controlplane.problems import Problem, Severity
from controlplane.promql import check_promql
from controlplane.specfile import Document
from slo.promql.bool_gauge import bool_gauge_of
from slo.promql.event_query import EventQuery, QueryFault, event_query
from slo.promql.histogram import LatencyFault, latency_of
from slo.promql.native_histogram import NativeFault, native_latency_of, speaks_of_fraction
from slo.promql.promql_text import Selector
from slo.promql.value_query import value_query

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """An indicator, or None when it cannot be used."""

    value: Indicator | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A query as it stands in a file."""

    document: Document
    path: Path
    text: str

    @property
    def query(self) -> Query:
        """The same for the model."""
        return Query(self.text, self.document.position_of(*self.path))


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


def ratio_of(total: Written, *, good: Written | None = None, bad: Written | None = None, gauges: bool = False) -> Found:
    """The indicator of good or bad events (exactly one is given) among all, whatever they are counted with.

    `gauges`: metrics without a function are gauges.
    """
    part = good or bad
    assert part is not None
    special = _of_fraction(part, total, part_is_good=part is good) or _of_gauge(part, total, part_is_good=part is good)
    if special is not None:
        return special
    every, some = (understood(each.document, each.path, each.text, gauges=gauges) for each in (total, part))
    problems = (*every.problems, *some.problems)
    if every.query is None or some.query is None:
        return Found(None, problems)
    found = (good_of_total if part is good else bad_of_total)(some.query, every.query)
    return Found(found.value, (*problems, *found.problems))


def raw_ratio_of(written: Written, *, is_failure: bool) -> Found:
    """The indicator of a ratio that the user computes: of bad events when `is_failure`, else of good ones."""
    problem = _value_problem(written)
    return Found(None, (problem,)) if problem else Found(RawRatioIndicator(written.query, is_failure), ())


def threshold_of(written: Written, good_while: Comparison, threshold: Decimal) -> Found:
    """The indicator of a value that is good while it stands to the threshold as it should."""
    problem = _value_problem(written)
    return Found(None, (problem,)) if problem else Found(ThresholdIndicator(written.query, good_while, threshold), ())


def bool_gauge(written: Written) -> Found:
    """The indicator of gauges that are 1 while all is well."""
    problem = _value_problem(written)
    return Found(None, (problem,)) if problem else Found(BoolIndicator(written.query), ())


def _value_problem(written: Written) -> Problem | None:
    try:
        value_query(written.text)
    except QueryFault as fault:
        return query_problem(written.document, written.path, written.text, fault)
    return None


def _of_gauge(part: Written, total: Written, *, part_is_good: bool) -> Found | None:
    if "count" not in total.text or _value_problem(part) or _value_problem(total):
        return None
    gauge = bool_gauge_of(part.text, total.text, part_is_good=part_is_good)
    return None if gauge is None else Found(BoolIndicator(replace(part.query, text=gauge)), ())


def _of_fraction(part: Written, total: Written, *, part_is_good: bool) -> Found | None:
    """The indicator of a native histogram; None when no fraction of one is spoken of."""
    if not speaks_of_fraction(part.text):
        return None
    wrong = [problem for problem in map(_value_problem, (total, part)) if problem]
    if wrong:
        return Found(None, tuple(wrong))
    try:
        latency = native_latency_of(part.text, total.text, part_is_good=part_is_good)
    except NativeFault as fault:
        where = total if fault.in_total else part
        problem = where.document.problem(*where.path, message=fault.message, hint=fault.hint, offset=0, rule="query")
        return Found(None, (problem,))
    histogram = replace(part.query, text=latency.histogram)
    try:
        event_query(histogram.text)
    except QueryFault as fault:
        offset = part.text.find(latency.histogram) + fault.offset
        problem = part.document.problem(*part.path, message=fault.message, hint=fault.hint, offset=offset, rule="query")
        return Found(None, (problem,))
    return Found(NativeLatencyIndicator(histogram, latency.threshold), ())


def understood(document: Document, path: Path, text: str, *, gauges: bool = False) -> Understood:
    """Read the query that stands at `path` as a count of events."""
    try:
        events = event_query(text, gauges)
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
    gauges = bad.events.gauges or total.events.gauges
    return Found(RatioIndicator(total.query, bad.query, None, gauges), tuple(problems))


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
        gauges = good.events.gauges or total.events.gauges
        return Found(RatioIndicator(total.query, None, good.query, gauges), problems)
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
