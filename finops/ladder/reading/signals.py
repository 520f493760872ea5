"""Signals of a ladder as they are written."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane.promql import check_promql
from controlplane.promql_tokens import tokens_of
from finops.flags.report import Report
from finops.ladder.model import Measure, Signal
from finops.ladder.reading.lengths import STALE_AFTER, WINDOW, length
from finops.ladder.spec import SignalPart

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SOURCES: Final = (
    ("budget", "budget"), ("unit_cost", "unitCost"), ("quota", "quota"), ("anomaly", "anomaly"), ("query", "query"),
)  # fmt: skip
_WINDOWED: Final = (Measure.BURN_RATE, Measure.UNIT_COST)
_MOVED_BY_QUERY: Final = (Measure.QUERY, Measure.ANOMALY)
_MEASURES: Final = {
    "unitCost": Measure.UNIT_COST, "quota": Measure.QUOTA, "anomaly": Measure.ANOMALY, "query": Measure.QUERY,
}  # fmt: skip
Path = tuple[str | int, ...]


def signals(
    report: Report, parts: list[SignalPart], stale_after: timedelta, floors: Mapping[str, Decimal | None]
) -> tuple[Signal, ...]:
    """Each signal that has a name of its own; `floors`: below which spend an hour budgets see no spike, by budget."""
    found: dict[str, Signal] = {}
    queries: dict[str, str] = {}
    for number, part in enumerate(parts):
        at: Path = ("spec", "signals", number)
        if not _NAME.fullmatch(part.name):
            hint = "lower-case letters, digits and `-`, at most 63"
            report.error(*at, "name", message=f"`{part.name[:80]}` is not a name", hint=hint)
        if part.name in found:
            message = f"the name `{part.name[:80]}` is taken by another signal"
            report.error(*at, "name", message=message, hint=f"first used at {found[part.name].source}")
        signal = _signal(report, at, part, stale_after, floors, queries)
        found.setdefault(part.name, signal)
    return tuple(found.values())


def _signal(
    report: Report,
    at: Path,
    part: SignalPart,
    stale_after: timedelta,
    floors: Mapping[str, Decimal | None],
    queries: dict[str, str],
) -> Signal:
    given = [(key, str(getattr(part, name))) for name, key in _SOURCES if _is_source(part, name)]
    if len(given) != 1:
        keys = [key for key, _ in given]
        message = "no source" if not keys else f"{' and '.join(keys)} exclude each other"
        hint = "exactly one of budget, unitCost, quota, anomaly, query"
        if keys == ["budget", "anomaly"]:
            hint = "of a budget only `measure: spike` takes an anomaly"
        report.error(*at, message=message, hint=hint)
    source, subject = given[0] if len(given) == 1 else ("query", "")
    measure = _measure(report, at, part, source)
    for name, text in (("query", part.query), ("perHour", part.per_hour)):
        if text is not None:
            _check_promql(report, (*at, name), text)
    if len(given) == 1:
        _check_options(report, at, part, measure)
    return Signal(
        name=part.name,
        measure=measure,
        subject="" if source == "query" else subject,
        window=_window(report, at, part, measure),
        query=part.query or "",
        per_hour_query=part.per_hour or "",
        floor_per_hour=_floor(part, measure, floors),
        group=part.group or _group(source, subject, part.name, queries),
        stale_after=length(report, (*at, "staleAfter"), part.stale_after, STALE_AFTER)
        if part.stale_after
        else stale_after,
        source=report.document.position_of(*at, "name"),
        detector=(part.anomaly or "") if measure is Measure.SPIKE else "",
    )


def _is_source(part: SignalPart, name: str) -> bool:
    """Whether it is made from that; the detector that a spike waits for is no source of its own."""
    if name == "anomaly" and part.measure == "spike" and part.budget is not None:
        return False
    return getattr(part, name) is not None


def _measure(report: Report, at: Path, part: SignalPart, source: str) -> Measure:
    if source != "budget":
        return _MEASURES[source]
    if part.measure is None:
        message = "what of the budget is not said"
        report.error(*at, "measure", message=message, hint="write measure: burnRate, forecast, spent or spike")
        return Measure.BURN_RATE
    return Measure(part.measure)


def _window(report: Report, at: Path, part: SignalPart, measure: Measure) -> timedelta | None:
    if measure not in _WINDOWED:
        return None
    return WINDOW.standard if part.window is None else length(report, (*at, "window"), part.window, WINDOW)


def _floor(part: SignalPart, measure: Measure, floors: Mapping[str, Decimal | None]) -> Decimal | None:
    if measure is not Measure.SPIKE:
        return None
    return floors.get(part.budget or "") if part.floor_per_hour is None else part.floor_per_hour


def _group(source: str, subject: str, name: str, queries: dict[str, str]) -> str:
    """Signals from one budget, unit cost, quota, detector or query say the same twice."""
    if source != "query":
        return f"{source}/{subject}"
    return f"query/{queries.setdefault(plain(subject), name)}"


def plain(promql: str) -> str:
    """An expression without what blanks and comments make of it: the same for the same query."""
    return " ".join(token.text for token in tokens_of(promql))


def _check_options(report: Report, at: Path, part: SignalPart, measure: Measure) -> None:
    for key, why in _misplaced(part, measure):
        report.error(*at, key, message=f"has no meaning here: {why}", hint="remove it", on_key=True)


def _misplaced(part: SignalPart, measure: Measure) -> Iterator[tuple[str, str]]:
    if part.measure is not None and part.budget is None:
        yield "measure", "only budgets have several measures"
    if part.window is not None and measure not in _WINDOWED:
        yield "window", "only burn rates and unit costs are of a window"
    if part.floor_per_hour is not None and measure is not Measure.SPIKE:
        yield "floorPerHour", "only spikes have a floor"
    if part.per_hour is not None and measure not in _MOVED_BY_QUERY:
        yield "perHour", "how spend moves this signal is known"


def _check_promql(report: Report, at: Path, text: str) -> None:
    wrong = check_promql(text)
    if wrong is not None:
        problem = report.document.problem(
            *at, message=wrong.message, offset=wrong.offset, length=wrong.length, hint=wrong.hint, rule="promql-syntax"
        )
        report.problems.append(problem)
