"""Budgets' rules in `promtool test rules`: which alerts fire, with which labels and words."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from controlplane import conventions as names
from controlplane.calendar.tables import calendar_name
from controlplane.model.alerting import Tier, Urgency
from controlplane.model.budget import Budget, Spike
from controlplane.model.rule import AlertingRule, RecordingRule, RuleFile
from controlplane.model.slo import CalendarUnit, CalendarWindow
from controlplane.rulefile import to_yaml
from finops.budgets.pace_rules import CALENDARS_OF
from finops.budgets.rules import rule_files
from tests.finops.budgets.reading import BERLIN_MONTH, THIRTY_DAYS, a_budget, found

TOKENS = 'cost:spend:rolling5m{currency="USD",resource="token",service="assistant",model="gpt-4o",tenant="alpha"}'
LLM = a_budget(
    display_name="LLM", owner="finops", runbook_url="https://runbooks.example/llm",
    scope=(("resource", ("token",)),), labels=(("team", "ml"),),
)  # fmt: skip


def outcome(
    promtool: str,
    folder: Path,
    budgets: Sequence[Budget],
    series: Mapping[str, str],
    expectations: Mapping[str, object],
    interval: str = "1m",
) -> str:
    """What promtool says of expectations in its own form; empty when all hold."""
    files = [_with_nominal_calendars(file, budgets) for file in rule_files(budgets, "https://flyball.example")]
    for file in files:
        (folder / file.name).write_text(to_yaml(file))
    test = {
        "rule_files": [file.name for file in files],
        "evaluation_interval": interval,
        "group_eval_order": [group.name for file in files for group in file.groups],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                **expectations,
            }
        ],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _with_nominal_calendars(file: RuleFile, budgets: Sequence[Budget]) -> RuleFile:
    """Time begins in 1970, where periods have their nominal length: no need to look them up in long tables."""
    groups = []
    for group in file.groups:
        windows = {budget.window for budget in budgets if isinstance(budget.window, CalendarWindow)}
        rules = tuple(rule for window in windows for rule in _nominal(window))
        groups.append(replace(group, rules=rules) if group.name == "budgets:calendars" else group)
    return replace(file, groups=tuple(groups))


def _nominal(window: CalendarWindow) -> Iterator[RecordingRule]:
    length = int(window.length.total_seconds())
    for ahead, name in enumerate((names.CALENDAR_START, names.CALENDAR_END, names.CALENDAR_NEXT_END)):
        expr = f"vector(time() - time() % {length} + {ahead * length})"
        yield RecordingRule(name, expr, ((names.CALENDAR, calendar_name(window, CALENDARS_OF)),))


def value(at: str, expr: str, *samples: tuple[str, float]) -> dict[str, object]:
    """An expectation of values."""
    return {
        "expr": expr,
        "eval_time": at,
        "exp_samples": [{"labels": labels, "value": each} for labels, each in samples],
    }


def firing(at: str, *alerts: str) -> dict[str, object]:
    """Exactly these alerts fire, each as `name severity threshold`."""
    expr = 'max by (alertname, severity, threshold) (ALERTS{alertstate="firing"})'
    samples = []
    for alert in alerts:
        name, severity, *threshold = alert.split(" ", 2)
        label = f', threshold="{threshold[0]}"' if threshold else ""
        samples.append((f'{{alertname="{name}", severity="{severity}"{label}}}', 1.0))
    return value(at, expr, *samples)


DAY = CalendarWindow(1, CalendarUnit.DAY, "2024-01-01T00:00:00", "UTC")
BURNING = {TOKENS: "0.5x60 40x60"}


def test_what_a_page_says(promtool: str, tmp_path: Path) -> None:
    alert = {
        "alertname": names.ALERT_BUDGET_BURN,
        "eval_time": "75m",
        "exp_alerts": [
            {
                "exp_labels": {
                    "budget": "llm", "currency": "USD", "severity": "page", "team": "ml",
                },
                "exp_annotations": {
                    "summary": "LLM: money goes 69.1 times as fast as planned",
                    "description": "LLM spent 2.81 % of its January budget of 5,000 USD in the last hour."
                    " At this rate it is gone in 1d 7h 59m 31s.",
                    "worst": "model=gpt-4o service=assistant tenant=alpha 124.60 USD; ",
                    "explain": "flyball cost explain --from 1969-12-31 --to 1970-01-02 --where resource=token",
                    "runbook_url": "https://runbooks.example/llm",
                    "dashboard_url": "https://flyball.example/money/llm",
                },
            }
        ],
    }  # fmt: skip
    assert outcome(promtool, tmp_path, [LLM], BURNING, {"alert_rule_test": [alert]}) == ""


def test_a_page_comes_at_two_percent_of_the_amount_and_mutes_the_spike(promtool: str, tmp_path: Path) -> None:
    spent = [value("75m", "round(budget:spend:sum1h, 0.1)", ('{budget="llm", currency="USD"}', 140.3))]
    told = [firing("60m"), firing("65m", "SpendSpike ticket"), firing("80m", "BudgetBurn page")]
    assert outcome(promtool, tmp_path, [LLM], BURNING, {"promql_expr_test": [*spent, *told]}) == ""


def test_money_that_keeps_to_the_pace_is_never_told(promtool: str, tmp_path: Path) -> None:
    even = 5000 / 30 / 24 / 12
    steady = {TOKENS: f"{0.79 * even}x620"}
    told = [firing(at) for at in ("30m", "5h", "10h")]
    assert outcome(promtool, tmp_path, [LLM], steady, {"promql_expr_test": told}, "5m") == ""


def test_currencies_are_never_added(promtool: str, tmp_path: Path) -> None:
    series = {TOKENS: "1x120", TOKENS.replace("USD", "EUR"): "2x120", TOKENS.replace("USD", "GBP"): "0x120"}
    checks = [
        value("60m", "budget:spend:rolling5m", ('budget:spend:rolling5m{budget="llm", currency="USD"}', 1)),
        value(
            "60m", "budget:other_currency:rolling5m",
            ('budget:other_currency:rolling5m{budget="llm", currency="EUR"}', 2),
            ('budget:other_currency:rolling5m{budget="llm", currency="GBP"}', 0),
        ),
        value(
            "60m", 'ALERTS{alertname="SpendInOtherCurrency",alertstate="firing"}',
            (
                'ALERTS{alertname="SpendInOtherCurrency", alertstate="firing", budget="llm", currency="EUR",'
                ' severity="ticket", team="ml"}', 1,
            ),
        ),
    ]  # fmt: skip
    assert outcome(promtool, tmp_path, [LLM], series, {"promql_expr_test": checks}) == ""


def test_spend_in_another_currency_that_another_budget_counts_is_not_told(promtool: str, tmp_path: Path) -> None:
    """A budget of the same or a wider scope; one of a narrower scope leaves some of it uncounted."""
    series = {TOKENS: "1x120", TOKENS.replace("USD", "EUR"): "2x120", TOKENS.replace("USD", "GBP"): "3x120"}
    everything = a_budget("all-eur", currency="EUR")
    part = a_budget("part-gbp", currency="GBP", scope=(("resource", ("token",)), ("tenant", ("one",))))
    expr = 'count by (budget, currency) (ALERTS{alertname="SpendInOtherCurrency",alertstate="firing",budget="llm"})'
    checks = [value("60m", expr, ('{budget="llm", currency="GBP"}', 1))]
    assert outcome(promtool, tmp_path, [LLM, everything, part], series, {"promql_expr_test": checks}) == ""


def test_a_job_of_three_minutes_costs_three_minutes(promtool: str, tmp_path: Path) -> None:
    """At 0.2 a minute, twice. promtool evaluates the ledger every minute, so that its entries count five times."""
    job = "0.2 0.4 0.6 0.6 0.6 0.4 0.2 stale _x52"
    budgets = [a_budget("missing"), a_budget("zero", absent_is_zero=True)]
    spent = [('{budget="missing", currency="USD"}', 1.2), ('{budget="zero", currency="USD"}', 1.2)]
    checks = [value("178m", "round(sum_over_time(budget:spend:ledger5m[3h]) / 5, 0.001)", *spent)]
    assert outcome(promtool, tmp_path, budgets, {TOKENS: f"_x60 {job} {job}"}, {"promql_expr_test": checks}) == ""


def test_absence_is_missing_unless_it_is_said_to_be_zero(promtool: str, tmp_path: Path) -> None:
    scope = (("tenant", ("nobody",)),)
    budgets = [a_budget("missing", scope=scope), a_budget("zero", scope=scope, absent_is_zero=True)]
    checks = [
        value("9m", "budget:spend:rolling5m", ('budget:spend:rolling5m{budget="zero", currency="USD"}', 0)),
        firing("9m"),
        firing("11m", "CostDataStale ticket"),
        value("11m", 'count by (budget) (ALERTS{alertstate="firing"})', ('{budget="missing"}', 1)),
        # Nothing at all is measured after the first half hour: that is no zero either.
        value(
            "55m", 'count by (budget) (ALERTS{alertstate="firing"})', ('{budget="missing"}', 1), ('{budget="zero"}', 1)
        ),
    ]
    assert outcome(promtool, tmp_path, budgets, {TOKENS: "1x30 _x60"}, {"promql_expr_test": checks}) == ""


def test_a_fresh_forecast_is_believed_and_a_stale_one_is_not(promtool: str, tmp_path: Path) -> None:
    """The forecast is made once, in hour 4 of a day; 7 hours later only straight pacing is left."""
    even = 5000 / 24 / 12
    series = {TOKENS: f"{0.85 * even}x700"}
    for bound, money in (("low", 4300), ("middle", 4600), ("high", 5100)):
        series[f'flyball_budget_forecast{{budget="llm",currency="USD",bound="{bound}"}}'] = f"_x240 {money}x500"
    series['flyball_budget_forecast_timestamp_seconds{budget="llm",currency="USD"}'] = f"_x240 {4 * 3600}x500"
    ratio = "round(budget:forecast:ratio, 0.01)"
    checks = [
        value("2h", ratio),
        value("5h", ratio, ('{budget="llm", currency="USD", basis="forecast"}', 0.92)),
        firing("5h", "BudgetForecast ticket 90 %"),
        value("11h", ratio, ('{budget="llm", currency="USD", basis="pace"}', 0.86)),
        firing("11h", "BudgetForecast ticket 80 %", "BudgetForecastStale ticket"),
    ]
    told = {
        "alertname": names.ALERT_BUDGET_FORECAST,
        "eval_time": "5h",
        "exp_alerts": [
            {
                "exp_labels": {
                    "budget": "llm", "currency": "USD", "severity": "ticket", "team": "ml", "threshold": "90 %",
                    "basis": "forecast",
                },
                "exp_annotations": {
                    "summary": "LLM is going to spend 90 % of this day's budget of 5,000 USD",
                    "description": "LLM is going to spend 92 % of this day's budget of 5,000 USD."
                    " The forecast's 80 % interval is 86 % to 102 %.",
                    "worst": "model=gpt-4o service=assistant tenant=alpha 180.03 USD; ",
                    "explain": "flyball cost explain --from 1969-12-31 --to 1970-01-02 --where resource=token",
                    "runbook_url": "https://runbooks.example/llm",
                    "dashboard_url": "https://flyball.example/money/llm",
                },
            }
        ],
    }  # fmt: skip
    expectations = {"promql_expr_test": checks, "alert_rule_test": [told]}
    assert (
        outcome(promtool, tmp_path, [replace(LLM, spike=None, window=DAY, tiers=())], series, expectations, "5m") == ""
    )


def test_a_forecast_of_the_window_before_is_no_forecast_of_this_one(promtool: str, tmp_path: Path) -> None:
    day = 24 * 60
    made = 86400 - 600
    series = {
        TOKENS: f"1x{day + 300}",
        'flyball_budget_forecast{budget="llm",currency="USD",bound="middle"}': f"_x{day - 10} 4900x300",
        'flyball_budget_forecast_timestamp_seconds{budget="llm",currency="USD"}': f"_x{day - 10} {made}x300",
    }
    budget = replace(LLM, spike=None, window=DAY, tiers=())
    checks = [firing("1435m", "BudgetForecast ticket 90 %"), firing("1450m")]
    assert outcome(promtool, tmp_path, [budget], series, {"promql_expr_test": checks}, "5m") == ""


def test_all_of_the_amount_is_told_even_if_nobody_asked(promtool: str, tmp_path: Path) -> None:
    budget = a_budget("small", "10", window=THIRTY_DAYS, actual=(), forecast=(), tiers=(), spike=None)
    series = {TOKENS: "0.5x300"}
    told = [firing("90m"), firing("105m", "BudgetSpent ticket 100 %")]
    assert outcome(promtool, tmp_path, [budget], series, {"promql_expr_test": told}, "5m") == ""


def test_tiers_that_must_last_differently_are_rules_of_their_own() -> None:
    fast = Tier(Urgency.PAGE, Decimal("0.02"), timedelta(minutes=5), timedelta(hours=1), (timedelta(hours=1),))
    slow = replace(fast, long=timedelta(hours=2), hold=timedelta(minutes=10))
    budget = a_budget(tiers=(fast, slow))
    pages = [
        rule
        for file in rule_files([budget])
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, AlertingRule) and rule.alert == names.ALERT_BUDGET_BURN
    ]
    assert [(rule.hold, dict(rule.labels)["tier"]) for rule in pages] == [
        (timedelta(0), "page-1h"),
        (timedelta(minutes=10), "page-2h"),
    ]


QUOTED = a_budget(
    "quoted", "0.1", window=BERLIN_MONTH, display_name='{{ "a" }} `b` "c"', spike=Spike(floor_per_hour=Decimal("0.5")),
    scope=(("service", ('a"b\\c',)), ("tenant", ("x.y", "z|w"))), labels=(("note", "{{ $value }}"),),
)  # fmt: skip


@pytest.mark.parametrize("budgets", [[LLM], [QUOTED], [LLM, QUOTED, a_budget("week", window=THIRTY_DAYS)]])
def test_promtool_accepts_the_files_with_every_lint(promtool: str, tmp_path: Path, budgets: list[Budget]) -> None:
    files = rule_files(budgets, "https://flyball.example")
    for file in files:
        (tmp_path / file.name).write_text(to_yaml(file))
    command = [promtool, "check", "rules", "--lint=all", "--lint-fatal", *(file.name for file in files)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_budgets_give_the_same_files_in_whatever_order() -> None:
    assert rule_files([LLM, QUOTED]) == rule_files([QUOTED, LLM])
    assert rule_files([]) == ()


def test_amounts_stand_in_the_rules_as_they_were_written() -> None:
    amount = "12345678901.23"
    (file,) = rule_files([a_budget("exact", amount)])[1:]
    text = to_yaml(file)
    assert f"vector({amount})" in text
    assert f"{amount} * max without (pace)" in text
    assert str(Decimal(amount) * Decimal("0.02")) in text
    assert "e+" not in text.replace("the", "")


EXAMPLE = Path(__file__).parents[3] / "examples" / "intelgraph" / "money" / "budgets.yaml"


def test_the_reference_budgets_compile_clean(promtool: str, tmp_path: Path) -> None:
    budgets, problems = found(EXAMPLE.read_text())
    assert problems == ()
    amounts = {budget.name: (budget.amount, budget.currency, budget.actual) for budget in budgets.values}
    thresholds = (Decimal("0.8"), Decimal("0.9"))
    assert amounts["infrastructure"] == (Decimal(18000), "USD", thresholds)
    assert amounts["llm"] == (Decimal(5000), "USD", thresholds)
    for file in rule_files(budgets.values):
        (tmp_path / file.name).write_text(to_yaml(file))
    names_of = sorted(path.name for path in tmp_path.iterdir())
    command = [promtool, "check", "rules", "--lint=all", "--lint-fatal", *names_of]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run(["vmalert", f"-rule={tmp_path}/*.yaml", "-dryRun"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
