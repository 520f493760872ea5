"""Calendar windows: their periods, Prometheus' idea of them, and budgets that begin anew."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from dateutil import tz
from dateutil.relativedelta import relativedelta
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from controlplane import conventions as names
from controlplane.calendar.periods import boundary, index_at, period_at, periods_between
from controlplane.calendar.tables import calendar_name, table_of
from controlplane.calendar.zones import zone, zone_names
from controlplane.model.rule import AlertingRule
from controlplane.model.slo import CalendarUnit, CalendarWindow
from slo.cold_start import calendar_course, course_rules, derived_rules, plan
from slo.compiler import compile_rules
from tests.slo.evaluating import Past, past, rules_named, unix, utc
from tests.slo.slos import an_slo, requests

BERLIN_MONTH = CalendarWindow(1, CalendarUnit.MONTH, "2022-01-01T00:00:00", "Europe/Berlin")
FIVE_MINUTES = timedelta(minutes=5)
PHASE = 137  # Prometheus evaluates a group at its own second of the interval
UNITS = {
    CalendarUnit.DAY: relativedelta(days=1),
    CalendarUnit.WEEK: relativedelta(weeks=1),
    CalendarUnit.MONTH: relativedelta(months=1),
    CalendarUnit.QUARTER: relativedelta(months=3),
    CalendarUnit.YEAR: relativedelta(years=1),
}
FILES = compile_rules([replace(an_slo("checkout", requests("a")), window=BERLIN_MONTH)])


def wall_clock(year: int) -> datetime:
    return datetime(year, 1, 2)  # noqa: DTZ001 -- a time on the wall has no zone


@st.composite
def windows(draw: st.DrawFn) -> CalendarWindow:
    start = draw(st.datetimes(wall_clock(2000), wall_clock(2035)))
    start = start.replace(microsecond=0, second=0)
    unit = draw(st.sampled_from(CalendarUnit))
    count = draw(st.integers(1, 3))
    return CalendarWindow(count, unit, start.isoformat(), draw(st.sampled_from(sorted(zone_names()))))


@given(windows(), st.integers(-200, 200))
def test_periods_begin_when_the_clock_on_the_wall_shows_their_start(window: CalendarWindow, index: int) -> None:
    start = datetime.fromisoformat(window.start)
    wall = start + UNITS[window.unit] * (index * window.count)
    in_zone = zone(window.time_zone)  # the packaged rules: a machine may have older ones
    assume(1990 < wall.year < 2037)
    at = wall.replace(tzinfo=in_zone)
    if not tz.datetime_exists(wall, in_zone):
        at = tz.resolve_imaginary(at)
    found = boundary(window, index)
    if tz.datetime_exists(wall, in_zone):
        assert found == at.astimezone(UTC)
    else:  # the clock is turned past the start: the period begins at that moment
        assert at.astimezone(UTC) - timedelta(hours=24) < found <= at.astimezone(UTC)
        before, after = ((found + timedelta(seconds=by)).astimezone(in_zone) for by in (-1, 0))
        assert before.replace(tzinfo=None) < wall <= after.replace(tzinfo=None)
    assert index_at(window, found) == index
    assert index_at(window, found - timedelta(seconds=1)) == index - 1


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with past(tmp_path_factory.mktemp("prometheus")) as found:
        yield found


@settings(max_examples=40)
@given(windows(), st.datetimes(wall_clock(2020), wall_clock(2037)), st.sampled_from([-1, 0, 1, 4000]))
def test_prometheus_knows_the_period_at_every_moment(
    memory: Past, window: CalendarWindow, moment: datetime, by: int
) -> None:
    begin, _ = period_at(window, moment.replace(tzinfo=UTC, microsecond=0))
    at = begin + timedelta(seconds=by)
    assume(utc(2020, 1, 2) < at < utc(2037, 10, 1))
    table = table_of(window)
    if table.wall:
        wall = memory.value(table.wall, at)
        assert wall is not None
        labels = {"__name__": names.CALENDAR_WALL, names.CALENDAR: calendar_name(window)}
        memory.write(labels, np.array([unix(at)]), np.array([wall]))
    start, end = period_at(window, at)
    next_end = period_at(window, end)[1]
    found = [memory.value(expr, at) for expr in (table.start, table.end, table.next_end)]
    if next_end < utc(2037, 12, 1):
        assert found == [unix(start), unix(end), unix(next_end)]
    else:
        assert found[0] == unix(start)


@pytest.mark.parametrize("minutes", [0, 30, 60 * 24 - 1, 60 * 24 + 1, 60 * 25 - 1, 60 * 25])
def test_the_day_on_which_the_clocks_are_turned_back_has_twenty_five_hours(memory: Past, minutes: int) -> None:
    window = CalendarWindow(1, CalendarUnit.DAY, "2026-01-01T00:00:00", "Europe/Berlin")
    at = utc(2026, 10, 24, 22) + timedelta(minutes=minutes)
    today = utc(2026, 10, 24, 22) if minutes < 60 * 25 else utc(2026, 10, 25, 23)
    table = table_of(window)
    wall = memory.value(table.wall, at)
    assert wall is not None
    memory.write(
        {"__name__": names.CALENDAR_WALL, names.CALENDAR: calendar_name(window)}, np.array([unix(at)]), np.array([wall])
    )
    assert memory.value(table.start, at) == unix(today)
    assert memory.value(table.end, at) == unix(period_at(window, at)[1])


def test_beyond_the_table_months_have_thirty_days(memory: Past) -> None:
    table = table_of(BERLIN_MONTH)
    for at in (utc(1971, 1, 1), utc(2040, 6, 1), utc(2099, 6, 1)):
        start, end, next_end = (memory.value(expr, at) for expr in (table.start, table.end, table.next_end))
        assert start is not None
        assert end is not None
        assert end - start == 30 * 86400
        assert start <= unix(at) < end
        assert next_end == end + 30 * 86400


PER_ENTRY, BAD_SHARE = 1000.0, 0.0005  # at an objective of 99.9 %: half the budget


@pytest.fixture(scope="module")
def checkout(memory: Past) -> Past:
    """A ledger from January to May 2026, an entry every five minutes, and rolling values that it may be made of."""
    first, last = unix(utc(2026, 1, 20)) + PHASE, unix(utc(2026, 5, 20))
    times = np.arange(first, last, 300)
    for event, value in ((names.EVENT_ALL, PER_ENTRY), (names.EVENT_BAD, PER_ENTRY * BAD_SHARE)):
        for name in (names.LEDGER_EVENTS, names.ROLLING_EVENTS):
            labels = {"__name__": name, "slo": "checkout", "event": event}
            memory.write(labels, times, np.full(times.size, value))
    # Half an hour old at most: nobody may depend on the calendar being fresh.
    half_hours = np.arange(first - first % 1800 + 600, last, 1800)
    of_each = [period_at(BERLIN_MONTH, datetime.fromtimestamp(int(at), UTC)) for at in half_hours]
    for name, values in (
        (names.CALENDAR_START, [unix(start) for start, _ in of_each]),
        (names.CALENDAR_END, [unix(end) for _, end in of_each]),
        (names.CALENDAR_NEXT_END, [unix(period_at(BERLIN_MONTH, end)[1]) for _, end in of_each]),
    ):
        labels = {"__name__": name, names.CALENDAR: calendar_name(BERLIN_MONTH)}
        memory.write(labels, half_hours, np.array(values, dtype=float))
    rules = rules_named(FILES, names.WINDOW_START, names.WINDOW_END, names.PERIOD_EVENTS)
    start, end = (datetime.fromtimestamp(int(at), UTC) for at in (first, times[-1]))
    memory.record(rules, start, end, FIVE_MINUTES)
    return memory


SLO_FILES = [file for file in FILES if file.name != "slo-calendars.yaml"]
LAST_OF = {
    "february": utc(2026, 2, 28, 22, 57, PHASE % 60),
    "march": utc(2026, 3, 31, 21, 57, PHASE % 60),
    "april": utc(2026, 4, 30, 21, 57, PHASE % 60),
}


@pytest.mark.parametrize(("month", "hours"), [("february", 672), ("march", 743), ("april", 720)])
def test_a_month_sums_to_exactly_its_hours_also_over_a_change_of_clocks(
    checkout: Past, month: str, hours: float
) -> None:
    at = LAST_OF[month]
    checkout.evaluate(SLO_FILES, at)
    assert checkout.value('slo:sli_events:total1M{event="all"}', at) == hours * 12 * PER_ENTRY
    assert checkout.value(names.WINDOW_COVERAGE, at) == 1
    # At its end the budget is what the month allowed, exactly.
    assert checkout.value("slo:sli_events:expected1M", at) == pytest.approx(hours * 12 * PER_ENTRY, rel=1e-12)
    assert checkout.value(names.BUDGET_EVENTS, at) == pytest.approx(hours * 12 * PER_ENTRY * 0.001, rel=1e-12)
    assert checkout.value(names.BUDGET_REMAINING, at) == pytest.approx(0.5)


def test_the_budget_is_full_again_when_the_period_begins(checkout: Past) -> None:
    at = LAST_OF["march"] + FIVE_MINUTES
    checkout.evaluate(SLO_FILES, at)
    assert checkout.value(names.WINDOW_START, at) == unix(utc(2026, 3, 31, 22))
    assert checkout.value(names.WINDOW_END, at) == unix(utc(2026, 4, 30, 22))
    assert checkout.value('slo:sli_events:total1M{event="all"}', at) == PER_ENTRY
    assert checkout.value(names.BUDGET_REMAINING, at) == pytest.approx(1, abs=0.001)
    # April is expected to be as the last four weeks were.
    assert checkout.value(names.BUDGET_EVENTS, at) == pytest.approx(720 * 12 * PER_ENTRY * 0.001)


def test_every_period_between_two_moments_is_listed_once() -> None:
    listed = periods_between(BERLIN_MONTH, utc(2026, 3, 31, 21), utc(2026, 5, 1))
    assert [start.isoformat() for start, _ in listed] == [
        "2026-02-28T23:00:00+00:00", "2026-03-31T22:00:00+00:00", "2026-04-30T22:00:00+00:00",
    ]  # fmt: skip


def test_a_backfill_gives_the_current_period_its_past_and_no_other() -> None:
    end = utc(2026, 4, 2, 9, 58)
    slo = replace(an_slo("checkout", requests("a")), window=BERLIN_MONTH)
    begun = unix(utc(2026, 3, 31, 22))
    planned = [one for one in plan([slo], end) if dict(one.labels)["__name__"] == names.PERIOD_EVENTS]
    assert {dict(one.labels)["event"] for one in planned} == {"all", "bad"}
    for one in planned:
        assert dict(one.labels)["period"] == str(begun)
        assert one.end == end
        assert 0 <= unix(one.start) - begun < 300
    course = {rule.record for stage in course_rules(derived_rules(FILES), [slo]) for rule in stage}
    assert {names.WINDOW_START, names.expected_events("1M"), names.BUDGET_REMAINING} <= course
    assert names.CALENDAR_END not in course


def test_the_past_of_a_calendar_is_told_at_the_points_of_the_course() -> None:
    slo = replace(an_slo("checkout", requests("a")), window=BERLIN_MONTH)
    start, end = utc(2026, 3, 30), utc(2026, 4, 2)
    begun, ends, after = calendar_course([slo, replace(slo, name="again")], start, end)
    assert [dict(each.labels)["__name__"] for each in (begun, ends, after)] == [
        names.CALENDAR_START, names.CALENDAR_END, names.CALENDAR_NEXT_END,
    ]  # fmt: skip
    assert {dict(each.labels)[names.CALENDAR] for each in (begun, ends, after)} == {calendar_name(BERLIN_MONTH)}
    times = [at for at, _ in begun.points]
    assert (times[0], times[-1], len(times)) == (start, end - timedelta(minutes=5), 2 * 96 + 288)
    april = unix(utc(2026, 3, 31, 22))
    assert {value for at, value in begun.points if at >= utc(2026, 3, 31, 22)} == {april}
    assert {value for at, value in ends.points if at < utc(2026, 3, 31, 22)} == {april}
    assert {value for _, value in after.points} == {unix(utc(2026, 4, 30, 22)), unix(utc(2026, 5, 31, 22))}


def test_the_alert_that_tables_end_comes_a_year_before() -> None:
    rules = [rule for file in FILES for group in file.groups for rule in group.rules]
    (alert,) = (rule for rule in rules if isinstance(rule, AlertingRule) and rule.alert == names.ALERT_CALENDAR_ENDS)
    assert alert.expr == f"vector(time()) > {unix(utc(2037, 1, 1))}"
