"""The rules of unit costs under promtool: they load, they say what they should, and they do not flap."""

import subprocess
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from controlplane.rulefile import to_yaml
from exporters.unit_cost.model import NoUnitsAlert, TargetAlert, UnitCost, Units
from exporters.unit_cost.rules import rule_files
from tests.exporters.unit_cost.unit_costs import a_unit_cost

CALLS = Units(
    "GraphQL calls", query='sum by (route) (increase(http_requests_total{job="graphql-gateway"}[{{.window}}]))'
)

QUICK = TargetAlert(long=timedelta(hours=2), short=timedelta(minutes=30), least_excess=Decimal(0))
ENTRIES = "count_over_time(unit_cost:units:ledger5m[1d])"  # groups of one moment run in any order: one more or less


def promtool_test(
    promtool: str,
    folder: Path,
    unit_cost: UnitCost,
    series: Mapping[str, str],
    expected: Sequence[Mapping[str, object]],
) -> None:
    """Expectations in promtool's form, with an evaluation every 5 minutes: the ledger's interval."""
    (file,) = rule_files([unit_cost], "https://flyball.example")
    (folder / file.name).write_text(to_yaml(file))
    test = {
        "rule_files": [file.name],
        "evaluation_interval": "5m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [each for each in expected if "expr" in each],
                "alert_rule_test": [each for each in expected if "alertname" in each],
            }
        ],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def spend(connector: str, currency: str = "USD") -> str:
    return f'cost:spend:rolling5m{{service="ingest",connector="{connector}",currency="{currency}",price="pods"}}'


def events(connector: str) -> str:
    return f'ingest_events_total{{job="ingest",connector="{connector}",pod="a"}}'


def value(at: str, expr: str, **by_connector: float) -> dict[str, object]:
    samples = [{"labels": f'{{connector="{name}"}}', "value": each} for name, each in by_connector.items()]
    return {"expr": f"sum by (connector) ({expr})", "eval_time": at, "exp_samples": samples}


def firing(at: str, *connectors: str, alert: str = "UnitCostAboveTarget") -> dict[str, object]:
    return value(at, f'ALERTS{{alertname="{alert}",alertstate="firing"}}', **dict.fromkeys(connectors, 1))


@pytest.mark.parametrize(
    "unit_cost",
    [
        a_unit_cost(),
        a_unit_cost(by=(), target=None, windows=()),
        a_unit_cost(spread=Units("seconds", counter='seconds_sum{job="ingest"}')),
        a_unit_cost(units=CALLS, by=("route",), per=Decimal(1_000_000), target=Decimal(2), no_units=NoUnitsAlert()),
        a_unit_cost(
            display_name='{{ $labels.x }} "', scope=(("service", ("a.b", "c|d", 'say "x" \\')), ("tenant", ("",))),
            labels=(("team", "{{ boom"),), runbook_url="https://r.example/{{", by=("tenant", "connector"),
        ),
    ],
    ids=["counter", "only measured", "spread", "query", "odd texts"],
)  # fmt: skip
def test_rules_load(promtool: str, tmp_path: Path, unit_cost: UnitCost) -> None:
    (file,) = rule_files([unit_cost], "https://flyball.example/")
    (tmp_path / file.name).write_text(to_yaml(file))
    done = subprocess.run([promtool, "check", "rules", file.name], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_money_is_divided_by_the_units_of_the_same_minutes(promtool: str, tmp_path: Path) -> None:
    """600 events and 0.012 USD a minute are 0.02 USD for 1,000. Kafka's counter stands still, S3's is not there."""
    series = {
        events("jdbc"): "0+600x1500", spend("jdbc"): "0.06x1500", spend("jdbc", "EUR"): "7x1500",
        events("kafka"): "5x1500", spend("kafka"): "0.03x1500",
        spend("s3"): "0.02x1500",
    }  # fmt: skip
    expected = [
        value("1d", 'unit_cost:ratio:1h{currency="USD"}', jdbc=0.02),
        value("1d", 'unit_cost:ratio{currency="USD"}', jdbc=0.02),
        value("1d", "unit_cost:ratio:30d", jdbc=0.02),
        value("1d", f"round(unit_cost:excess / on (connector) {ENTRIES}, 0.0001)", jdbc=-0.24, kafka=0.03),
        value("1d", "round(sum_over_time(unit_cost:unpaired_spend:ledger5m[1h]), 0.0001)", s3=0.26),
        {"expr": "unit_cost:target", "eval_time": "1d", "exp_samples": [
            {"labels": 'unit_cost:target{unit_cost="ingest",currency="USD"}', "value": 0.1}]},
    ]  # fmt: skip
    promtool_test(promtool, tmp_path, a_unit_cost(), series, expected)


def test_minutes_in_which_one_side_is_missing_count_for_neither(promtool: str, tmp_path: Path) -> None:
    """The cost exporter is silent for 3 hours, then the counter for 3: the unit cost stays what it is."""
    series = {
        events("jdbc"): "0+600x599 _x180 468000+600x721",
        spend("jdbc"): "0.06x299 _x180 0.06x1021",
    }
    expected = [
        value("1d", "round(unit_cost:ratio:1d, 0.000001)", jdbc=0.02),
        value("1d", "round(unit_cost:window_coverage:1d, 0.05)", jdbc=0.75),
        value("435m", "unit_cost:ratio:1h"),
        # 36 entries of 0.06, more or less one at either end: groups of one moment run in any order
        value("1d", "sum_over_time(unit_cost:unpaired_spend:ledger5m[1d]) > bool 2", jdbc=1),
        value("1d", "sum_over_time(unit_cost:unpaired_spend:ledger5m[1d]) < bool 2.5", jdbc=1),
    ]
    promtool_test(promtool, tmp_path, a_unit_cost(), series, expected)


def test_the_alert_waits_for_both_windows(promtool: str, tmp_path: Path) -> None:
    """The last half hour is above the target long before the last two hours are, and below it long before that."""
    series = {events("jdbc"): "0+600x600", spend("jdbc"): "0.06x180 0.6x120 0.06x200"}  # 0.02 USD for 1,000, or 0.2
    expected = [firing("205m"), firing("290m", "jdbc"), firing("345m")]
    promtool_test(promtool, tmp_path, a_unit_cost(alert=QUICK), series, expected)


def test_the_alert_says_what_happened_what_it_means_and_what_to_do(promtool: str, tmp_path: Path) -> None:
    expected = {"alertname": "UnitCostAboveTarget", "eval_time": "36h", "exp_alerts": [{
        "exp_labels": {"severity": "ticket", "service": "ingest", "unit_cost": "ingest", "currency": "USD",
                       "connector": "jdbc"},
        "exp_annotations": {
            "summary": "ingest, connector=jdbc: 0.12 USD for 1,000 ingested events in the last day; "
                       "the target is 0.1 USD",
            "description": "In the last hour: 0.12 USD. The last day cost 17.34 USD more than the target allows for "
                           "what was done. Either it became dearer (price, size, idle replicas), or there was less "
                           "to do for the same money.",
            "explain": "flyball cost unit ingest --since 7d",
            "runbook_url": "https://flyball.example/money/unit-costs/ingest#runbook",
            "dashboard_url": "https://flyball.example/money/unit-costs/ingest",
        },
    }]}  # fmt: skip
    series = {events("jdbc"): "0+600x3000", spend("jdbc"): "0.36x3000"}
    promtool_test(promtool, tmp_path, a_unit_cost(), series, [expected])


def test_an_alert_that_fires_goes_on_until_the_cost_is_clearly_below_the_target(promtool: str, tmp_path: Path) -> None:
    """Above the target, then at 97 % of it for hours (no flapping), then at 90 %: over."""
    unit_cost = a_unit_cost(alert=QUICK)
    series = {events("jdbc"): "0+600x700", spend("jdbc"): "0.36x180 0.291x300 0.27x180"}
    expected = [
        firing("150m", "jdbc"), firing("4h", "jdbc"), firing("6h", "jdbc"), firing("475m", "jdbc"), firing("10h"),
    ]  # fmt: skip
    promtool_test(promtool, tmp_path, unit_cost, series, expected)
    never = {**series, spend("jdbc"): "0.291x500"}
    promtool_test(promtool, tmp_path, unit_cost, never, [firing("3h"), firing("6h"), firing("8h")])


def test_nobody_is_told_of_an_excess_of_a_few_cents(promtool: str, tmp_path: Path) -> None:
    """One event a minute for 0.001 USD: ten times the target, and 1.30 USD a day."""
    series = {events("jdbc"): "0+1x3000", spend("jdbc"): "0.005x3000"}
    promtool_test(promtool, tmp_path, a_unit_cost(), series, [firing("17h"), firing("40h", "jdbc")])
    patient = a_unit_cost(alert=TargetAlert(least_excess=Decimal(2)))
    promtool_test(promtool, tmp_path, patient, series, [firing("40h")])


def test_spend_without_units_is_told_where_somebody_asked_for_it(promtool: str, tmp_path: Path) -> None:
    series = {
        events("idle"): "5x600", spend("idle"): "0.5x600",
        spend("uncounted"): "0.5x600",
        events("busy"): "0+600x600", spend("busy"): "0.5x600",
        events("cheap"): "5x600", spend("cheap"): "0.01x600",
    }  # fmt: skip
    told = [firing("5h", "idle", "uncounted", alert="SpendWithoutUnits")]
    promtool_test(promtool, tmp_path, a_unit_cost(no_units=NoUnitsAlert()), series, told)
    promtool_test(promtool, tmp_path, a_unit_cost(), series, [firing("5h", alert="SpendWithoutUnits")])


def test_a_unit_cost_without_a_split_has_one_value(promtool: str, tmp_path: Path) -> None:
    series = {
        events("jdbc"): "0+600x1500", events("kafka"): "0+600x1500", spend("jdbc"): "0.06x1500",
        spend("kafka"): "0.06x1500",
    }  # fmt: skip
    expected = [
        {"expr": "unit_cost:ratio", "eval_time": "1d", "exp_samples": [
            {"labels": 'unit_cost:ratio{unit_cost="ingest",currency="USD"}', "value": 0.02}]},
    ]  # fmt: skip
    promtool_test(promtool, tmp_path, a_unit_cost(by=()), series, expected)


def test_money_of_nobody_is_spread_by_a_key(promtool: str, tmp_path: Path) -> None:
    """0.04 USD of the pods by seconds 3:1, beside 0.01 of jdbc's own; seconds of nobody get nothing."""
    unit_cost = a_unit_cost(spread=Units("seconds", counter="seconds_sum"))
    series = {
        events("jdbc"): "0+600x1500", events("kafka"): "0+200x1500",
        'seconds_sum{connector="jdbc"}': "0+30x1500", 'seconds_sum{connector="kafka"}': "0+10x1500",
        "seconds_sum{}": "0+500x1500",
        spend("jdbc"): "0.05x1500", spend(""): "0.2x1500",
    }  # fmt: skip
    expected = [
        value("1d", "round(unit_cost:ratio, 0.0000001)", jdbc=0.0666667, kafka=0.05),
        value("1d", "unit_cost:unpaired_spend:ledger5m"),
    ]
    promtool_test(promtool, tmp_path, unit_cost, series, expected)


def test_while_there_are_no_weights_nobody_looks_cheaper(promtool: str, tmp_path: Path) -> None:
    unit_cost = a_unit_cost(spread=Units("seconds", counter="seconds_sum"))
    series = {
        events("jdbc"): "0+600x1500", 'seconds_sum{connector="jdbc"}': "0+30x700",
        spend("jdbc"): "0.05x1500", spend(""): "0.25x1500",
    }  # fmt: skip
    expected = [
        value("1d", "round(unit_cost:ratio, 0.0001)", jdbc=0.1),
        value("1d", "unit_cost:ratio:1h"),
        {"expr": "round(sum(unit_cost:unpaired_spend:ledger5m), 0.0001)", "eval_time": "1d", "exp_samples": [
            {"labels": "{}", "value": 0.3}]},
    ]  # fmt: skip
    promtool_test(promtool, tmp_path, unit_cost, series, expected)
