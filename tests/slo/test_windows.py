"""Time windows as OpenSLO writes them: what they mean, and every way to get them wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.calendar.periods import period_at
from controlplane.model.exclusion import Exclusion
from controlplane.model.slo import CalendarUnit, CalendarWindow, RollingWindow
from slo.course import Step, course
from slo.status import Measurement
from slo.views import sentence, time_left
from tests.slo.reading import an_slo_file, resolved
from tests.slo.rules_under_promtool import PLAIN, Check, Traffic, pages, pieces, run
from tests.slo.slos import an_slo, requests

BERLIN = "{startTime: 2026-01-01 00:00:00, timeZone: Europe/Berlin}"
MONTH = CalendarWindow(1, CalendarUnit.MONTH, "2026-01-01T00:00:00", "Europe/Berlin")


def window_of(text: str) -> object:
    found = resolved(an_slo_file(window=text))
    assert not [problem for problem in found.problems if problem.severity.value == "error"], found.problems
    return found.slos[0].window


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("1M", 1, CalendarUnit.MONTH), ("3M", 3, CalendarUnit.MONTH), ("1Q", 1, CalendarUnit.QUARTER),
        ("1Y", 1, CalendarUnit.YEAR), ("2w", 2, CalendarUnit.WEEK), ("7d", 7, CalendarUnit.DAY),
    ],
)  # fmt: skip
def test_calendar_windows_of_every_unit(text: str, count: int, unit: CalendarUnit) -> None:
    found = window_of(f"{{duration: {text}, isRolling: false, calendar: {BERLIN}}}")
    assert found == CalendarWindow(count, unit, "2026-01-01T00:00:00", "Europe/Berlin")


def test_is_rolling_may_be_left_out_beside_a_calendar() -> None:
    assert window_of(f"{{duration: 1M, calendar: {BERLIN}}}") == MONTH


@pytest.mark.parametrize(("text", "hours"), [("1h", 1), ("90m", 1.5), ("36h", 36), ("4w", 672), ("400d", 9600)])
def test_rolling_windows_of_any_length(text: str, hours: float) -> None:
    assert window_of(f"{{duration: {text}, isRolling: true}}") == RollingWindow(timedelta(hours=hours))


@pytest.mark.parametrize(
    ("window", "field", "message"),
    [
        (f"duration: 1M, isRolling: true, calendar: {BERLIN}", "isRolling",
         "a window that begins with the calendar does not roll"),
        ("duration: 1M, isRolling: false", "isRolling",
         "a window that does not roll begins with the calendar, and there is none"),
        (f"duration: 12h, calendar: {BERLIN}", "duration",
         "the calendar has no periods of hours: write days, weeks, months, quarters or years, such as 1d or 1M"),
        (f"duration: 0M, calendar: {BERLIN}", "duration", "must be between 1M and 3650d"),
        (f"duration: 99999M, calendar: {BERLIN}", "duration", "must be between 1M and 3650d"),
        (f"duration: soon, calendar: {BERLIN}", "duration",
         "`soon` is not a duration: a whole number and d, w, M, Q or Y, as in 1M, 1Q or 1w"),
        ("duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Berln}", "calendar.timeZone",
         "unknown time zone `Europe/Berln`, did you mean `Europe/Berlin`?"),
        ("duration: 1M, calendar: {startTime: 2026-02-30 00:00:00, timeZone: UTC}", "calendar.startTime",
         "`2026-02-30 00:00:00` is not a date and time: day is out of range for month"),
        ("duration: 1M, calendar: {startTime: tomorrow, timeZone: UTC}", "calendar.startTime",
         "`tomorrow` is not a date and time"),
        ("duration: 1M, calendar: {startTime: '2026-01-01T00:00:00Z', timeZone: UTC}", "calendar.startTime",
         "`2026-01-01T00:00:00Z` is not a date and time, without a zone: that is what timeZone is for"),
        ("duration: 1M, calendar: {startTime: 2126-01-01 00:00:00, timeZone: UTC}", "calendar.startTime",
         "must lie between the years 1970 and 2037"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_window_is_told_at_its_place(window: str, field: str, message: str) -> None:
    found = resolved(an_slo_file(window=f"{{{window}}}"))
    told = [(it.field, it.message) for it in found.problems if it.severity.value == "error"]
    assert told == [(f"spec.timeWindow[0].{field}", message)]


def test_all_that_is_wrong_with_a_window_is_told_at_once() -> None:
    found = resolved(an_slo_file(window="{duration: 5m, isRolling: true, calendar: {startTime: x, timeZone: y}}"))
    assert sorted(it.field.removeprefix("spec.timeWindow[0].") for it in found.problems) == [
        "calendar.startTime", "calendar.timeZone", "duration", "isRolling",
    ]  # fmt: skip


HOUR = timedelta(hours=1)


@given(st.integers(0, 2000), st.floats(0, 1), st.integers(1, 500))
def test_the_course_of_a_month_begins_full_and_ends_with_what_it_was(first: int, bad: float, hours: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC) + first * HOUR
    steps = [Step(start + hour * HOUR, 1200.0, 1200.0 * bad, 12.0) for hour in range(1, hours)]
    points = course(MONTH, steps, 0.01)
    assert len(points) == len(steps)
    for (at, left), (later, afterwards) in pairwise(points):
        if period_at(MONTH, at) == period_at(MONTH, later):
            assert afterwards <= left + 1e-9
        else:  # the last hour of a month is told at its end, which is in the next
            assert afterwards == pytest.approx(1 - bad / 0.01 / 743, abs=bad / 0.01 / 500)


def test_the_sentence_of_a_calendar_window_says_which_budget_and_that_what_lasts_to_its_end_lasts() -> None:
    slo = replace(an_slo("checkout", requests("a")), window=MONTH)
    measured = Measurement(0.5, 1, 3, 100, 100, 100, budget_events=10_000, events_5m=5, resets_in=timedelta(days=1))
    assert sentence(slo, measured).startswith("checkout spent 1 % of this month’s budget in the last hour.")
    assert time_left(slo, measured) is None
    gone = time_left(slo, replace(measured, resets_in=timedelta(days=3)))
    assert gone is not None
    assert round(gone / HOUR, 3) == 50


def test_nobody_is_woken_by_a_planned_maintenance_and_somebody_by_what_comes_after_it(
    promtool: str, tmp_path: Path
) -> None:
    """An outage of two hours, of which the first is excluded, for an SLO of each kind."""
    began = datetime(1970, 1, 1, 2, tzinfo=UTC)
    planned = Exclusion("upgrade", "a", "b", began + 24 * HOUR, ((began, began + HOUR),))
    slos = [
        an_slo("plain", requests("plain")),
        an_slo("planned", requests("planned"), exclusions=(planned,)),
        replace(an_slo("calendar", requests("calendar"), exclusions=(planned,)), window=MONTH),
    ]
    traffic = {slo.name: _outage_after_two_hours() for slo in slos}
    checks = [
        pages("2h30m", "plain"),
        pages("2h59m", "plain"),
        pages("3h4m", "plain"),  # its last errors are still in the rolling values
        pages("3h30m", "calendar", "plain", "planned"),
        Check("2h30m", 'slo:excluded{slo="planned"}', {'slo:excluded{slo="planned",exclusion="upgrade"}': 1}),
    ]
    run(promtool, tmp_path, traffic, checks, interval="1m", options=PLAIN, slos=slos)


def _outage_after_two_hours() -> Traffic:
    return Traffic(pieces((600, 120), (0, 121)), pieces((0.001, 120), (600, 121)))
