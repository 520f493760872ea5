"""SLOs as their readers meet them, in the console, its JSON and tables: pure data, worst first.

Missing is not zero: what Prometheus does not know is None and reads `no data`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from statistics import median
from typing import Final

from controlplane import conventions as names
from controlplane import wording
from controlplane.burn_rate import Urgency, seconds, time_to_exhaustion
from controlplane.model.slo import SLO, CalendarWindow, CompositeIndicator, Query, Window
from slo.explanation import Condition, explained
from slo.explanation_text import missing_in_words, needs
from slo.indicators.indicator import queries_of
from slo.indicators.indicator_words import counted_in_words, unit_in_words
from slo.status import NOT_MEASURED, Measurement, Points

LOW: Final = 0.25  # LOOK.md: amber below a quarter of the budget
COVERED: Final = 0.98  # of the window: below this the reader is told that the rest was not measured
_NOTICEABLE: Final = 0.001  # spending in an hour below a thousandth of the budget is not worth a sentence
FORECAST_LENGTH: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_NAMED: Final = 3  # groups
_VISIBLE: Final = 0.0005  # of the budget: less would read the same


class Standing(Enum):
    """How an SLO's budget stands, worst first; the value is the word that readers see."""

    SPENT = "spent"
    LOW = "low"
    BURNING = "burning"
    NO_DATA = "no data"
    PARTIAL = "partly measured"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Forecast:
    """The budget left after `FORECAST_LENGTH`, before what leaves the window is given back.

    Three estimates of the spending, from the last hour, 6 hours and day: the worst, the middle and the best of them.
    """

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class BudgetBar:
    """The budget as shares of the whole, each within 0 … 1 whatever was overspent.

    `proven` is left and was measured; `unproven` is left because that part of the window was not measured; `pace` is
    what would be left if exactly the allowed rate had been spent while we measured: 0 once the window is full.
    """

    proven: float
    unproven: float
    pace: float
    forecast: Forecast | None


@dataclass(frozen=True, slots=True)
class SLORow:
    """One SLO in one line; `firing` are severities, `page` first."""

    slo: SLO
    standing: Standing
    measured: Measurement
    firing: tuple[str, ...]
    history: Points = ()
    group: tuple[tuple[str, str], ...] = ()  # of one budget of a grouped SLO: the labels and their values

    @property
    def title(self) -> str:
        """What people call it."""
        name = self.slo.display_name or self.slo.name
        return f"{name}, {' '.join(value for _, value in self.group)}" if self.group else name

    @property
    def bar(self) -> BudgetBar | None:
        """The budget as a picture; None when it is unknown."""
        return budget_bar(self.measured)

    @property
    def sentence(self) -> str:
        """What happened and what it means."""
        return sentence(self.slo, self.measured)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the standing does not say: no traffic, partly measured."""
        groups = self.measured.groups
        firing = [" ".join(each.values) for each in groups if each.measured.firing]
        worst = (f"worst of {len(groups)}: {' '.join(groups[0].values)}",) if len(groups) > 1 else ()
        if firing and len(groups) > 1:
            more = f" and {len(firing) - _NAMED} more" if len(firing) > _NAMED else ""
            worst = (f"firing for {', '.join(firing[:_NAMED])}{more}", *worst)
        return (*worst, *_notes(self.measured))

    @property
    def objective(self) -> str:
        """Such as `99.9 %`."""
        return wording.exact_percent(self.slo.objective)

    @property
    def left(self) -> str:
        """Such as `62.3 %`, or `no data`."""
        return wording.aligned_percent(self.measured.budget_remaining)

    @property
    def tomorrow(self) -> str:
        """Where the budget will be in a day, such as `12 % to 40 %`, `at most 40 %` or `spent`."""
        ahead = forecast(self.measured)
        if ahead is None:
            return wording.MISSING
        if ahead.high <= 0:
            return "spent"
        high = wording.percent(ahead.high)
        return f"at most {high}" if ahead.low <= 0 else f"{wording.percent(ahead.low)} to {high}"


@dataclass(frozen=True, slots=True)
class SLODetail:
    """One SLO in full: when it tells somebody, and its queries, named by their part in the indicator."""

    row: SLORow
    conditions: tuple[Condition, ...]
    queries: tuple[tuple[str, Query], ...]

    def needs(self, condition: Condition) -> str:
        """What one of the conditions asks for, in words."""
        return needs(condition, self.row.slo)

    @property
    def missing(self) -> str:
        """What missing data means, in words."""
        return missing_in_words(self.row.slo)

    @property
    def counted(self) -> str:
        """What the objective asks a share of: `events good`, `minutes in which the value is <= 5`."""
        return counted_in_words(self.row.slo.indicator)

    @property
    def unit(self) -> str:
        """What its budget is counted in."""
        return unit_in_words(self.row.slo.indicator)


def slo_detail(row: SLORow, burn: Mapping[str, float] | None) -> SLODetail:
    """An SLO with its alerting conditions (series by name in `burn`) and its queries as they were written."""
    return SLODetail(row, explained(row.slo, burn or {}).conditions, _queries(row.slo))


def slo_rows(
    slos: Iterable[SLO],
    measured: Mapping[str, Measurement],
    *,
    firing: Mapping[str, tuple[str, ...]] | None = None,
    histories: Mapping[str, Points] | None = None,
) -> list[SLORow]:
    """Every SLO, worst first: firing pages, firing tickets, spent, low, no data, partly measured, ok; then by budget.

    `firing` adds severities known from received alerts to those that Prometheus tells, by SLO name.
    """
    rows = [
        slo_row(
            slo,
            measured.get(slo.name, NOT_MEASURED),
            firing=(firing or {}).get(slo.name, ()),
            history=(histories or {}).get(slo.name, ()),
        )
        for slo in slos
    ]
    return sorted(rows, key=_worst_first)


def slo_row(slo: SLO, measured: Measurement, *, firing: Sequence[str] = (), history: Points = ()) -> SLORow:
    """One SLO."""
    severities = tuple(sorted({_ours(slo, severity) for severity in {*measured.firing, *firing} - {""}}))
    return SLORow(slo, standing(measured, firing=bool(severities)), measured, severities, history)


def group_rows(row: SLORow) -> list[SLORow]:
    """Every budget of a grouped SLO, worst first as in `slo_rows`; nothing of any other."""
    rows = [
        SLORow(
            row.slo,
            standing(each.measured, firing=bool(each.measured.firing)),
            each.measured,
            each.measured.firing,
            group=tuple(zip(row.slo.groups, each.values, strict=True)),
        )
        for each in row.measured.groups
    ]
    return sorted(rows, key=_worst_first)


def _ours(slo: SLO, severity: str) -> str:
    """What an alert's severity means, where the SLO calls its pages and tickets something else."""
    for urgency in Urgency:
        if severity == slo.alerting.text(urgency).severity:
            return urgency.value
    return severity


def matching(rows: Iterable[SLORow], *, text: str = "", service: str = "") -> list[SLORow]:
    """The rows of `service` whose name, title, service, owner or standing contains every word of `text`."""
    words = text.casefold().split()

    def told(row: SLORow) -> str:
        parts = (row.slo.name, row.title, row.slo.service, row.slo.owner, row.standing.value, *row.firing)
        return " ".join(parts).casefold()

    return [row for row in rows if service in ("", row.slo.service) and all(word in told(row) for word in words)]


def standing(measured: Measurement, *, firing: bool = False) -> Standing:
    """How the budget stands. A budget that is spent or low says so even while nothing new is measured.

    `burning` is one that would be well if no alert were `firing`.
    """
    left = measured.budget_remaining
    if left is None:
        return Standing.NO_DATA
    if left <= 0:
        return Standing.SPENT
    if left < LOW:
        return Standing.LOW
    if measured.events_5m is None:
        return Standing.NO_DATA
    if firing:
        return Standing.BURNING
    return Standing.PARTIAL if _partly_covered(measured) else Standing.OK


def budget_bar(measured: Measurement) -> BudgetBar | None:
    """The signature bar; None when the budget is unknown."""
    if measured.budget_remaining is None:
        return None
    left = _share(measured.budget_remaining)
    uncovered = _share(1 - measured.coverage) if _partly_covered(measured) and measured.coverage is not None else 0.0
    unproven = min(left, uncovered)
    return BudgetBar(proven=left - unproven, unproven=unproven, pace=uncovered, forecast=forecast(measured))


def forecast(measured: Measurement) -> Forecast | None:
    """The budget left in a day; None without at least one estimate of the spending."""
    left, budget = measured.budget_remaining, measured.budget_events
    estimates = ((measured.bad_events_1h, 24), (measured.bad_events_6h, 4), (measured.bad_events_1d, 1))
    if left is None or not budget:
        return None
    after = [left - bad * per_day / budget for bad, per_day in estimates if bad is not None]
    return Forecast(low=min(after), expected=median(after), high=max(after)) if after else None


def spent_in_last_hour(measured: Measurement) -> float | None:
    """The share of the whole budget that the last hour spent."""
    if measured.bad_events_1h is None or not measured.budget_events:
        return None
    return measured.bad_events_1h / measured.budget_events


def time_left(slo: SLO, measured: Measurement) -> timedelta | None:
    """When the budget is gone at the rate of the last hour; None if that is unknown or the rate is within the budget.

    A rolling window gives back what leaves it, so a burn rate of 1 or less lasts for ever; what lasts until a
    calendar's period ends, too. Zero when it is spent.
    The rate is that of events against the budget in events, so that it agrees with what the sentence says was spent.
    """
    left, spent = measured.budget_remaining, spent_in_last_hour(measured)
    if left is None or spent is None or spent <= _HOUR / slo.window.length:
        return None
    burn = Decimal(spent) * seconds(slo.window.length) / seconds(_HOUR)
    gone = time_to_exhaustion(Decimal(left), burn, slo.window.length)
    lasts = gone is not None and measured.resets_in is not None and gone > measured.resets_in
    return None if lasts else gone


def sentence(slo: SLO, measured: Measurement) -> str:
    """What happened and what it means, as a colleague would say it."""
    name, budget = slo.display_name or slo.name, budget_in_words(slo.window)
    left, spent = measured.budget_remaining, spent_in_last_hour(measured)
    if left is None:
        return f"Prometheus has no budget for {name} yet: its rules are not loaded, or its queries find no series."
    if measured.events_5m is None:
        return f"{name} is not being measured now. {_last_known(left, budget)}"
    if left <= 0:
        begin = f"{name} has spent {budget} {wording.significant(1 - left)} times over."
        return begin if left < 0 else f"{name} has spent {budget}."
    gone = time_left(slo, measured)
    if spent is None or spent < _NOTICEABLE:
        return f"{name} has {wording.percent(left)} of {budget} left and spends next to nothing."
    begin = f"{name} spent {wording.percent(spent)} of {budget} in the last hour."
    if gone is None:
        return f"{begin} At this rate the {wording.percent(left)} left will last."
    return f"{begin} At this rate it is gone in {wording.duration(gone)}."


def _queries(slo: SLO) -> tuple[tuple[str, Query], ...]:
    if not isinstance(slo.indicator, CompositeIndicator):
        return queries_of(slo.indicator)
    parts = slo.indicator.parts
    return tuple((f"{part.name}: {name}", query) for part in parts for name, query in queries_of(part.indicator))


def budget_in_words(window: Window) -> str:
    """`its 30-day budget`, `this month’s budget`."""
    if not isinstance(window, CalendarWindow):
        return f"its {wording.window(window.length)} budget"
    return f"this {window.unit.value}’s budget" if window.count == 1 else "this period’s budget"


def _last_known(left: float, budget: str) -> str:
    if left <= 0:
        return f"{budget[0].upper()}{budget[1:]} was spent before."
    return f"{wording.percent(left)} of {budget} was left."


def _notes(measured: Measurement) -> tuple[str, ...]:
    notes: list[str] = []
    if measured.budget_remaining is not None and measured.events_5m is None:
        notes.append("not measured now")
    elif measured.events_5m == 0:
        notes.append("no traffic")
    if measured.coverage is not None and _partly_covered(measured):
        notes.append(f"{wording.percent(measured.coverage)} of the window measured")
    if measured.resets_in is not None:
        notes.append(f"full again in {wording.duration(measured.resets_in)}")
    left, raw = measured.budget_remaining, measured.raw_budget_remaining
    if left is not None and raw is not None and left - raw > _VISIBLE:
        notes.append(f"{wording.percent(raw)} if nothing were excluded")
    return tuple(notes)


def _partly_covered(measured: Measurement) -> bool:
    return measured.coverage is not None and measured.coverage < COVERED


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _worst_first(row: SLORow) -> tuple[int, int, float, str]:
    alarm = 0 if names.SEVERITY_PAGE in row.firing else 1 if row.firing else 2
    left = row.measured.budget_remaining
    return alarm, list(Standing).index(row.standing), 1.0 if left is None else left, row.slo.name
