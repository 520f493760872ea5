"""What tiers ask for while a budget burns: computed by hand, and stable."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.alerting import STANDARD_ALERTING, Alerting, AlertMethod, Tier, Urgency
from slo.proofs.burning import Burning, Phase
from slo.proofs.courses import Course, courses

MONTH = timedelta(days=30)
MINUTE = timedelta(minutes=1)
PAGE = Tier(Urgency.PAGE, Decimal("0.02"), timedelta(minutes=5), timedelta(hours=1), (timedelta(hours=1),))
ONE_PAGE = Alerting(tiers=(PAGE,))


def told(course: Course) -> list[tuple[int, bool]]:
    return [(each.at, each.fires) for each in course.expected]


def titled(found: tuple[Course, ...], title: str) -> Course:
    (course,) = [each for each in found if title in each.title]
    return course


def test_a_page_is_expected_when_two_percent_of_the_month_are_spent() -> None:
    """2 % of 43,200 minutes are 864. At 15.12 they are gone 57.1 minutes after the healthy hour, for thresholds 3 %
    off between 55.4 and 58.9: silent until 3 evaluations before, firing from 8 after."""
    course = titled(courses(ONE_PAGE, MONTH, 100.0), "1.05 times the threshold fires")
    assert [phase.minutes for phase in course.phases] == [60, 72]
    assert course.phases[1].rate == pytest.approx(15.12)
    assert told(course) == [(112, False), (127, True), (132, True)]


def test_nothing_is_expected_of_a_steady_burn_below_the_threshold() -> None:
    course = titled(courses(ONE_PAGE, MONTH, 100.0), "0.95 times the threshold is silent")
    assert not any(fires for _, fires in told(course))
    assert course.expected[-1].at == course.minutes
    assert course.minutes > 60 + 66


def test_a_burst_is_over_when_the_short_window_says_so() -> None:
    course = titled(courses(ONE_PAGE, MONTH, 100.0), "a burst ends")
    over = course.minutes - course.phases[-1].minutes
    answers = [fires for _, fires in told(course)]
    assert [answer for answer, _ in groupby(answers)] == [False, True, False]
    assert next(at for at, fires in told(course) if at > over and not fires) <= over + 5 + 8 + 1


@pytest.mark.parametrize("objective_allows", [14.0, 5.0])
def test_tiers_that_can_not_fire_have_no_course(objective_allows: float) -> None:
    assert [each for each in courses(ONE_PAGE, MONTH, objective_allows) if "14.4 times" in each.title] == []


def test_a_page_mutes_tickets_for_a_day() -> None:
    course = titled(courses(STANDARD_ALERTING, MONTH, 100.0), "a page mutes tickets")
    paged_until = 60 + course.phases[1].minutes
    silent = max(each.at for each in course.expected if not each.fires)
    firing = min(each.at for each in course.expected if each.fires)
    assert paged_until + 1440 - 60 < silent < firing <= paged_until + 1440 + 120


def test_fewer_events_than_the_floor_are_silent_though_they_spend_the_share() -> None:
    course = titled(courses(ONE_PAGE, MONTH, 100.0), "fewer than 3 bad events")
    events_a_minute = course.phases[1].rate * course.budget_events / 43_200
    silent = max(each.at for each in course.expected if not each.fires)
    firing = min(each.at for each in course.expected if each.fires)
    assert events_a_minute * (silent - 60) < 2 < 3 < events_a_minute * (firing - 60)
    assert 0.02 * course.budget_events < 2


def test_a_condition_that_must_last_is_seen_waiting() -> None:
    held = Alerting(tiers=(replace(PAGE, hold=timedelta(minutes=2)),))
    course = titled(courses(held, MONTH, 100.0), "a burst ends")
    assert [each.evaluations for each in course.lasted] == [2]


def test_burn_rates_ask_for_both_windows() -> None:
    classic = replace(ONE_PAGE, method=AlertMethod.BURN_RATE)
    hot_and_short = Burning((Phase(60, 0), Phase(6, 20)), classic, MONTH, budget_events=float("inf"), step=1)
    assert not hot_and_short.conditions_meet(PAGE, eager=True).any()


@settings(max_examples=15)
@given(
    st.sampled_from([AlertMethod.BUDGET, AlertMethod.BURN_RATE]),
    st.sampled_from([1, 7, 28, 30, 90]),
    st.sampled_from([2.0, 20.0, 100.0, 1000.0]),
)
def test_expectations_are_stable(method: AlertMethod, days: int, fastest: float) -> None:
    """The same however often they are asked for, within the course, and false before anything went wrong."""
    alerting, period = Alerting(method=method), timedelta(days=days)
    found = courses(alerting, period, fastest)
    assert found == courses.__wrapped__(alerting, period, fastest)
    for course in found:
        assert course.expected
        assert all(60 <= each.at <= course.minutes for each in course.expected)
        assert all(each.at % (course.interval // MINUTE) == 0 for each in course.expected)
        assert max(phase.rate for phase in course.phases) <= fastest
