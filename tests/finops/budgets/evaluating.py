"""Budgets' rules evaluated over a stretch of time by a real Prometheus, rule by rule, on spend that we wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import numpy as np
import orjson
from numpy.typing import NDArray

from controlplane import conventions as names
from controlplane.calendar.periods import period_at
from controlplane.calendar.tables import calendar_name
from controlplane.model.rule import AlertingRule, RecordingRule, Rule, RuleFile, RuleGroup
from controlplane.model.slo import CalendarWindow
from finops.budgets.pace_rules import CALENDARS_OF
from tests.slo.evaluating import Past, unix

MINUTE, FIVE_MINUTES = timedelta(minutes=1), timedelta(minutes=5)
MOST_POINTS = 10_000  # of Prometheus's 11,000 per series


@dataclass
class Spend:
    """Money by minute (the minute that ends then), in micro-units so that every sum is exact; absent: no data."""

    start: datetime
    micros: NDArray[np.int64]
    known: NDArray[np.bool_]

    def rolling(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and money of the 5 minutes up to each, as `cost:spend:rolling5m` has them."""
        sums = np.convolve(self.micros, np.ones(5, dtype=np.int64))[: self.micros.size]
        times = unix(self.start) + 60 * np.arange(1, self.micros.size + 1)
        return times[self.known], (sums / 1e6)[self.known]

    def between(self, start: datetime, end: datetime) -> Decimal:
        """Exact money of a stretch of time."""
        first, last = ((at - self.start) // MINUTE for at in (start, end))
        return Decimal(int(self.micros[max(first, 0) : max(last, 0)].sum())) / 1_000_000

    def entries(self) -> dict[datetime, Decimal]:
        """Money of 5 minutes by their end, where all five are known."""
        whole = self.micros.size // 5 * 5
        money = self.micros[:whole].reshape(-1, 5).sum(axis=1)
        known = self.known[:whole].reshape(-1, 5).all(axis=1)
        return {
            self.start + (number + 1) * FIVE_MINUTES: Decimal(int(micros)) / 1_000_000
            for number, micros in enumerate(money)
            if known[number]
        }


def write(past: Past, spend: Spend, labels: Mapping[str, str], currency: str = "USD") -> None:
    """Spend as a PriceMap's rules would have recorded it."""
    times, values = with_ends(*spend.rolling(), MINUTE)
    past.write({"__name__": names.SPEND_ROLLING, names.CURRENCY: currency, **labels}, times, values)


# What Prometheus writes where a rule gives nothing any more.
STALE = np.array([0x7FF0000000000002], dtype=np.uint64).view(np.float64)[0]


def with_ends(
    times: NDArray[np.int64], values: NDArray[np.float64], step: timedelta
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """A series with a marker of its end before each gap, as rules write it."""
    seconds = int(step.total_seconds())
    ends = times[:-1][np.diff(times) > seconds] + seconds
    every, marked = np.concatenate([times, ends]), np.concatenate([values, np.full(ends.size, STALE)])
    order = np.argsort(every, kind="stable")
    return every[order], marked[order]


def write_calendar(past: Past, window: CalendarWindow, start: datetime, end: datetime) -> None:
    """A calendar as its tables would have it, half an hour old at most: nobody may depend on its being fresh."""
    half_hours = np.arange(unix(start) - 1800, unix(end), 1800)
    of_each = [period_at(window, datetime.fromtimestamp(int(at), UTC)) for at in half_hours]
    for name, values in (
        (names.CALENDAR_START, [unix(begin) for begin, _ in of_each]),
        (names.CALENDAR_END, [unix(ends) for _, ends in of_each]),
        (names.CALENDAR_NEXT_END, [unix(period_at(window, ends)[1]) for _, ends in of_each]),
    ):
        labels = {"__name__": name, names.CALENDAR: calendar_name(window, CALENDARS_OF)}
        past.write(labels, half_hours, np.array(values, dtype=float))


@dataclass
class Evaluation:
    """What the alerts did: the minutes (or fives) at which each condition held, by name, severity and threshold."""

    held: dict[tuple[str, ...], list[datetime]] = field(default_factory=dict)

    def first(self, *alert: str) -> datetime | None:
        """When a condition first held."""
        return min(self.held.get(alert, []), default=None)

    def periods(self, *alert: str, step: timedelta = FIVE_MINUTES) -> list[tuple[datetime, datetime]]:
        """When it began and ceased to hold, as exact as the step."""
        found: list[tuple[datetime, datetime]] = []
        for at in sorted(self.held.get(alert, [])):
            if found and at - found[-1][1] <= step:
                found[-1] = (found[-1][0], at)
            else:
                found.append((at, at))
        return found


Stretch = tuple[datetime, datetime]
EVERY_MINUTE_THROUGHOUT = (names.BUDGET_INFO, names.BUDGET_ROLLING, names.BUDGET_EXPECTED, names.BUDGET_OTHER_CURRENCY)


def evaluate(past: Past, files: Iterable[RuleFile], whole: Stretch, closely: Sequence[Stretch] = ()) -> Evaluation:
    """Every rule over the whole stretch at its group's interval, each after those whose series it reads.

    What budgets look at every minute is evaluated in the stretches `closely` only (left out: everywhere). Pages are
    written as ALERTS before the tickets that they mute are looked at. Calendars are not evaluated (their long tables
    take a minute over a month): `write_calendar` writes them.
    """
    groups = [group for file in files for group in file.groups if group.name != "budgets:calendars"]

    def stretches(group: RuleGroup, rule: Rule) -> Sequence[Stretch]:
        is_fast = group.interval == MINUTE and group.name != "budgets:paces"
        throughout = isinstance(rule, RecordingRule) and rule.record in EVERY_MINUTE_THROUGHOUT
        return closely if closely and is_fast and not throughout else (whole,)

    for group, rule in _in_order(groups):
        for start, end in stretches(group, rule):
            _record(past, rule, start, end, group.interval)
    evaluation = Evaluation()
    alerts = [(group, rule) for group in groups for rule in group.rules if isinstance(rule, AlertingRule)]
    for group, rule in sorted(alerts, key=lambda pair: dict(pair[1].labels).get(names.SEVERITY) != "page"):
        for start, end in stretches(group, rule):
            _judge(past, rule, _series(past, rule.expr, start, end, group.interval), evaluation)
    return evaluation


def _judge(past: Past, rule: AlertingRule, found: Iterable[Found], evaluation: Evaluation) -> None:
    for series in found:
        labels = {**series.labels, **dict(rule.labels)}
        key = (rule.alert, labels[names.BUDGET], labels[names.SEVERITY], labels.get(names.THRESHOLD, ""))
        evaluation.held.setdefault(key, []).extend(utc_of(at) for at in series.times)
        if labels[names.SEVERITY] == "page":
            labels |= {"__name__": "ALERTS", "alertname": rule.alert, "alertstate": "firing"}
            past.write(labels, series.times, np.ones(series.times.size))


def _in_order(groups: Sequence[RuleGroup]) -> list[tuple[RuleGroup, RecordingRule]]:
    left = [(group, rule) for group in groups for rule in group.rules if isinstance(rule, RecordingRule)]
    ordered: list[tuple[RuleGroup, RecordingRule]] = []
    while left:
        missing = {rule.record for _, rule in left}
        ready = [(g, rule) for g, rule in left if not (_words(rule.expr) & missing) - {rule.record}]
        assert ready, [rule.record for _, rule in left]
        ordered += ready
        left = [pair for pair in left if pair not in ready]
    return ordered


def _words(expr: str) -> set[str]:
    return set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.sub(r'"[^"]*"', "", expr)))


def _record(past: Past, rule: RecordingRule, start: datetime, end: datetime, step: timedelta) -> None:
    own = {"__name__": rule.record, **dict(rule.labels)}
    for series in _series(past, rule.expr, start, end, step):
        past.write({**series.labels, **own}, *with_ends(series.times, series.values, step))


@dataclass
class Found:
    """One series of an answer."""

    labels: dict[str, str]
    times: NDArray[np.int64]
    values: NDArray[np.float64]


def _series(past: Past, expr: str, start: datetime, end: datetime, step: timedelta) -> Iterable[Found]:
    """A range query, as arrays: ten times as fast as points one by one."""
    first = start + step
    while first <= end:
        last = min(end, first + (MOST_POINTS - 1) * step)
        form = {"query": expr, "start": unix(first), "end": unix(last), "step": step.total_seconds()}
        answer = httpx.post(f"{past.url}/api/v1/query_range", data=form, timeout=300)
        assert answer.status_code == 200, (answer.text, expr)
        for series in orjson.loads(answer.content)["data"]["result"]:
            points = np.array(series["values"], dtype=object)
            labels = {key: value for key, value in series["metric"].items() if key != "__name__"}
            yield Found(labels, points[:, 0].astype(np.int64), points[:, 1].astype(np.float64))
        first = last + step


def at_minute(start: datetime, minutes: float) -> datetime:
    """A moment so many minutes after another."""
    return start + timedelta(minutes=minutes)


def utc_of(seconds: float) -> datetime:
    """Unix seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)
