"""Metrics of stretches of time, worked by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from exporters.dora.measuring.loading import load
from exporters.dora.measuring.windows import Level, for_scopes, metrics
from exporters.dora.model import NOTHING, DoraMetrics, Estimate, Scope, Stage
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.sheets.columns import OPEN
from tests.exporters.dora.measuring.sheet_making import delivered, deployed, incident, midnight, sheet

POLICY = DeliveryPolicy(teams={"shop": "buying", "cart": "buying", "pay": "money"})
SHOP = Scope("production", "shop")
BERLIN = replace(POLICY, time_zone="Europe/Berlin")


def _four_weeks() -> DoraMetrics:
    """Three deployments, then three weeks of none, then one: the worked example of docs/explanation."""
    sheets = [
        sheet(
            1,
            [deployed(8, run=9), deployed(9, failure=2, recovery=1800), deployed(9.5, rework=1)],
            [delivered(8, 7200, 600, 600, 6000), delivered(9, 3600), delivered(9, -1)],
            [incident(10, 600), incident(11, OPEN)],
        ),
        sheet(25, [deployed(12, failure=1, recovery=OPEN)], [delivered(12, 10_800)]),
    ]
    return metrics(sheets, SHOP, midnight(1), midnight(29), POLICY)


def test_each_metric_of_four_weeks() -> None:
    found = _four_weeks()
    assert found.frequency.deployments == found.frequency.releases == 4
    assert found.frequency.per_day.value == Decimal("0.142857")  # 4 ÷ 28
    assert (found.fail_rate.value, found.fail_rate.samples) == (Decimal("0.5"), 4)
    assert (found.rework_rate.value, found.rework_rate.samples) == (Decimal("0.25"), 4)
    assert found.lead_time.median == Estimate(Decimal(7200), 3)  # 3600, 7200, 10800
    assert found.lead_time.mean == Estimate(Decimal(7200), 3)
    assert found.stages[Stage.DEPLOY].median == Estimate(Decimal(6000), 1)
    assert found.recovery_time.median == Estimate(Decimal(1800), 1)
    assert found.restore_time.mean == Estimate(Decimal(600), 1)
    assert (found.open_failures, found.open_incidents, found.changes_without_start) == (1, 1, 1)
    assert found.coverage_from == midnight(1) + timedelta(hours=8)


def test_gaps_and_days_show_what_a_mean_hides() -> None:
    frequency = _four_weeks().frequency
    assert (frequency.days, frequency.active_days) == (28, 2)
    assert frequency.median_gap == timedelta(hours=1)  # 0:30, 1:00, and 24 days and 2:30 hours
    assert frequency.longest_gap == timedelta(days=24, hours=2, minutes=30)
    assert frequency.burst == 1  # the 3 busiest of 28 days have all


def test_weeks_begin_on_monday() -> None:
    first, second, _, fourth = _four_weeks().weeks
    assert first.first == date(2026, 3, 2)
    assert (first.deployments, first.failed, first.rework) == (3, 1, 1)
    assert (first.lead_time_median, first.recovery_median) == (Decimal(5400), Decimal(1800))  # 3600, 7200
    assert (second.deployments, second.lead_time_median) == (0, None)
    assert (fourth.deployments, fourth.failed, fourth.lead_time_median) == (1, 1, Decimal(10_800))
    assert fourth.recovery_median is None


def test_bursts_that_four_keys_calls_daily_are_seen() -> None:
    """Four Keys: "daily" when the median week has 3 days with deployments, as both have here, with 12 in 4 weeks."""
    even = [sheet(week * 7 + day, [deployed(9)]) for week in range(4) for day in (1, 3, 5)]
    days = [(1, 1), (2, 1), (3, 4), *((number, 1) for number in (8, 9, 10, 15, 16, 17))]
    burst = [sheet(number, [deployed(9 + at / 10) for at in range(count)]) for number, count in days]
    one, other = (metrics(some, SHOP, midnight(1), midnight(29), POLICY).frequency for some in (even, burst))
    assert one.per_day.value == other.per_day.value == Decimal("0.428571")
    assert (one.active_days, other.active_days) == (12, 9)
    assert (one.burst, other.burst) == (Decimal("0.25"), Decimal("0.5"))  # the 3 busiest of 28 days: 3 and 6 of 12
    assert (one.longest_gap, other.longest_gap) == (timedelta(days=3), timedelta(days=5))
    assert one.per_day.lower is not None
    assert other.per_day.lower is not None
    assert other.per_day.lower < one.per_day.lower


def test_only_what_lies_in_the_window_counts() -> None:
    sheets = [sheet(1, [deployed(7), deployed(8), deployed(9)], [delivered(8, 60), delivered(9, 90)])]
    found = metrics(sheets, SHOP, midnight(1) + timedelta(hours=8), midnight(1) + timedelta(hours=9), POLICY)
    assert found.frequency.deployments == 1  # at 8:00, not at 9:00
    assert found.lead_time.median == Estimate(Decimal(60), 1)
    assert found.frequency.per_day.value == 24


def test_what_is_not_known_has_no_values() -> None:
    found = metrics([], SHOP, midnight(1), midnight(29), POLICY)
    assert found.frequency.per_day == found.fail_rate == found.rework_rate == NOTHING
    assert found.lead_time.quantiles == {}
    assert found.coverage_from is None
    assert [week.deployments for week in found.weeks] == [0, 0, 0, 0]


def test_a_known_service_that_rests_has_a_frequency_of_zero() -> None:
    coverage = {("shop", "production"): midnight(1) - timedelta(days=40)}
    found = metrics([], SHOP, midnight(1), midnight(29), POLICY, coverage)
    assert found.frequency.per_day.value == 0
    assert found.frequency.per_day.upper is not None
    assert found.fail_rate == NOTHING


def test_days_before_the_first_deployment_that_is_known_are_no_days_without() -> None:
    sheets = [sheet(15, [deployed(8), deployed(9)]), sheet(20, [deployed(8)])]
    coverage = {("shop", "production"): midnight(15) + timedelta(hours=8)}
    found = metrics(sheets, SHOP, midnight(1), midnight(29), POLICY, coverage).frequency
    assert (found.per_day.value, found.days, found.active_days) == (Decimal("0.214286"), 14, 2)  # 3 ÷ 14


def test_a_service_of_yesterday_is_judged_over_a_week() -> None:
    coverage = {("shop", "production"): midnight(28) + timedelta(hours=8)}
    found = metrics([sheet(28, [deployed(8)])], SHOP, midnight(1), midnight(29), POLICY, coverage).frequency
    assert (found.per_day.value, found.days) == (Decimal("0.142857"), 7)
    assert found.per_day.upper is not None


def test_a_run_over_services_is_one_release() -> None:
    sheets = [
        sheet(1, [deployed(8, run=5), deployed(9, run=6), deployed(10)], service="shop"),
        sheet(1, [deployed(8, run=5)], service="cart"),
        sheet(2, [deployed(8, run=5)], service="pay"),
    ]
    found = metrics(sheets, Scope("production"), midnight(1), midnight(8), POLICY).frequency
    assert (found.deployments, found.releases) == (5, 3)


def test_services_teams_and_environments_come_from_one_pass() -> None:
    sheets = [
        sheet(1, [deployed(8)], service="pay"),
        sheet(1, [deployed(8), deployed(10)], service="shop"),
        sheet(2, [deployed(8)], service="cart"),
        sheet(2, [deployed(8)], service="lonely"),
        sheet(2, [deployed(8)], service="shop", environment="staging"),
    ]
    found = for_scopes(sheets, midnight(1), midnight(8), POLICY)
    assert [(one.scope, one.frequency.deployments) for one in found] == [
        (Scope("production", "cart", "buying"), 1),
        (Scope("production", "lonely", ""), 1),
        (Scope("production", "pay", "money"), 1),
        (Scope("production", "shop", "buying"), 2),
        (Scope("staging", "shop", "buying"), 1),
        (Scope("production", team="buying"), 3),
        (Scope("production", team="money"), 1),
        (Scope("staging", team="buying"), 1),
        (Scope("production"), 5),
        (Scope("staging"), 1),
    ]
    team = found[5]
    assert team == metrics(sheets, team.scope, midnight(1), midnight(8), POLICY)
    assert team.frequency.longest_gap == timedelta(hours=22)  # shop 8:00, shop 10:00, cart 8:00 on the next day
    assert found[:5] == for_scopes(reversed(sheets), midnight(1), midnight(8), POLICY, [Level.SERVICE])


def test_days_are_those_of_the_time_zone_also_when_clocks_change() -> None:
    """Berlin, 28 to 30 March 2026; on the 29th clocks go forward, so that day is 23 hours long."""
    start, end = datetime(2026, 3, 27, 23, tzinfo=UTC), datetime(2026, 3, 30, 22, tzinfo=UTC)
    sheets = [
        sheet(26, [deployed(22.9), deployed(23)]),  # Friday, 27 March: the second is on Saturday in Berlin
        sheet(28, [deployed(21.9), deployed(22)]),  # Sunday, 29 March: the second is on Monday
    ]
    found = metrics(sheets, SHOP, start, end, BERLIN)
    assert found.frequency.deployments == 3
    assert (found.frequency.days, found.frequency.active_days) == (3, 3)
    assert found.frequency.per_day.value == 1
    assert [(week.first, week.deployments) for week in found.weeks] == [
        (date(2026, 3, 23), 2),
        (date(2026, 3, 30), 1),
    ]


def test_other_stretches_have_days_of_24_hours_from_their_start() -> None:
    start = midnight(1) + timedelta(hours=6)
    found = metrics([sheet(1, [deployed(7)]), sheet(2, [deployed(5), deployed(7)])], SHOP, start, midnight(3), POLICY)
    assert found.frequency.active_days == found.frequency.days == 2  # 2 March 6:00 … 3 March 6:00 … 4 March
    assert found.frequency.per_day.value == Decimal("1.714286")  # 3 ÷ 1.75 days


def test_a_sheet_that_cannot_be_read_is_named_and_left_out() -> None:
    good, bad = sheet(1, [deployed(8)]), replace(sheet(2, [deployed(8)]), body=b"\x07?")
    columns = load([good, bad], midnight(1), midnight(8), POLICY)
    assert columns.unreadable == (bad.key,)
    assert len(columns.deployed) == 1


def test_days_with_rows_outside_the_window_make_no_scope() -> None:
    assert for_scopes([sheet(1, [deployed(8)])], midnight(1) + timedelta(hours=9), midnight(8), POLICY) == []
