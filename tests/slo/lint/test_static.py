"""Static rules: what each says, and what it leaves alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controlplane.model.alerting import STANDARD_ALERTING, AlertText
from controlplane.model.exclusion import Exclusion
from controlplane.model.slo import SLO, CalendarUnit, CalendarWindow, RatioIndicator
from slo.lint import Surroundings, static_findings
from tests.slo.slos import POSITION, an_slo, latency, query, requests

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OWNED: dict[str, Any] = {"owner": "team-shop", "runbook_url": "https://runbooks.example/a"}
ANY = RatioIndicator(query("x_total"), query('x_total{code="5"}'), None)


FAR = replace(STANDARD_ALERTING.tiers[0], long=timedelta(days=60))


def said(slo: SLO, surroundings: Surroundings | None = None) -> list[str]:
    found = static_findings([slo], surroundings or Surroundings(NOW))
    assert all(finding.position == POSITION for finding in found)
    return [f"{finding.rule.name}: {finding.message}" for finding in found]


def slo(objective: str = "0.999", days: float = 30, indicator: Any = None, **fields: Any) -> SLO:
    return an_slo("a", indicator or requests("shop"), objective, days, **{**OWNED, **fields})


def exclusion(days: int) -> Exclusion:
    return Exclusion("night", "team-shop", "backup", NOW + timedelta(days=days), ())


def nights(hours: int) -> Exclusion:
    """Ten nights of so many hours."""
    step = timedelta(days=1)
    intervals = tuple((NOW + n * step, NOW + n * step + timedelta(hours=hours)) for n in range(10))
    return Exclusion("night", "team-shop", "backup", NOW + 10 * step, intervals, "FREQ=DAILY")


def ratio(bad: str, total: str) -> RatioIndicator:
    return RatioIndicator(query(total), query(bad), None)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (slo(), []),
        (slo(indicator=latency("shop")), []),
        (slo(owner=""), ["missing-owner: nobody owns this SLO"]),
        (slo(owner="", labels=(("team", "shop"),)), []),
        (slo(runbook_url=""), ["missing-runbook: its alerts link to no runbook"]),
        (
            slo(
                runbook_url="",
                alerting=replace(STANDARD_ALERTING, page=AlertText(annotations=(("runbook", "https://x"),))),
            ),
            [],
        ),
        (slo("0.9"), ["alert-unreachable: these alerts can never fire: page at 14.4×"]),
        (slo("0.94"), []),
        (
            slo(alerting=replace(STANDARD_ALERTING, tiers=(*STANDARD_ALERTING.tiers, FAR))),
            ["alert-unreachable: these alerts are left out, because they look back further than 30d: page over 60d"],
        ),
        (slo(alerting=replace(STANDARD_ALERTING, tiers=())), ["no-alerts: it has no alerts"]),
        (
            slo("0.4"),
            [
                "alert-unreachable: these alerts can never fire: page at 14.4×, page at 6×, ticket at 3×",
                "suspicious-objective: an objective of 40 % lets most events be bad",
            ],
        ),
        (
            slo("0.999999"),
            ["suspicious-objective: an objective of 99.9999 % leaves 2.6 seconds of outage in 30d"],
        ),
        (slo("0.99999"), []),
        (slo(days=10), ["odd-window: 10d are no whole number of weeks: now more weekends, now fewer"]),
        (slo(days=14), []),
        (slo(days=1), []),
        (slo(days=0.25), ["odd-window: in 6h the budget mostly tells the time of day"]),
        (slo(days=400), ["odd-window: in 400d nobody remembers what spent the budget"]),
        (replace(slo(), window=CalendarWindow(10, CalendarUnit.DAY, "2026-01-01T00:00:00", "UTC")), []),
        (slo(indicator=ANY), ["any-service: `x_total` is counted for every service that has it"]),
        (slo(indicator=ANY, groups=("service",)), []),
        (slo(exclusions=(exclusion(-1),)), ["expired-exclusion: the exclusion `night` expired on 2026-05-31"]),
        (slo(exclusions=(exclusion(1),)), []),
        (slo(exclusions=(nights(4),)), []),
        (
            slo(exclusions=(nights(18),)),
            ["always-excluded: the exclusion `night` takes out 75% of the time until it expires"],
        ),
        (
            slo(indicator=ratio('x{job="a",code="5.."}', 'x{job="a"}')),
            ['pattern-as-text: `code="5.."` looks like a regular expression, and is a text'],
        ),
        (slo(indicator=ratio('x{job="a",route="/v1.2/[id]",code=~"5.."}', 'x{job="a"}')), []),
        (
            slo(indicator=ratio('x_bucket{job="a",le="1"}', 'x_count{job="b"}')),
            ['not-among-total: `job="a"` is not among all events, which have job="b"'],
        ),
        (slo(indicator=ratio('errors{job="a"}', 'requests{job="b"}')), []),
    ],
)
def test_each_rule_tells_what_it_is_about_and_nothing_else(case: SLO, expected: list[str]) -> None:
    assert said(case) == expected


def test_runbooks_of_the_workspace_count() -> None:
    assert said(slo(runbook_url=""), Surroundings(NOW, has_runbooks=True)) == []


def test_a_short_window_without_alerts_says_why() -> None:
    assert "no-alerts: no alert is left: all look back further than 1h" in said(
        slo(days=1 / 24, alerting=replace(STANDARD_ALERTING, tiers=STANDARD_ALERTING.tiers[1:]))
    )
