"""When the model says that somebody would have been told."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.burn_rate import Urgency
from controlplane.model.alerting import STANDARD_TIERS, Alerting, AlertMethod
from controlplane.model.exclusion import Exclusion
from controlplane.model.slo import DataPolicy, NoTraffic
from slo.replay.candidates import candidate_minutes
from slo.replay.conditions import alert_states
from slo.replay.definition import Definition
from slo.replay.history import TILE, EventHistory
from slo.replay.outcome import Outcome, outcome_of
from tests.slo.replay.histories import history, rolling, span_of_days, steady
from tests.slo.slos import an_slo, requests

SLO = an_slo("shop", requests("shop"), "0.99", days=7)
SPAN = span_of_days(4, before=7)
BROKEN = SPAN.judged.start + 1000  # a minute of the time that is judged


def outcome(every: np.ndarray, bad: np.ndarray, slo=SLO) -> Outcome:  # type: ignore[no-untyped-def, type-arg]
    return outcome_of(Definition(slo), history(SPAN, every, bad))


def outage(length: int, share: float = 1.0) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    every, bad = steady(SPAN)
    bad[BROKEN : BROKEN + length] = 100 * share
    return every, bad


def test_an_outage_pages_when_two_per_cent_of_the_budget_are_gone_and_says_so() -> None:
    # 7 d × 100 a minute × 1 % = 10,080 bad events; 2 % of them are 202: in the third minute.
    found = outcome(*outage(30))
    (page,) = found.told(Urgency.PAGE)
    assert page.start == SPAN.at(BROKEN + 2)
    assert page.after == timedelta(minutes=3)
    assert page.spent == pytest.approx(300 / 10_080, rel=0.01)
    assert page.remaining == pytest.approx(1, abs=0.03)
    assert page.tier == STANDARD_TIERS[0]
    assert not page.still_firing
    assert found.told(Urgency.TICKET) == ()
    assert found.remaining == pytest.approx(1 - 3000 / 10_080, rel=0.01)


def test_a_burn_a_little_faster_than_the_budget_is_a_ticket_and_never_a_page() -> None:
    every, bad = steady(SPAN)
    bad[BROKEN:] = 1.2
    found = outcome(every, bad)
    assert [told.urgency for told in found.notifications] == [Urgency.TICKET]
    assert found.notifications[0].still_firing
    assert found.lowest is not None
    assert found.lowest.remaining == pytest.approx(1 - 1.2 * (SPAN.minutes - BROKEN) / 10_080, rel=0.02)


def test_fewer_bad_events_than_the_fewest_tell_nobody() -> None:
    every, bad = steady(SPAN, 0.1)
    bad[BROKEN : BROKEN + 2] = 1
    assert outcome(every, bad).notifications == ()
    of_one = replace(SLO, alerting=Alerting(fewest_bad_events=Decimal(1)))
    assert outcome(every, bad, of_one).told(Urgency.PAGE) != ()


def test_a_page_mutes_the_tickets_of_a_day() -> None:
    every, bad = outage(60)
    bad[BROKEN + 60 :] = 1.2
    found = outcome(every, bad)
    page, ticket = found.notifications
    assert (page.urgency, ticket.urgency) == (Urgency.PAGE, Urgency.TICKET)
    assert timedelta(days=1) <= ticket.start - page.end <= timedelta(days=1, minutes=10)
    assert found.muted == 1


def test_a_tier_holds_its_alert_back_for_as_long_as_it_asks() -> None:
    held = tuple(replace(tier, hold=timedelta(minutes=7)) for tier in STANDARD_TIERS)
    slow = outcome(*outage(30), replace(SLO, alerting=Alerting(tiers=held)))
    assert slow.told(Urgency.PAGE)[0].start == SPAN.at(BROKEN + 2 + 7)


def test_without_tiers_of_an_urgency_there_are_no_alerts_of_it() -> None:
    tickets_only = Alerting(tiers=tuple(tier for tier in STANDARD_TIERS if tier.urgency is Urgency.TICKET))
    found = outcome(*outage(600), replace(SLO, alerting=tickets_only))
    assert found.told(Urgency.PAGE) == ()
    assert found.told(Urgency.TICKET) != ()


def test_by_burn_rate_alone_a_few_errors_at_night_page() -> None:
    every, bad = steady(SPAN, 0.1)
    bad[BROKEN : BROKEN + 2] = 1
    by_rate = replace(SLO, alerting=Alerting(method=AlertMethod.BURN_RATE))
    assert outcome(every, bad, by_rate).told(Urgency.PAGE) != ()


def test_missing_data_fires_nothing_costs_nothing_and_is_told() -> None:
    every, bad = steady(SPAN)
    values, wrong = rolling(every), rolling(bad)
    values[BROKEN : BROKEN + 1440] = wrong[BROKEN : BROKEN + 1440] = np.nan
    found = outcome_of(Definition(SLO), EventHistory.from_minutes(SPAN, values, wrong))
    assert found.notifications == ()
    assert found.remaining == 1
    assert found.coverage == pytest.approx(0.75, abs=0.001)
    (gap,) = found.gaps
    assert (gap.start, gap.end) == (SPAN.at(BROKEN), SPAN.at(BROKEN + 1440))
    assert gap.urgency is Urgency.TICKET


def test_nothing_known_at_all_is_no_budget_rather_than_a_full_one() -> None:
    nothing = np.full(SPAN.minutes, np.nan)
    found = outcome_of(Definition(SLO), EventHistory.from_minutes(SPAN, nothing, nothing))
    assert (found.remaining, found.lowest, found.coverage) == (None, None, 0)


def test_an_excluded_outage_tells_nobody_and_costs_nothing() -> None:
    interval = (SPAN.at(BROKEN - 1), SPAN.at(BROKEN + 30))
    planned = Exclusion("move", "ops", "moving", interval[1], (interval,))
    found = outcome(*outage(30), replace(SLO, exclusions=(planned,)))
    assert found.notifications == ()
    assert found.remaining == 1


@pytest.mark.parametrize(
    ("policy", "pages"), [(NoTraffic.EXCLUDED, 0), (NoTraffic.GOOD, 0), (NoTraffic.BAD, 1)], ids=lambda it: str(it)
)
def test_time_without_traffic_is_what_the_policy_says(policy: NoTraffic, pages: int) -> None:
    every, bad = steady(SPAN)
    every[BROKEN : BROKEN + 60] = 0
    found = outcome(every, bad, replace(SLO, policy=DataPolicy(no_traffic=policy)))
    assert len(found.told(Urgency.PAGE)) == pages


@st.composite
def troubles(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Events and bad ones by minute: a level of traffic, and a few bursts of any length and depth."""
    every, bad = steady(SPAN, draw(st.sampled_from([2.0, 50.0, 3000.0])))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(SPAN.judged.start, SPAN.minutes - 1))
        length = draw(st.sampled_from([1, 2, 3, 7, 20, 60, 300]))
        bad[at : at + length] = every[0] * draw(st.floats(0.01, 1))
    return every, bad


@given(troubles())
def test_no_page_hides_between_the_five_minute_steps(counts: tuple[np.ndarray, np.ndarray]) -> None:  # type: ignore[type-arg]
    exact = history(SPAN, *counts)
    coarse = EventHistory.from_tiles(SPAN, exact.every[::TILE], exact.bad[::TILE])
    asked = np.zeros(SPAN.minutes, dtype=bool)
    for first, end in candidate_minutes(Definition(SLO), coarse):
        asked[first:end] = True
        coarse = coarse.refined(first, exact.every[first:end], exact.bad[first:end])
    pages = alert_states(SLO, exact).page
    assert not (pages & ~asked).any()
    assert (alert_states(SLO, coarse).page != pages).sum() <= 2  # the edges of windows lie in steps not asked for
