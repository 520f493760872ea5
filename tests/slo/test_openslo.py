"""What OpenSLO files of every version mean: slices, thresholds, composites, data sources, older and newer shapes."""

import subprocess
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.model.slo import (
    CalendarUnit,
    CalendarWindow,
    Combination,
    Comparison,
    CompositeIndicator,
    LatencyIndicator,
    RatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from controlplane.rulefile import to_yaml
from slo.compiler import compile_rules
from slo.resolve import Resolved
from tests.slo.openslo_refusals import slo, slo_v2
from tests.slo.reading import resolved, told

MINUTE = timedelta(minutes=1)
GAUGE = "  indicator: {spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: queue}}}}}"
METRIC = "{metricSource: {type: Prometheus, spec: {query: %s}}}"


def ratio(name: str, bad: str) -> str:
    return (
        f"{{metadata: {{name: {name}}}, spec: {{ratioMetric: {{counter: true, bad: {METRIC % bad},"
        f" total: {METRIC % 'all_total'}}}}}}}"
    )


def sli(name: str, bad: str) -> str:
    return f"apiVersion: openslo/v1\nkind: SLI\n{ratio(name, bad)[1:-1].replace('}, spec', '}' + chr(10) + 'spec')}\n"


@pytest.mark.parametrize(("window", "length"), [("1m", MINUTE), ("5", 5 * MINUTE), ("2h", timedelta(hours=2))])
def test_slices_have_a_target_and_a_length_which_may_be_a_number_of_minutes(window: str, length: timedelta) -> None:
    objectives = f"  objectives: [{{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: {window}}}]"
    found = resolved(slo(method="  budgetingMethod: Timeslices", objectives=objectives))
    assert not told(found)
    (indicator,) = (each.indicator for each in found.slos)
    assert isinstance(indicator, TimeslicesIndicator)
    assert (indicator.length, indicator.target) == (length, Decimal("0.95"))
    assert isinstance(indicator.of, RatioIndicator)


def test_ratios_of_slices_have_a_length_alone() -> None:
    objectives = "  objectives: [{target: 0.99, timeSliceWindow: 10m}]"
    (found,) = resolved(slo(method="  budgetingMethod: RatioTimeslices", objectives=objectives)).slos
    assert isinstance(found.indicator, TimeslicesIndicator)
    assert (found.indicator.length, found.indicator.target) == (10 * MINUTE, None)


@pytest.mark.parametrize(
    ("op", "comparison"),
    [("lte", Comparison.AT_MOST), ("gte", Comparison.AT_LEAST), ("lt", Comparison.BELOW), ("gt", Comparison.ABOVE)],
)
def test_a_threshold_is_compared_as_its_objective_says(op: str, comparison: Comparison) -> None:
    objectives = f"  objectives: [{{target: 0.99, op: {op}, value: 2.50}}]"
    found = resolved(slo(indicator=GAUGE, objectives=objectives))
    assert not told(found)
    (indicator,) = (each.indicator for each in found.slos)
    assert isinstance(indicator, ThresholdIndicator)
    assert (indicator.good_while, indicator.threshold) == (comparison, Decimal("2.50"))


def test_several_objectives_of_a_threshold_are_several_slos_with_names_of_their_own() -> None:
    objectives = (
        "  objectives: [{target: 0.99, op: lt, value: 5}, {target: 0.99, op: lt, value: 10.5},"
        " {target: 0.9, op: lt, value: 5}]"
    )
    found = resolved(slo(indicator=GAUGE, objectives=objectives))
    assert [each.name for each in found.slos] == ["checkout-90", "checkout-99", "checkout-99-lt-10-5"]


def test_objectives_with_indicators_of_their_own_are_one_composite() -> None:
    objectives = f"""\
  objectives:
  - {{displayName: pay, target: 0.999, compositeWeight: 3, indicatorRef: paying}}
  - {{targetPercent: 99, indicator: {ratio("browsing", "b")}}}
"""
    found = resolved(slo(indicator="", objectives=objectives.rstrip()), sli("paying", "a"))
    assert not told(found)
    (made,) = found.slos
    assert made.name == "checkout"
    assert made.objective == Decimal("0.9996775")  # with everything bad it burns at 3 × 1000 + 100
    assert isinstance(made.indicator, CompositeIndicator)
    assert [(part.name, part.objective, part.weight) for part in made.indicator.parts] == [
        ("paying", Decimal("0.999"), Decimal(3)),
        ("browsing", Decimal("0.99"), Decimal(1)),
    ]


def test_a_composite_of_one_is_that_one() -> None:
    objectives = f"  objectives: [{{target: 0.999, indicator: {ratio('browsing', 'b')}}}]"
    (made,) = resolved(slo(indicator="", objectives=objectives)).slos
    assert (made.name, made.objective) == ("checkout", Decimal("0.999"))
    assert isinstance(made.indicator, RatioIndicator)


def test_parts_of_a_composite_may_be_slices_and_thresholds() -> None:
    objectives = f"""\
  objectives:
  - {{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m, indicator: {ratio("browsing", "b")}}}
  - {{target: 0.9, op: lt, value: 3, timeSliceTarget: 1, timeSliceWindow: 5m, indicatorRef: queue}}
"""
    gauge = (
        "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: queue}\nspec: {thresholdMetric: " + METRIC % "q" + "}\n"
    )
    method = "  budgetingMethod: Timeslices"
    found = resolved(slo(indicator="", method=method, objectives=objectives.rstrip()), gauge)
    assert not told(found)
    (made,) = found.slos
    assert isinstance(made.indicator, CompositeIndicator)
    assert all(isinstance(part.indicator, TimeslicesIndicator) for part in made.indicator.parts)
    assert made.indicator.combination is Combination.ANY_BAD_SLICE
    assert made.objective == Decimal("0.945")  # the mean


@pytest.mark.parametrize(
    ("method", "weights", "warnings"),
    [
        ("Timeslices", (2, 1), 2),  # a slice that is bad for any objective is bad
        ("RatioTimeslices", (2, 1), 0),
        ("Occurrences", (2, 1), 0),
        ("Occurrences", ("0.0004", "0.0004"), 1),  # with everything bad it would burn at 0.44×
    ],
)
def test_weights_that_mean_nothing_are_told(method: str, weights: tuple[object, object], warnings: int) -> None:
    slices = {"Timeslices": ", timeSliceTarget: 0.9, timeSliceWindow: 1m", "RatioTimeslices": ", timeSliceWindow: 1m"}
    more = slices.get(method, "")
    objectives = f"""\
  objectives:
  - {{target: 0.999, compositeWeight: {weights[0]}{more}, indicator: {ratio("browsing", "b")}}}
  - {{target: 0.99, compositeWeight: {weights[1]}{more}, indicator: {ratio("paying", "b")}}}
"""
    found = resolved(slo(indicator="", method=f"  budgetingMethod: {method}", objectives=objectives.rstrip()))
    lines = told(found)
    assert len(lines) == warnings
    assert all(": warning: " in line and ("changes nothing here" in line or "0.44×" in line) for line in lines)
    assert len(found.slos) == 1


DATA_SOURCE = """\
apiVersion: openslo/v1
kind: DataSource
metadata: {name: %s}
spec:
  type: %s
  connectionDetails:
  - url: https://prometheus.example
  - password: %s
"""


def by_reference(name: str) -> str:
    return slo().replace("type: Prometheus", f"metricSourceRef: {name}")


def test_a_metric_may_name_its_data_source_in_place_of_a_type() -> None:
    found = resolved(by_reference("main"), DATA_SOURCE % ("main", "prometheus", "''"))
    assert len(found.slos) == 1
    assert told(found) == [
        "b.yaml:8:5: warning: spec.connectionDetails[1].password: a secret in a file that many can read (remove it:"
        " connection details are not used, and settings take secrets from files)"
    ]


def test_a_secret_is_never_repeated() -> None:
    found = resolved(slo(), DATA_SOURCE % ("main", "Prometheus", "hunter2"))
    assert "hunter2" not in "".join(told(found))


def test_a_data_source_that_is_no_prometheus_stops_only_who_uses_it() -> None:
    other = DATA_SOURCE % ("other", "Datadog", "a")
    found = resolved(slo(), other.replace("password", "user"))
    assert told(found) == ["b.yaml:5:9: warning: spec.type: Datadog is not supported (no SLI here uses it)"]
    found = resolved(by_reference("other"), other.replace("password", "user"))
    assert not found.slos
    assert told(found) == [
        "b.yaml:5:9: error: spec.type: Datadog is not supported (all metrics are read from Prometheus)"
    ]


def test_v2alpha_means_what_v1_means() -> None:
    metadata = "metadata: {name: checkout, labels: {example.com/team: a}, annotations: {flyball.dev/owner: ann}}"
    found = resolved(slo_v2(metadata=metadata).replace("{query: x_total}", "{query: 'ok_total'}", 1))
    assert not told(found)
    (made,) = found.slos
    assert (made.name, made.service, made.owner) == ("checkout", "shop", "ann")
    assert made.labels == (("example_com_team", "a"),)
    assert isinstance(made.indicator, RatioIndicator)
    assert made.indicator.good is not None
    assert made.indicator.good.text == "ok_total"
    assert str(made.indicator.good.position) == "a.yaml:11:51"


def test_kinds_of_v2alpha_refer_to_each_other() -> None:
    version = "apiVersion: openslo.com/v2alpha"
    more = f"""\
{version}
kind: DataSource
metadata: {{name: main}}
spec: {{type: Prometheus, connectionDetails: {{}}}}
---
{version}
kind: SLI
metadata: {{name: requests}}
spec:
  ratioMetric:
    counter: true
    bad: {{dataSourceRef: main, spec: {{query: bad_total}}}}
    total: {{dataSourceSpec: {{type: Prometheus}}, spec: {{query: all_total}}}}
---
{version}
kind: AlertPolicy
metadata: {{name: calm}}
spec:
  alertWhenBreaching: true
  conditions: [{{conditionRef: slow}}]
  notificationTargets: [{{targetRef: chat}}]
---
{version}
kind: AlertCondition
metadata: {{name: slow}}
spec: {{severity: low, condition: {{kind: burnrate, op: gt, threshold: 1, lookbackWindow: 3d, alertAfter: 1h}}}}
---
{version}
kind: AlertNotificationTarget
metadata: {{name: chat}}
spec: {{target: slack}}
---
{version}
kind: Service
metadata: {{name: shop}}
"""
    found = resolved(slo_v2(sli="  sliRef: requests", more="  alertPolicies: [{alertPolicyRef: calm}]"), more)
    assert not told(found)
    (made,) = found.slos
    assert made.alerting.ticket.labels == (("notify", "chat"),)
    assert [tier.long for tier in made.alerting.tiers] == [timedelta(days=3)]
    assert [service.name for service in found.services] == ["shop"]


V1ALPHA = """\
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: api, displayName: The API}
spec:
  service: web
  budgetingMethod: Occurrences
  timeWindows: [{count: 4, unit: week}]
  objectives:
  - displayName: answers
    target: 0.999
    ratioMetrics:
      good: {source: prometheus, queryType: promql, query: 'sum(rate(a_total{code!="500"}[{{.window}}]))'}
      total: {source: prometheus, queryType: promql, query: 'sum(rate(a_total[{{.window}}]))'}
  - displayName: speed
    target: 0.99
    value: 1
    ratioMetrics:
      incremental: true
      good: {source: Prometheus, queryType: promql, query: 'a_seconds_bucket{le="0.5"}'}
      total: {source: prometheus, queryType: promql, query: 'a_seconds_count'}
---
apiVersion: openslo/v1alpha
kind: Service
metadata: {name: web, displayName: The web}
"""


def test_each_objective_of_v1alpha_has_queries_of_its_own() -> None:
    found = resolved(V1ALPHA)
    assert not told(found)
    assert [(each.name, each.display_name, each.objective) for each in found.slos] == [
        ("api-99", "The API: speed", Decimal("0.99")),
        ("api-99-9", "The API: answers", Decimal("0.999")),
    ]
    speed, answers = found.slos
    assert isinstance(speed.indicator, LatencyIndicator)
    assert isinstance(answers.indicator, RatioIndicator)
    assert answers.indicator.good is not None
    assert str(answers.indicator.good.position) == "a.yaml:12:60"
    assert answers.window.length == timedelta(weeks=4)


def test_a_threshold_and_a_calendar_of_v1alpha() -> None:
    text = """\
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: queue}
spec:
  service: web
  budgetingMethod: Timeslices
  indicator: {thresholdMetric: {source: prometheus, queryType: promql, query: queue_length}}
  timeWindows:
  - {count: 1, unit: Month, isRolling: false, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Vienna}}
  objectives: [{target: 0.98, timeSliceTarget: 1, value: 200, op: lt}]
"""
    found = resolved(text)
    assert not told(found)
    (made,) = found.slos
    assert made.window == CalendarWindow(1, CalendarUnit.MONTH, "2026-01-01T00:00:00", "Europe/Vienna")
    assert isinstance(made.indicator, TimeslicesIndicator)
    assert made.indicator.length == MINUTE


def names(found: Resolved) -> Sequence[str]:
    return [each.name for each in found.slos]


def test_versions_may_be_mixed_and_refer_to_each_other() -> None:
    found = resolved(slo_v2(sli="  sliRef: paying"), sli("paying", "a"), V1ALPHA.partition("---")[0])
    assert not told(found)
    assert names(found) == ["api-99", "api-99-9", "checkout"]


def test_all_of_it_compiles_to_rules_that_promtool_takes(tmp_path: Path) -> None:
    composite = f"""\
  objectives:
  - {{target: 0.99, compositeWeight: 2, indicator: {ratio("browsing", "b")}}}
  - {{target: 0.9, indicatorRef: paying}}
"""
    alerts = """\
  alertPolicies:
  - metadata: {name: fast}
    spec:
      alertWhenBreaching: true
      alertWhenNoData: true
      conditions: [{spec: {severity: sev1, condition: {op: gt, threshold: 6, lookbackWindow: 30m, alertAfter: 2m}}}]
      notificationTargets: [{spec: {target: 'a {{ strange }} way'}}]
"""
    slices = "  objectives: [{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 1m, op: lt, value: 3}]"
    found = resolved(
        slo(metadata="metadata: {name: composite}", indicator="", objectives=composite.rstrip()),
        sli("paying", "a"),
        slo(metadata="metadata: {name: s}", indicator=GAUGE, method="  budgetingMethod: Timeslices", objectives=slices),
        slo(more=alerts.rstrip()),
        slo_v2(metadata="metadata: {name: newer}"),
        V1ALPHA.partition("---")[0],
    )  # fmt: skip
    assert len(found.slos) == 6, told(found)
    paths = []
    for file in compile_rules(found.slos):
        paths.append(tmp_path / file.name)
        paths[-1].write_text(to_yaml(file))
    checked = subprocess.run(["promtool", "check", "rules", *paths], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert """notification_targets: 'a {{ "{{" }} strange }} way""" in "".join(path.read_text() for path in paths)
