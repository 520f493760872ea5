"""SLOs as their readers meet them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.alerting import STANDARD_ALERTING, Alerting, AlertMethod, AlertText, Urgency
from controlplane.model.slo import SLO, Absent, DataPolicy, LatencyIndicator, Query, RatioIndicator, RollingWindow
from controlplane.model.source import SourcePosition
from slo.status import NOT_MEASURED, Measurement
from slo.views import Standing, budget_bar, forecast, matching, sentence, slo_detail, slo_row, slo_rows, time_left

AT = SourcePosition("slos/shop.yaml", 3, 1)
TOTAL, BAD = Query("all_total", AT), Query("bad_total", AT)
CHECKOUT = SLO(
    name="checkout",
    service="shop",
    objective=Decimal("0.999"),
    window=RollingWindow(timedelta(days=30)),
    indicator=RatioIndicator(total=TOTAL, bad=BAD, good=None),
    source=AT,
)
QUIET = Measurement(
    budget_remaining=0.9,
    coverage=1.0,
    burn_rate_1h=0.1,
    bad_events_1h=0.1,
    bad_events_6h=0.6,
    bad_events_1d=2.4,
    budget_events=1000.0,
    events_5m=500.0,
)
FAST = replace(QUIET, budget_remaining=0.2, bad_events_1h=180.0, bad_events_6h=300.0, bad_events_1d=700.0)


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (QUIET, Standing.OK),
        (replace(QUIET, budget_remaining=0.25), Standing.OK),
        (replace(QUIET, budget_remaining=0.2499), Standing.LOW),
        (replace(QUIET, budget_remaining=0.0), Standing.SPENT),
        (replace(QUIET, budget_remaining=-3.0, events_5m=None), Standing.SPENT),
        (replace(QUIET, events_5m=None), Standing.NO_DATA),
        (replace(QUIET, events_5m=0.0), Standing.OK),
        (replace(QUIET, coverage=0.5), Standing.PARTIAL),
        (NOT_MEASURED, Standing.NO_DATA),
    ],
)
def test_a_budget_stands_as_it_was_measured(measured: Measurement, expected: Standing) -> None:
    assert slo_row(CHECKOUT, measured).standing is expected


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (FAST, "checkout spent 18 % of its 30-day budget in the last hour. At this rate it is gone in 1 h 6 min."),
        (QUIET, "checkout has 90 % of its 30-day budget left and spends next to nothing."),
        (replace(QUIET, bad_events_1h=1.2),
         "checkout spent 0.12 % of its 30-day budget in the last hour. At this rate the 90 % left will last."),
        (replace(FAST, budget_remaining=-0.12), "checkout has spent its 30-day budget 1.12 times over."),
        (replace(FAST, budget_remaining=0.0), "checkout has spent its 30-day budget."),
        (replace(QUIET, events_5m=None), "checkout is not being measured now. 90 % of its 30-day budget was left."),
        (NOT_MEASURED,
         "Prometheus has no budget for checkout yet: its rules are not loaded, or its queries find no series."),
    ],
)  # fmt: skip
def test_a_sentence_says_what_happened_and_what_it_means(measured: Measurement, said: str) -> None:
    assert sentence(CHECKOUT, measured) == said


def test_a_budget_that_would_be_well_burns_while_an_alert_fires() -> None:
    assert slo_row(CHECKOUT, QUIET, firing=["page"]).standing is Standing.BURNING
    assert slo_row(CHECKOUT, replace(QUIET, firing=("ticket",))).standing is Standing.BURNING
    assert slo_row(CHECKOUT, FAST, firing=["page"]).standing is Standing.LOW
    assert slo_row(CHECKOUT, replace(QUIET, events_5m=None), firing=["ticket"]).standing is Standing.NO_DATA


def test_severities_of_an_slo_s_own_are_pages_and_tickets() -> None:
    own = replace(CHECKOUT, alerting=Alerting(page=AlertText(severity="critical"), ticket=AlertText(severity="warn")))
    assert slo_row(own, QUIET, firing=["warn", "critical"]).firing == ("page", "ticket")
    assert slo_row(own, replace(QUIET, firing=("info",))).firing == ("info",)


def test_the_worst_come_first() -> None:
    measured = {
        "ok": QUIET,
        "paged": QUIET,
        "ticketed": replace(QUIET, firing=("ticket",)),
        "spent": replace(QUIET, budget_remaining=-0.1),
        "overspent": replace(QUIET, budget_remaining=-2.0),
        "low": FAST,
        "partial": replace(QUIET, coverage=0.3),
    }
    slos = [replace(CHECKOUT, name=name) for name in (*measured, "unknown")]
    rows = slo_rows(slos, measured, firing={"paged": ("page",)})
    assert [row.slo.name for row in rows] == [
        "paged", "ticketed", "overspent", "spent", "low", "unknown", "partial", "ok",
    ]  # fmt: skip


def test_a_search_finds_every_word_in_name_service_owner_and_standing() -> None:
    rows = slo_rows(
        [replace(CHECKOUT, display_name="Paying"), replace(CHECKOUT, name="search", service="find", owner="Finders")],
        {"checkout": FAST, "search": QUIET},
    )
    found = {
        text: [row.slo.name for row in matching(rows, text=text)] for text in ("PAY low", "finders ok", "pay ok", "")
    }
    assert found == {"PAY low": ["checkout"], "finders ok": ["search"], "pay ok": [], "": ["checkout", "search"]}
    assert [row.slo.name for row in matching(rows, service="find")] == ["search"]


def test_without_measurements_nothing_is_made_up() -> None:
    row = slo_row(CHECKOUT, NOT_MEASURED)
    assert (row.bar, row.left, row.tomorrow, forecast(NOT_MEASURED)) == (None, "no data", "no data", None)
    assert time_left(CHECKOUT, NOT_MEASURED) is None
    assert time_left(CHECKOUT, replace(FAST, budget_events=0.0)) is None


def test_tomorrow_is_estimated_from_the_last_hour_six_hours_and_day() -> None:
    ahead = forecast(replace(QUIET, bad_events_1h=10, bad_events_6h=30, bad_events_1d=50))
    assert ahead
    assert (ahead.low, ahead.expected, ahead.high) == pytest.approx((0.9 - 0.24, 0.9 - 0.12, 0.9 - 0.05))
    assert slo_row(CHECKOUT, FAST).tomorrow == "spent"
    assert slo_row(CHECKOUT, replace(FAST, bad_events_1d=100)).tomorrow == "at most 10 %"


@given(
    st.floats(min_value=-5, max_value=1.2),
    st.one_of(st.none(), st.floats(min_value=0, max_value=1.1)),
)
def test_the_parts_of_a_bar_add_up_and_stay_inside(left: float, coverage: float | None) -> None:
    bar = budget_bar(replace(QUIET, budget_remaining=left, coverage=coverage))
    assert bar
    assert bar.proven >= 0
    assert bar.unproven >= 0
    assert 0 <= bar.pace <= 1
    assert bar.proven + bar.unproven == pytest.approx(min(max(left, 0), 1))


def test_conditions_are_met_only_when_both_limits_are_exceeded() -> None:
    burn = {
        "slo:burn_rate:5m": 20.0,
        "slo:bad_events:5m": 1.0,
        "slo:bad_events:1h": 30.0,
        "slo:error_budget:events": 1000,
    }
    row = slo_row(CHECKOUT, FAST)
    assert [it.met for it in slo_detail(row, burn).conditions] == [True, None, None, None]
    calm = slo_detail(row, {**burn, "slo:bad_events:1h": 19.0}).conditions[0]
    assert (calm.met, calm.limit, calm.tier.budget_share) == (False, Decimal("14.4"), Decimal("0.02"))
    assert slo_detail(row, {**burn, "slo:burn_rate:5m": 14.0}).conditions[0].met is False
    few = {**burn, "slo:error_budget:events": 4.0, "slo:bad_events:1h": 2.0}
    assert slo_detail(row, few).conditions[0].met is False
    assert [it.short.burn_rate for it in slo_detail(row, None).conditions] == [None] * 4


def test_a_condition_that_cannot_happen_says_so() -> None:
    loose = slo_detail(slo_row(replace(CHECKOUT, objective=Decimal("0.93")), QUIET), {})
    assert [it.reachable for it in loose.conditions] == [False, True, True, True]


def test_an_slo_is_told_with_its_own_tiers_and_method() -> None:
    paging = tuple(tier for tier in STANDARD_ALERTING.tiers if tier.urgency is Urgency.PAGE)
    own = replace(CHECKOUT, alerting=Alerting(tiers=paging[:1], method=AlertMethod.BURN_RATE))
    detail = slo_detail(slo_row(own, FAST), {"slo:burn_rate:5m": 20.0, "slo:burn_rate:1h": 15.0})
    (only,) = detail.conditions
    assert only.met is True
    assert detail.needs(only) == "a page needs 1.44 % errors over 5 min and over 1 h"
    silent = replace(CHECKOUT, alerting=Alerting(tiers=()), policy=DataPolicy(absent=Absent.IGNORE))
    quiet = slo_detail(slo_row(silent, FAST), {})
    assert quiet.conditions == ()
    assert quiet.missing == "Time without traffic counts as nothing. Nobody is told when its series are gone."


def test_queries_are_told_as_they_were_written() -> None:
    latency = replace(CHECKOUT, indicator=LatencyIndicator(within=BAD, total=TOTAL, threshold=Decimal("0.3")))
    assert slo_detail(slo_row(latency, QUIET), {}).queries == (("fast enough", BAD), ("all", TOTAL))
    assert slo_detail(slo_row(CHECKOUT, QUIET), {}).queries == (("bad", BAD), ("all", TOTAL))
