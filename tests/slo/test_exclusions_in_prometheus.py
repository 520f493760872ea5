"""Exclusions in a real Prometheus: what they take out of the budget, planned or declared later, against the truth."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane import conventions as names
from controlplane.calendar.zones import zone
from controlplane.model.exclusion import Exclusion, Interval
from controlplane.model.rule import RecordingRule, RuleFile
from controlplane.model.slo import SLO, CalendarUnit, CalendarWindow
from controlplane.rulefile import to_yaml
from slo.compiler import compile_rules
from slo.exclusions.recurrence import occurrences
from tests.slo.evaluating import Past, past, rules_named, unix, utc
from tests.slo.slos import an_slo, requests

MINUTE, FIVE_MINUTES, HOUR = timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1)
PHASE = timedelta(seconds=17)
FIRST, LAST = utc(2026, 3, 10), utc(2026, 3, 11, 12)
REQUESTS_PER_SECOND, ERROR_SHARE = 10, 0.2
HOURLY_ERRORS = REQUESTS_PER_SECOND * 3600 * ERROR_SHARE
# Errors last an hour each: in the night, and in the maintenance of the next day.
NIGHT = (utc(2026, 3, 10, 3), utc(2026, 3, 10, 4))
MAINTENANCE = (utc(2026, 3, 11, 1), utc(2026, 3, 11, 2))
PAIRS = (names.RAW_ROLLING, names.ROLLING_EVENTS, names.EXCLUDED_ROLLING, names.EXCLUDED)


def excluded(name: str, *intervals: Interval, **fields: Any) -> Exclusion:
    return Exclusion(name, "payments", "upgrade", utc(2027, 1, 1), intervals, **fields)


def checkout(name: str, *exclusions: Exclusion, **fields: Any) -> SLO:
    return replace(an_slo(name, requests("a")), exclusions=exclusions, **fields)


def run(memory: Past, files: tuple[RuleFile, ...], start: datetime, end: datetime) -> None:
    """Both pairs as a Prometheus records them that has these rules from start to end."""
    memory.record(rules_named(files, names.EXCLUDED), start, end, MINUTE)
    memory.record(rules_named(files, names.RAW_ROLLING), start, end, MINUTE)
    memory.record(rules_named(files, names.ROLLING_EVENTS), start, end, MINUTE)
    memory.record(rules_named(files, names.EXCLUDED_ROLLING), start, end, MINUTE)
    ledgers = (names.LEDGER_EVENTS, names.EXCLUDED_LEDGER, names.WINDOW_START, names.WINDOW_END)
    memory.record(rules_named(files, *ledgers), start, end, FIVE_MINUTES)
    memory.record(rules_named(files, names.PERIOD_EVENTS, names.EXCLUDED_PERIOD), start, end, FIVE_MINUTES)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with past(tmp_path_factory.mktemp("prometheus")) as found:
        times = np.arange(unix(FIRST - HOUR), unix(LAST) + 1, 30)
        failing = np.zeros(times.size, dtype=bool)
        for start, end in (NIGHT, MAINTENANCE):
            failing |= (times > unix(start)) & (times <= unix(end))
        for tenant, weight in (("x", 0.75), ("y", 0.25)):
            errors = np.cumsum(failing * REQUESTS_PER_SECOND * 30 * ERROR_SHARE * weight) + 1000
            every = (times - times[0]) * float(REQUESTS_PER_SECOND) * weight + 5000
            for code, values in (("200", every - errors), ("500", errors)):
                labels = {"__name__": "http_requests_total", "job": "a", "code": code, "tenant": tenant}
                found.write(labels, times, values)
        yield found


def totals(memory: Past, slo: str, window: str = "30d", group: str = "") -> tuple[float, float]:
    """Bad events that count, and that there were."""
    chosen = f'{{slo="{slo}",event="bad"{group}}}'
    series = (names.total_events(window), names.raw_total_events(window))
    counted, raw = (memory.value(f"{name}{chosen}", LAST) for name in series)
    assert counted is not None
    assert raw is not None
    return counted, raw


def test_a_planned_maintenance_costs_nothing_and_what_is_outside_counts(memory: Past) -> None:
    files = compile_rules([checkout("planned", excluded("upgrade", MAINTENANCE))])
    run(memory, files, FIRST + PHASE, LAST)
    memory.evaluate(files, LAST)
    counted, raw = totals(memory, "planned")
    assert counted == pytest.approx(HOURLY_ERRORS, rel=0.01)
    assert raw == pytest.approx(2 * HOURLY_ERRORS, rel=0.01)
    every = memory.value('slo:sli_events:total30d{slo="planned",event="all"}', LAST)
    # It takes out its hour and the five minutes over which its edges are smeared.
    assert every == pytest.approx((36 * 3600 - 3900) * REQUESTS_PER_SECOND, rel=0.001)
    left, raw_left = (
        memory.value(f'{name}{{slo="planned"}}', LAST) for name in (names.BUDGET_REMAINING, names.RAW_BUDGET_REMAINING)
    )
    assert left is not None
    assert raw_left is not None
    assert raw_left < left < 1


def test_an_exclusion_declared_afterwards_gives_what_a_planned_one_gives(memory: Past) -> None:
    before = compile_rules([checkout("later")])
    run(memory, before, FIRST + PHASE, LAST)
    after = compile_rules([checkout("later", excluded("upgrade", MAINTENANCE))])
    memory.evaluate(before, LAST - MINUTE)
    memory.evaluate(after, LAST)
    planned = compile_rules([checkout("planned", excluded("upgrade", MAINTENANCE))])
    memory.evaluate(planned, LAST)
    assert totals(memory, "later") == pytest.approx(totals(memory, "planned"), rel=1e-6)
    every = [memory.value(f'slo:sli_events:total30d{{slo="{slo}",event="all"}}', LAST) for slo in ("later", "planned")]
    assert every[0] == pytest.approx(every[1], rel=1e-6)
    for series in (names.BUDGET_REMAINING, names.RAW_BUDGET_REMAINING):
        values = [memory.value(f'{series}{{slo="{slo}"}}', LAST) for slo in ("later", "planned")]
        assert values[0] == pytest.approx(values[1], rel=1e-6), series


def test_an_exclusion_declared_while_it_lasts_takes_out_all_of_it(memory: Past) -> None:
    middle = MAINTENANCE[0] + timedelta(minutes=33) + PHASE
    run(memory, compile_rules([checkout("midway")]), FIRST + PHASE, middle)
    files = compile_rules([checkout("midway", excluded("upgrade", MAINTENANCE))])
    run(memory, files, middle + MINUTE, LAST)
    memory.evaluate(files, LAST)
    assert totals(memory, "midway")[0] == pytest.approx(HOURLY_ERRORS, rel=0.02)


def test_overlapping_exclusions_take_out_each_moment_once(memory: Past) -> None:
    start, end = MAINTENANCE
    both = excluded("first", (start, end - HOUR / 2)), excluded("second", (start + HOUR / 4, end))
    for name, planned in (("overlapping", True), ("overlapping-later", False)):
        files = compile_rules([checkout(name, *both)])
        run(memory, files if planned else compile_rules([checkout(name)]), FIRST + PHASE, LAST)
        memory.evaluate(files, LAST)
        assert totals(memory, name)[0] == pytest.approx(HOURLY_ERRORS, rel=0.01)


def test_half_an_hour_that_is_excluded_leaves_the_other_half(memory: Past) -> None:
    start, end = MAINTENANCE
    files = compile_rules([checkout("half", excluded("upgrade", (start, end - HOUR / 2)))])
    run(memory, files, FIRST + PHASE, LAST)
    memory.evaluate(files, LAST)
    # Of what is right behind it, up to half of five minutes goes with it.
    counted = totals(memory, "half")[0] - HOURLY_ERRORS
    assert HOURLY_ERRORS * 27 / 60 < counted < HOURLY_ERRORS / 2 * 1.01


def test_every_group_is_excluded_by_its_own_events(memory: Past) -> None:
    slo = checkout("grouped", excluded("upgrade", MAINTENANCE), groups=("tenant",))
    later = replace(slo, name="grouped-later")
    for one, first in ((slo, slo), (later, replace(later, exclusions=()))):
        run(memory, compile_rules([first]), FIRST + PHASE, LAST)
        memory.evaluate(compile_rules([one]), LAST)
        for tenant, weight in (("x", 0.75), ("y", 0.25)):
            counted, raw = totals(memory, one.name, group=f',tenant="{tenant}"')
            assert counted == pytest.approx(HOURLY_ERRORS * weight, rel=0.01)
            assert raw == pytest.approx(2 * HOURLY_ERRORS * weight, rel=0.01)


def test_a_calendar_day_without_its_maintenance(memory: Past) -> None:
    window = CalendarWindow(1, CalendarUnit.DAY, "2022-01-01T00:00:00", "Europe/Berlin")
    exclusion = excluded("upgrade", MAINTENANCE)
    for name, first in (("day", (exclusion,)), ("day-later", ())):
        files = compile_rules([checkout(name, exclusion, window=window)])
        memory.record(rules_named(files, names.CALENDAR_WALL), FIRST - HOUR, LAST, timedelta(minutes=30))
        bounds = rules_named(files, names.CALENDAR_START, names.CALENDAR_END, names.CALENDAR_NEXT_END)
        memory.record(bounds, FIRST - HOUR, LAST, timedelta(minutes=30))
        run(memory, compile_rules([checkout(name, *first, window=window)]), FIRST + PHASE, LAST)
        memory.evaluate(files, LAST)
        counted, raw = totals(memory, name, "1D")
        assert raw == pytest.approx(HOURLY_ERRORS, rel=0.01)
        assert counted == pytest.approx(0, abs=1)
        assert memory.value(f'{names.BUDGET_REMAINING}{{slo="{name}"}}', LAST) == pytest.approx(1, abs=0.01)


def test_what_has_left_the_window_is_subtracted_no_more(memory: Past) -> None:
    slo = checkout("short", excluded("upgrade", NIGHT))
    slo = replace(slo, window=replace(slo.window, length=timedelta(days=1)))
    run(memory, compile_rules([replace(slo, exclusions=())]), FIRST + PHASE, LAST)
    memory.evaluate(compile_rules([slo]), LAST)
    assert totals(memory, "short", "1d") == pytest.approx((HOURLY_ERRORS, HOURLY_ERRORS), rel=0.01)


def test_a_backfilled_past_without_rolling_values_is_adjusted_too(memory: Past) -> None:
    files = compile_rules([checkout("backfilled", excluded("upgrade", MAINTENANCE))])
    for rule in rules_named(files, names.RAW_ROLLING):
        memory.record([rule], FIRST + PHASE, LAST, FIVE_MINUTES)  # `bad` reads `all`
        entry = RecordingRule(names.LEDGER_EVENTS, rule.expr, rule.labels)
        memory.record([entry], FIRST + PHASE, LAST, FIVE_MINUTES)
    memory.evaluate(files, LAST)
    assert totals(memory, "backfilled")[0] == pytest.approx(HOURLY_ERRORS, rel=0.01)


WEEKLY = occurrences(
    "FREQ=WEEKLY;BYDAY=SU,WE", datetime(2026, 1, 4, 2, 30), zone("Europe/Berlin"), utc(2027, 12, 1)  # noqa: DTZ001
)  # fmt: skip
TWICE_A_WEEK = excluded("weekly", *((at, at + 2 * HOUR) for at in WEEKLY.starts))
MONTHLY = occurrences("FREQ=MONTHLY;BYDAY=2TU", datetime(2026, 1, 1, 22), zone("Europe/Berlin"), utc(2027, 12, 1))  # noqa: DTZ001
PATCH_DAYS = excluded("monthly", *((at, at + 5 * HOUR) for at in MONTHLY.starts))


@settings(max_examples=60)
@given(st.data(), st.sampled_from([TWICE_A_WEEK, PATCH_DAYS]))
def test_prometheus_knows_when_events_are_excluded_over_changes_of_clocks_too(
    memory: Past, data: st.DataObject, exclusion: Exclusion
) -> None:
    start, end = data.draw(st.sampled_from(exclusion.intervals))
    (rule,) = rules_named(compile_rules([checkout("when", exclusion)]), names.EXCLUDED)
    for at, expected in (
        (start, 0), (start + timedelta(seconds=1), 1), (end + timedelta(seconds=299), 1), (end + FIVE_MINUTES, 0),
    ):  # fmt: skip
        assert memory.value(rule.expr, at) == expected, at


def test_a_recurring_exclusion_is_written_compactly() -> None:
    (file,) = compile_rules([checkout("compact", TWICE_A_WEEK)])
    (rule,) = rules_named([file], names.EXCLUDED)
    assert len(TWICE_A_WEEK.intervals) == 199
    assert rule.expr.count("\n+ ") == 11  # two days a week, and the clocks are turned four times; some are the only one
    assert len(to_yaml(file)) < 30_000


def test_without_the_series_that_says_so_everything_counts(memory: Past) -> None:
    files = compile_rules([checkout("open", excluded("upgrade", MAINTENANCE))])
    at = MAINTENANCE[0] + HOUR / 2
    memory.record(rules_named(files, names.RAW_ROLLING), at, at, MINUTE)
    (rule,) = rules_named(files, names.ROLLING_EVENTS)
    bad = {sample.labels["event"]: sample.value for sample in memory.backend.query(rule.expr, at)}["bad"]
    assert bad == pytest.approx(HOURLY_ERRORS / 12, rel=0.01)
    assert datetime.now(UTC) > LAST  # the past of this test is past
