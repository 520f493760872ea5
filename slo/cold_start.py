"""Gives SLOs a past: what the recording rules would have written, had they run before the SLOs were declared.

Each step is plain data before it is done: the ledger pair for the whole window (5-minute entries), the rolling pair for
the hours that burn rates look at (1-minute entries), the course of the budget over the window for charts, then
one value each of everything that is derived from the two pairs, so that the first evaluation finds its inputs. Series
carry exactly the labels of the live rules, so that past and present are one series.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL, window_name
from controlplane.calendar.periods import period_at, unix
from controlplane.calendar.tables import calendar_name
from controlplane.model.rule import Labels, RecordingRule, RuleFile
from controlplane.model.series import Sample, Series
from controlplane.model.slo import SLO, CalendarWindow, Window
from controlplane.ports import MetricsBackend, SeriesWriter
from slo.indicators.indicator import EventPair, pair_over_past, part_series
from slo.promql.promql_text import TokenKind, tokens

ROLLING_STEP: Final = timedelta(minutes=1)
ROLLING_PAST: Final = timedelta(hours=6, minutes=10)  # the longest burn rate that reads the rolling pair, and a little
# As coarse as it may be: whoever reads these series looks 15 minutes back. The last day is looked at more closely.
COURSE_STEP: Final = timedelta(minutes=15)
_RECENT: Final = timedelta(days=1)
_NAME: Final = "__name__"
_AT_ONCE: Final = 2
# Written by `backfill`, or (what was measured, sliced or excluded before the pairs were made) not known of the past.
_EVENTS: Final = (
    names.SLICE_BAD,
    names.ROLLING_EVENTS,
    names.LEDGER_EVENTS,
    names.PERIOD_EVENTS,
    names.PART_EVENTS,
    names.PART_LEDGER,
    names.MEASURED_EVENTS,
    names.RAW_ROLLING,
    names.EXCLUDED_ROLLING,
    names.EXCLUDED_LEDGER,
    names.EXCLUDED_PERIOD,
)


@dataclass(frozen=True, slots=True)
class PastSeries:
    """One recorded series to be computed: `expr` at `start`, `start + step`, … `end`, written with these labels.

    `expr` counts the events of the 5 minutes before each point, which is the meaning of both pairs: entries of the
    ledger follow each other without overlap, those of the rolling pair overlap.
    """

    labels: tuple[tuple[str, str], ...]
    expr: str
    start: datetime
    end: datetime
    step: timedelta


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was written. `empty` names SLOs of which Prometheus knows no event in the whole window."""

    points: int
    empty: tuple[str, ...]


def plan(slos: Iterable[SLO], end: datetime) -> tuple[PastSeries, ...]:
    """The ledger and rolling pairs of all SLOs up to `end`; nothing is asked of Prometheus yet."""
    return tuple(one for slo in slos for one in _plan_one(slo, end))


def backfill(
    planned: Sequence[PastSeries],
    backend: MetricsBackend,
    writer: SeriesWriter,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Compute and write what was planned, two queries at a time; `progress` is told how many of them are done.

    The backend must take samples as old as the window (Prometheus: `out_of_order_time_window`). Steps without data stay
    absent, so coverage tells the truth. Doing it again writes the same points. Errors as the ports raise them.
    """
    points = 0
    seen: set[str] = set()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, (one, series) in enumerate(
            zip(planned, pool.map(lambda one: _ask(one, backend), planned), strict=True)
        ):
            writer.write(series)
            points += sum(len(each.points) for each in series)
            if series:
                seen.add(dict(one.labels)[names.SLO])
            progress(done + 1)
    known = dict.fromkeys(dict(one.labels)[names.SLO] for one in planned)
    return Outcome(points, tuple(name for name in known if name not in seen))


def derived_rules(files: Iterable[RuleFile]) -> tuple[tuple[RecordingRule, ...], ...]:
    """Every recording rule but events, in stages: a rule reads only what an earlier stage has written."""
    rules = [
        rule
        for file in files
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, RecordingRule) and rule.record not in _EVENTS
    ]
    return staged(rules)


def staged(rules: Sequence[RecordingRule]) -> tuple[tuple[RecordingRule, ...], ...]:
    """Rules in stages: each reads only what an earlier stage has written, and itself. Raises ValueError for circles."""
    reads = {rule.record: set[str]() for rule in rules}
    for rule in rules:
        reads[rule.record] |= reads_of(rule) & reads.keys() - {rule.record}
    stages: list[tuple[RecordingRule, ...]] = []
    while reads:
        ready = {name for name, needed in reads.items() if not needed & reads.keys()}
        if not ready:
            raise ValueError(f"recording rules read each other in a circle: {', '.join(sorted(reads))}")
        stages.append(tuple(rule for rule in rules if rule.record in ready))
        reads = {name: needed for name, needed in reads.items() if name not in ready}
    return tuple(stages)


def course_rules(
    stages: Iterable[Sequence[RecordingRule]], slos: Iterable[SLO]
) -> tuple[tuple[RecordingRule, ...], ...]:
    """Of the derived rules, those that show the course of the budget over its window, and what they read.

    Those of calendars are not among them: `calendar_course` knows what they say.
    """
    windows = {window_name(slo.window) for slo in slos}
    wanted = {names.BUDGET_RATIO, names.WINDOW_COVERAGE, names.BUDGET_EVENTS, names.BUDGET_REMAINING}
    wanted |= {names.WINDOW_START, names.WINDOW_END, names.RAW_BUDGET_REMAINING}
    of_windows = (
        names.total_events,
        names.burn_rate,
        names.expected_events,
        names.unadjusted_events,
        names.raw_total_events,
    )
    wanted |= {series(window) for window in windows for series in of_windows}
    chosen = (tuple(rule for rule in stage if rule.record in wanted) for stage in stages)
    return tuple(stage for stage in chosen if stage)


def evaluate_over(
    stages: Sequence[Sequence[RecordingRule]],
    backend: MetricsBackend,
    writer: SeriesWriter,
    *,
    start: datetime,
    end: datetime,
    progress: Callable[[float], None] = lambda share: None,
) -> int:
    """Evaluate recording rules from `start` to before `end`, stage by stage; the number of points written.

    One point every 15 minutes, every 5 minutes during the last day. Steps without data stay absent. `progress` is told
    the share that is done.
    """
    return evaluate_in(stages, backend, writer, _stretches(start, end), progress)


def evaluate_in(
    stages: Sequence[Sequence[RecordingRule]],
    backend: MetricsBackend,
    writer: SeriesWriter,
    stretches: Sequence[tuple[datetime, datetime, timedelta]],
    progress: Callable[[float], None] = lambda share: None,
) -> int:
    """Evaluate recording rules at the points of each stretch (first, last, step), stage by stage; points written."""
    points = 0
    work = [(stage, *stretch) for stage in stages for stretch in stretches]
    for done, (stage, first, last, step) in enumerate(work):
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            asked = [PastSeries(_labels(rule), rule.expr, first, last, step) for rule in stage]
            series = [one for answer in pool.map(lambda one: _ask(one, backend), asked) for one in answer]
        writer.write(series)
        points += sum(len(one.points) for one in series)
        progress((done + 1) / len(work))
    return points


def calendar_course(slos: Iterable[SLO], start: datetime, end: datetime) -> tuple[Series, ...]:
    """What the rules of calendars would have recorded, at the points of `evaluate_over`.

    By arithmetic: their tables take Prometheus about 10 ms a point, half a minute for a month.
    """
    return calendars_course((slo.window for slo in slos), start, end)


def calendars_course(windows: Iterable[Window], start: datetime, end: datetime, of: str = "") -> tuple[Series, ...]:
    """The same of any windows; `of` as in `controlplane.calendar.rules.calendar_file`."""
    calendars = {calendar_name(window, of): window for window in windows if isinstance(window, CalendarWindow)}
    moments = [at for first, last, step in _stretches(start, end) for at in _moments(first, last, step)]
    return tuple(
        Series({_NAME: record, names.CALENDAR: calendar}, tuple((at, float(unix(said))) for at, said in points))
        for calendar, window in sorted(calendars.items())
        for record, points in _bounds(window, moments).items()
    )


def evaluate_once(
    stages: Sequence[Sequence[RecordingRule]], backend: MetricsBackend, writer: SeriesWriter, now: datetime
) -> int:
    """Evaluate recording rules at `now`, stage by stage, and write their values; the number of series written."""
    written = 0
    for stage in stages:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = list(pool.map(lambda rule: _evaluate(rule, backend, now), stage))
        series = [one for answer in answers for one in answer]
        writer.write(series)
        written += len(series)
    return written


def _stretches(start: datetime, end: datetime) -> list[tuple[datetime, datetime, timedelta]]:
    """First and last points, and steps, of the course from `start` to before `end`."""
    middle = max(start, end - _RECENT)
    both = [(start, middle - LEDGER_INTERVAL, COURSE_STEP), (middle, end - LEDGER_INTERVAL, LEDGER_INTERVAL)]
    return [stretch for stretch in both if stretch[0] <= stretch[1]]


def _moments(first: datetime, last: datetime, step: timedelta) -> list[datetime]:
    return [first + number * step for number in range((last - first) // step + 1)]


def _bounds(window: CalendarWindow, moments: Iterable[datetime]) -> dict[str, list[tuple[datetime, datetime]]]:
    """When the period of each moment began, ends, and when the next one ends, by series."""
    said: dict[str, list[tuple[datetime, datetime]]] = {
        name: [] for name in (names.CALENDAR_START, names.CALENDAR_END, names.CALENDAR_NEXT_END)
    }
    for at in moments:
        begun, ends = period_at(window, at)
        for points, bound in zip(said.values(), (begun, ends, period_at(window, ends)[1]), strict=True):
            points.append((at, bound))
    return said


def _plan_one(slo: SLO, end: datetime) -> Iterator[PastSeries]:
    own: Labels = ((names.SLO, slo.name),)
    first = _first(end, slo.window.length, LEDGER_INTERVAL)
    for labels, pair in part_series(slo):
        yield from _past(names.PART_LEDGER, labels, pair, (first, end, LEDGER_INTERVAL))
    pair = pair_over_past(slo, end=end)
    yield from _past(names.LEDGER_EVENTS, own, pair, (first, end, LEDGER_INTERVAL))
    if isinstance(slo.window, CalendarWindow):
        start, _ = period_at(slo.window, end)
        missed = -(-(end - start) // LEDGER_INTERVAL) - 1  # entries of the period before the one at `end`
        labels = (*own, (names.PERIOD, str(unix(start))))
        yield from _past(names.PERIOD_EVENTS, labels, pair, (end - missed * LEDGER_INTERVAL, end, LEDGER_INTERVAL))
    yield from _past(names.ROLLING_EVENTS, own, pair, (end - ROLLING_PAST, end, ROLLING_STEP))


def _past(
    record: str, own: Labels, pair: EventPair, stretch: tuple[datetime, datetime, timedelta]
) -> Iterator[PastSeries]:
    for event, expr in ((names.EVENT_ALL, pair.all), (names.EVENT_BAD, pair.bad)):
        yield PastSeries(((_NAME, record), *own, (names.EVENT, event)), expr, *stretch)


def _first(end: datetime, length: timedelta, step: timedelta) -> datetime:
    """The first entry of a window that ends at `end`, which is left-open as PromQL's ranges are in Prometheus 3."""
    return end - length + step


def _ask(one: PastSeries, backend: MetricsBackend) -> list[Series]:
    answer = backend.query_range(one.expr, one.start, one.end, one.step)
    return [replace(series, labels={**series.labels, **dict(one.labels)}) for series in answer]


def reads_of(rule: RecordingRule) -> set[str]:
    """Every name that its expression mentions."""
    return {token.text for token in tokens(rule.expr) if token.kind is TokenKind.WORD}


def _labels(rule: RecordingRule) -> tuple[tuple[str, str], ...]:
    return ((_NAME, rule.record), *rule.labels)


def _evaluate(rule: RecordingRule, backend: MetricsBackend, now: datetime) -> list[Series]:
    return [_as_series(sample, dict(_labels(rule)), now) for sample in backend.query(rule.expr, now)]


def _as_series(sample: Sample, labels: dict[str, str], now: datetime) -> Series:
    return Series({**sample.labels, **labels}, ((now, sample.value),))
