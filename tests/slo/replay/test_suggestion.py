"""The objective that the past would have borne."""

from decimal import Decimal

import numpy as np
import pytest

from slo.replay.definition import Definition
from slo.replay.history import EventHistory
from slo.replay.suggestion import ROUND, Certainty, Obstacle, Suggestion, suggested
from tests.slo.replay.histories import history, span_of_days, steady
from tests.slo.slos import an_slo, requests

SLO = an_slo("shop", requests("shop"), "0.9", days=7)


def suggestion(days: float, every: float, bad: float, most_pages: float = 2) -> Suggestion:
    span = span_of_days(days, before=7)
    found = suggested(Definition(SLO), history(span, *steady(span, every, bad)), most_pages=most_pages)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("bad", "objective", "against"),
    [
        # Of 10,000: a quarter of the budget must be left, so 7.5 bad ones bear 99.9 % and not a hair finer.
        (7.4, "0.999", Obstacle.SPENT),
        (7.6, "0.998", Obstacle.SPENT),
        (74, "0.99", Obstacle.SPENT),
        (0.001, "0.999999", None),
    ],
)
def test_it_is_the_finest_round_one_that_was_kept_with_a_margin(
    bad: float, objective: str, against: Obstacle | None
) -> None:
    found = suggestion(21, 10_000, bad)
    assert found.objective == Decimal(objective)
    assert found.certainty is Certainty.GOOD
    if against is None:
        assert found.objective == ROUND[-1]
    else:
        assert against in found.trials[-1].obstacles


def test_it_is_no_finer_than_the_traffic_can_measure() -> None:
    # 40 an hour: 6,720 in 7 days. A budget of at least 30 bad events is 0.45 % of them.
    found = suggestion(21, 40 / 60, 0)
    assert found.objective == Decimal("0.995")
    assert found.trials[-1].obstacles == (Obstacle.TRAFFIC,)
    assert found.trials[-1].objective == Decimal("0.998")


def test_it_pages_no_more_often_than_asked_for() -> None:
    span = span_of_days(30, before=7)
    every, bad = steady(span, 1000)
    for day in range(8, 36, 4):
        bad[day * 1440 : day * 1440 + 20] = 300
    events = history(span, every, bad)
    often, seldom = (suggested(Definition(SLO), events, most_pages=most) for most in (100, 0))
    assert often is not None
    assert seldom is not None
    assert often.objective is not None
    assert seldom.objective is not None
    assert often.objective > seldom.objective
    assert Obstacle.PAGES in seldom.trials[-1].obstacles
    assert seldom.trial(seldom.objective).pages == 0  # type: ignore[union-attr]


def test_one_good_week_after_a_bad_one_does_not_make_it_fine() -> None:
    span = span_of_days(14, before=7)
    every, bad = steady(span, 1000)
    bad[: span.judged.start + 7 * 1440] = 5
    found = suggested(Definition(SLO), history(span, every, bad))
    assert found is not None
    assert found.objective == Decimal("0.99")


def test_luck_in_how_bad_days_lay_does_not_count() -> None:
    """Two days that each spend 70 % of the budget of 99.9 %, just so far apart that no week held both."""
    span = span_of_days(14, before=7)
    every, bad = steady(span, 1000)
    for day in (8, 16):
        bad[day * 1440 : (day + 1) * 1440] = 4.9
    found = suggested(Definition(SLO), history(span, every, bad), most_pages=100)
    assert found is not None
    assert found.objective == Decimal("0.998")
    assert found.trials[-1].objective == Decimal("0.999")
    assert found.trials[-1].obstacles == (Obstacle.CHANCE,)


@pytest.mark.parametrize(("days", "certainty"), [(21, Certainty.GOOD), (7, Certainty.FAIR), (3, Certainty.WEAK)])
def test_it_says_how_sure_it_is(days: float, certainty: Certainty) -> None:
    found = suggestion(days, 1000, 1)
    assert found.certainty is certainty
    assert found.windows == pytest.approx(days / 7, rel=0.01)


def test_without_any_measurement_nothing_is_suggested() -> None:
    span = span_of_days(7, before=7)
    nothing = np.full(span.minutes, np.nan)
    assert suggested(Definition(SLO), EventHistory.from_minutes(span, nothing, nothing)) is None


def test_half_a_day_says_nothing_about_a_week() -> None:
    short, longer = span_of_days(0.5, before=7), span_of_days(0.8, before=7)
    assert suggested(Definition(SLO), history(short, *steady(short, 1000, 0))) is None
    assert suggested(Definition(SLO), history(longer, *steady(longer, 1000, 0))) is not None


def test_the_same_past_gives_the_same_answer() -> None:
    assert suggestion(9, 1000, 3) == suggestion(9, 1000, 3)
