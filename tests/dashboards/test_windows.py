"""Dashboards of calendar windows and of SLOs with exclusions: their own series, and when the budget is full again."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane import conventions as names
from controlplane.model.exclusion import Exclusion
from controlplane.model.slo import CalendarUnit, CalendarWindow
from dashboards.slo_dashboard import DashboardOptions, common_dashboards, slo_dashboard
from tests.dashboards.examples import slo

MONTH = CalendarWindow(1, CalendarUnit.MONTH, "2026-01-01T00:00:00", "Europe/Berlin")
START = datetime(2026, 1, 1, tzinfo=UTC)
UPGRADE = Exclusion("upgrade", "a", "b", START + timedelta(days=1), ((START, START + timedelta(hours=1)),))


def panels(text: str) -> dict[str, Any]:
    return {panel["title"]: panel for panel in json.loads(text)["panels"]}


def test_a_calendar_month_is_shown_by_its_own_series_and_says_when_it_is_full_again() -> None:
    found = panels(slo_dashboard(replace(slo(), window=MONTH), DashboardOptions()).json_text)
    assert names.WINDOW_END in found["Full again in"]["targets"][0]["expr"]
    assert names.total_events("1M") in found["Good events, this month"]["targets"][0]["expr"]
    assert found["Budget left over the window"]["timeFrom"] == "30d"
    assert "Left, nothing excluded" not in found
    assert "30d" not in json.dumps([panel["targets"] for panel in found.values()])


def test_the_end_of_a_period_is_the_same_for_every_group() -> None:
    grouped = replace(slo(), window=MONTH, groups=("tenant",))
    found = panels(slo_dashboard(grouped, DashboardOptions()).json_text)
    assert "$tenant" in found["Budget left over the window"]["targets"][0]["expr"]
    assert "$tenant" not in found["Full again in"]["targets"][0]["expr"]


def test_a_rolling_window_has_no_end_and_exclusions_show_both_budgets() -> None:
    found = panels(slo_dashboard(replace(slo(), exclusions=(UPGRADE,)), DashboardOptions()).json_text)
    assert "Full again in" not in found
    assert names.RAW_BUDGET_REMAINING in found["Left, nothing excluded"]["targets"][0]["expr"]


def test_days_of_the_calendar_and_rolling_days_share_no_dashboard() -> None:
    day = replace(slo(), name="day", window=CalendarWindow(30, CalendarUnit.DAY, MONTH.start, "UTC"))
    files = common_dashboards([slo(), day], DashboardOptions(shared_above=1))
    assert {file.name for file in files} == {"slos.json", "slo-shared-30d.json", "slo-shared-calendar-30d.json"}
    assert len({json.loads(file.json_text)["uid"] for file in files}) == 3
