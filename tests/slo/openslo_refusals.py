"""OpenSLO files that are wrong, or read otherwise than written, in one way each; the answers are in `openslo_reports/`.

They cover the validation of OpenSLO's Go SDK rule by rule, and the differences that docs/reference/openslo.md lists.
"""

# ruff: noqa: E501 -- an input on one line is compared more easily than one that is wrapped

from collections.abc import Mapping

_SLI = """\
    metadata: {name: requests}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'ok_total'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'all_total'}}}
"""
_GAUGE = """\
    spec:
      thresholdMetric: {metricSource: {type: Prometheus, spec: {query: 'queue_length'}}}
"""


def slo(**changes: str) -> str:
    """One SLO of v1; a changed part replaces the whole of it, an empty one leaves it out."""
    parts = {
        "metadata": "metadata: {name: checkout}",
        "service": "  service: shop",
        "indicator": "  indicator:\n" + _SLI.rstrip("\n"),
        "window": "  timeWindow: [{duration: 30d, isRolling: true}]",
        "method": "  budgetingMethod: Occurrences",
        "objectives": "  objectives: [{target: 0.99}]",
        "more": "",
    }
    given = {**parts, **changes}
    lines = ["apiVersion: openslo/v1", "kind: SLO", given.pop("metadata"), "spec:", *given.values()]
    return "\n".join(line for line in lines if line) + "\n"


def sli(body: str) -> str:
    """One SLI of v1."""
    return f"apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: requests}}\nspec:\n{body}"


def document(kind: str, spec: str, version: str = "openslo/v1", name: str = "a") -> str:
    """Any document on a few lines."""
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


_QUERY = "{metricSource: {type: Prometheus, spec: {query: x_total}}}"
_SLICES = "  budgetingMethod: Timeslices"
_RATIO_SLICES = "  budgetingMethod: RatioTimeslices"
_CONDITION = "{kind: burnrate, op: gt, threshold: 2, lookbackWindow: 1h}"

SLOS: Mapping[str, str] = {
    "a name in capitals": slo(metadata="metadata: {name: Checkout}"),
    "a long name": slo(metadata=f"metadata: {{name: {'a' * 64}}}"),
    "no name": slo(metadata="metadata: {displayName: Checkout}"),
    "a long display name": slo(metadata=f"metadata: {{name: checkout, displayName: {'a' * 64}}}"),
    "a label's key with a slash": slo(metadata="metadata: {name: checkout, labels: {a/b: c}}"),
    "a label that is a mapping": slo(metadata="metadata: {name: checkout, labels: {team: {a: b}}}"),
    "an annotation's key with a space": slo(metadata="metadata: {name: checkout, annotations: {'my key': c}}"),
    "a long description": slo(more=f"  description: {'a' * 1051}"),
    "an unknown field": slo(more="  budgetMethod: Occurrences"),
    "no service": slo(service=""),
    "an empty service": slo(service="  service: ''"),
    "an unknown method": slo(method="  budgetingMethod: Timeslice"),
    "no indicator": slo(indicator=""),
    "two indicators": slo(more="  indicatorRef: requests"),
    "an unknown indicator": slo(indicator="  indicatorRef: request") + "---\n" + sli(f"  ratioMetric: {{counter: true, good: {_QUERY}, total: {_QUERY}}}\n"),
    "an inline indicator with a bad name": slo(indicator="  indicator:\n" + _SLI.rstrip("\n").replace("requests", "My requests")),
    "no time window": slo(window=""),
    "two time windows": slo(window="  timeWindow: [{duration: 30d}, {duration: 7d}]"),
    "a window without a duration": slo(window="  timeWindow: [{isRolling: true}]"),
    "a duration without a unit": slo(window="  timeWindow: [{duration: '30', isRolling: true}]"),
    "a rolling window with a calendar": slo(window="  timeWindow: [{duration: 30d, isRolling: true, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}}]"),
    "no objective": slo(objectives="  objectives: []"),
    "no target": slo(objectives="  objectives: [{displayName: good}]"),
    "two targets": slo(objectives="  objectives: [{target: 0.9, targetPercent: 90}]"),
    "a target of 1": slo(objectives="  objectives: [{target: 1.0}]"),
    "a negative target": slo(objectives="  objectives: [{targetPercent: -0.1}]"),
    "a comparison of a ratio": slo(objectives="  objectives: [{target: 0.99, op: gt, value: 1}]"),
    "a threshold without a comparison": slo(indicator="  indicator:\n" + _GAUGE.rstrip("\n")),
    "an unknown comparison": slo(indicator="  indicator:\n" + _GAUGE.rstrip("\n"), objectives="  objectives: [{target: 0.99, op: less, value: 1}]"),
    "slices without their target and length": slo(method=_SLICES),
    "a slice's target of 0": slo(method=_SLICES, objectives="  objectives: [{target: 0.99, timeSliceTarget: 0, timeSliceWindow: 1m}]"),
    "a slice's target above 1": slo(method=_SLICES, objectives="  objectives: [{target: 0.99, timeSliceTarget: 1.1, timeSliceWindow: 1m}]"),
    "a slice that is no duration": slo(method=_SLICES, objectives="  objectives: [{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: minute}]"),
    "a slice of no length": slo(method=_SLICES, objectives="  objectives: [{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 0m}]"),
    "a slice that is longer than the window": slo(method=_SLICES, objectives="  objectives: [{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 60d}]"),
    "ratios of slices without a length": slo(method=_RATIO_SLICES),
    "ratios of slices with a target": slo(method=_RATIO_SLICES, objectives="  objectives: [{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m}]"),
    "slices where events are counted": slo(objectives="  objectives: [{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m}]"),
    "a weight without a composite": slo(objectives="  objectives: [{target: 0.99, compositeWeight: 2}]"),
    "a composite beside an indicator": slo(objectives="  objectives: [{target: 0.99, indicatorRef: requests}]") + "---\n" + sli(f"  ratioMetric: {{counter: true, good: {_QUERY}, total: {_QUERY}}}\n"),
    "a composite of nothing in part": slo(indicator="", objectives=f"  objectives:\n  - {{target: 0.9, indicator: {{spec: {{ratioMetric: {{counter: true, good: {_QUERY}, total: {_QUERY}}}}}}}}}\n  - {{target: 0.9}}"),
    "a composite's weight of 0": slo(indicator="", objectives="  objectives: [{target: 0.9, compositeWeight: 0, indicatorRef: requests}]") + "---\n" + sli(f"  ratioMetric: {{counter: true, good: {_QUERY}, total: {_QUERY}}}\n"),
    "an alert policy of another kind": slo(more="  alertPolicies: [{kind: DataSource, metadata: {name: a}}]"),
    "an alert policy twice over": slo(more="  alertPolicies: [{alertPolicyRef: a, kind: AlertPolicy}]"),
    "an unknown alert policy": slo(more="  alertPolicies: [{alertPolicyRef: a b}]"),
    "a service that is not declared": slo() + "---\n" + document("Service", "{description: sells}", name="shops"),
}  # fmt: skip

PARTS: Mapping[str, str] = {
    "an SLI without a metric": sli("  description: nothing\n"),
    "an SLI with two metrics": sli(f"  thresholdMetric: {_QUERY}\n  ratioMetric: {{counter: true, good: {_QUERY}, total: {_QUERY}}}\n"),
    "a ratio of good and bad": sli(f"  ratioMetric: {{counter: true, good: {_QUERY}, bad: {_QUERY}, total: {_QUERY}}}\n"),
    "a ratio without a total": sli(f"  ratioMetric: {{counter: true, good: {_QUERY}}}\n"),
    "a ratio of a total alone": sli(f"  ratioMetric: {{counter: true, total: {_QUERY}}}\n"),
    "a raw ratio beside a total": sli(f"  ratioMetric: {{rawType: success, raw: {_QUERY}, total: {_QUERY}}}\n"),
    "a raw ratio without a type": sli(f"  ratioMetric: {{raw: {_QUERY}}}\n"),
    "a raw ratio of an unknown type": sli(f"  ratioMetric: {{rawType: good, raw: {_QUERY}}}\n"),
    "a metric without a source": sli("  thresholdMetric: {}\n"),
    "a metric without a query": sli("  thresholdMetric: {metricSource: {type: Prometheus, spec: {}}}\n"),
    "a metric without a type": sli("  thresholdMetric: {metricSource: {spec: {query: x}}}\n"),
    "a metric that is not from Prometheus": sli("  thresholdMetric: {metricSource: {type: Datadog, spec: {query: 'avg:x{*}'}}}\n"),
    "a metric of an unknown data source": sli("  thresholdMetric: {metricSource: {metricSourceRef: prom, spec: {query: x}}}\n") + "---\n" + document("DataSource", "{type: Prometheus, connectionDetails: {url: https://prometheus.example}}", name="prod"),
    "a metric of another data source": sli("  thresholdMetric: {metricSource: {metricSourceRef: dd, spec: {query: x}}}\n") + "---\n" + document("DataSource", "{type: Datadog, connectionDetails: {apiKey: '${KEY}'}}", name="dd"),
    "a data source without a type": document("DataSource", "{connectionDetails: {url: https://prometheus.example}}"),
    "a data source of an empty type": document("DataSource", "{type: '', connectionDetails: {}}"),
    "a condition without a severity": document("AlertCondition", f"{{condition: {_CONDITION}}}"),
    "a condition of nothing": document("AlertCondition", "{severity: page}"),
    "a condition of an unknown kind": document("AlertCondition", "{severity: page, condition: " + _CONDITION.replace("burnrate", "averageBurnRate") + "}"),
    "a condition without an operator": document("AlertCondition", "{severity: page, condition: " + _CONDITION.replace("op: gt, ", "") + "}"),
    "a condition without a threshold": document("AlertCondition", "{severity: page, condition: " + _CONDITION.replace("threshold: 2, ", "") + "}"),
    "a condition without a window": document("AlertCondition", "{severity: page, condition: {kind: burnrate, op: gt, threshold: 2}}"),
    "a condition that looks back an hour wrongly": document("AlertCondition", "{severity: page, condition: " + _CONDITION.replace("1h", "1 hour") + "}"),
    "a policy without conditions": document("AlertPolicy", "{alertWhenBreaching: true, conditions: [], notificationTargets: [{targetRef: a}]}"),
    "a policy of two conditions": document("AlertPolicy", "{alertWhenBreaching: true, conditions: [{conditionRef: a}, {conditionRef: b}], notificationTargets: [{targetRef: a}]}"),
    "a policy without targets": document("AlertPolicy", "{alertWhenBreaching: true, conditions: [{conditionRef: a}]}"),
    "a policy with a number for a boolean": document("AlertPolicy", "{alertWhenBreaching: 2, conditions: [{conditionRef: a}], notificationTargets: [{targetRef: a}]}"),
    "an inline condition of another kind": document("AlertPolicy", f"{{alertWhenBreaching: true, conditions: [{{kind: AlertPolicy, spec: {{severity: page, condition: {_CONDITION}}}}}], notificationTargets: [{{targetRef: a}}]}}"),
    "a policy that alerts only when all is over": slo(more="  alertPolicies: [a]") + "---\n" + document("AlertPolicy", f"{{alertWhenResolved: true, conditions: [{{spec: {{severity: page, condition: {_CONDITION}}}}}], notificationTargets: [{{spec: {{target: slack}}}}]}}"),
    "a target of nothing": document("AlertNotificationTarget", "{description: nobody}"),
    "a service with a field too many": document("Service", "{markdown: sells}"),
    "a service twice": document("Service", "{description: sells}") + "---\n" + document("Service", "{description: buys}"),
    "a kind that OpenSLO has not": document("SLA", "{}"),
    "an unknown version": document("Service", "{}", version="openslo/v2"),
}  # fmt: skip

_V2 = "openslo.com/v2alpha"
_V2_METRIC = "{dataSourceRef: main, spec: {query: x_total}}"


def slo_v2(**changes: str) -> str:
    """One SLO of v2alpha."""
    parts = {
        "metadata": "metadata: {name: checkout}",
        "service": "  serviceRef: shop",
        "sli": f"  sli:\n    metadata: {{name: requests}}\n    spec:\n      ratioMetric:\n        counter: true\n        good: {_V2_METRIC}\n        total: {_V2_METRIC}",
        "window": "  timeWindow: [{duration: 30d, isRolling: true}]",
        "method": "  budgetingMethod: Occurrences",
        "objectives": "  objectives: [{target: 0.99}]",
        "more": "",
    }  # fmt: skip
    given = {**parts, **changes}
    lines = [f"apiVersion: {_V2}", "kind: SLO", given.pop("metadata"), "spec:", *given.values()]
    return "\n".join(line for line in lines if line) + "\n"


V2ALPHA: Mapping[str, str] = {
    "v2 a display name": slo_v2(metadata="metadata: {name: checkout, displayName: Checkout}"),
    "v2 a list of labels": slo_v2(metadata="metadata: {name: checkout, labels: {team: [a, b]}}"),
    "v2 a label's value with a space": slo_v2(metadata="metadata: {name: checkout, labels: {team: 'a b'}}"),
    "v2 an indicator as in v1": slo_v2(sli="  indicatorRef: requests"),
    "v2 no indicator": slo_v2(sli=""),
    "v2 two indicators": slo_v2(more="  sliRef: requests"),
    "v2 an unknown indicator": slo_v2(sli="  sliRef: request") + "---\n" + document("SLI", f"{{ratioMetric: {{counter: true, good: {_V2_METRIC}, total: {_V2_METRIC}}}}}", _V2, "requests"),
    "v2 no service": slo_v2(service=""),
    "v2 two services": slo_v2(more="  service: shop"),
    "v2 a month": slo_v2(window="  timeWindow: [{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}}]"),
    "v2 slices without a length": slo_v2(method=_SLICES, objectives="  objectives: [{target: 0.99, timeSliceTarget: 0.9}]"),
    "v2 a query that counts nothing": slo_v2().replace("query: x_total", "query: 'irate(x_total[5m])'", 1),
    "v2 a metric of two sources": document("SLI", "{thresholdMetric: {dataSourceRef: a, dataSourceSpec: {type: Prometheus}, spec: {query: x}}}", _V2),
    "v2 a metric of no source": document("SLI", "{thresholdMetric: {spec: {query: x}}}", _V2),
    "v2 a metric as in v1": document("SLI", f"{{thresholdMetric: {_QUERY}}}", _V2),
    "v2 a metric that is not from Prometheus": document("SLI", "{thresholdMetric: {dataSourceSpec: {type: Redshift}, spec: {query: x}}}", _V2),
    "v2 a metric of an unknown data source": document("SLI", "{thresholdMetric: {dataSourceRef: prom, spec: {query: x}}}", _V2, "x") + "---\n" + document("DataSource", "{type: Prometheus, connectionDetails: {}}", _V2, "prod"),
    "v2 a condition that alerts at once": document("AlertCondition", f"{{severity: page, condition: {_CONDITION}}}", _V2),
    "v2 a composite of nothing in part": slo_v2(sli="", objectives=f"  objectives:\n  - {{target: 0.9, sli: {{spec: {{ratioMetric: {{counter: true, good: {_V2_METRIC}, total: {_V2_METRIC}}}}}}}}}\n  - {{target: 0.9}}"),
    "v2 a severity that we do not know": slo_v2(more="  alertPolicies: [{alertPolicyRef: a}]") + "---\n" + document("AlertPolicy", "{alertWhenBreaching: true, conditions: [{conditionRef: a}], notificationTargets: [{spec: {target: slack}}]}", _V2) + "---\n" + document("AlertCondition", "{severity: loud, condition: {kind: burnrate, op: gt, threshold: 2, lookbackWindow: 1h, alertAfter: 5m}}", _V2),
}  # fmt: skip

_V1ALPHA_METRIC = "{source: prometheus, queryType: promql, query: x_total}"


def slo_alpha(objective: str, more: str = "  timeWindows: [{unit: Day, count: 30, isRolling: true}]\n") -> str:
    """One SLO of v1alpha."""
    return f"apiVersion: openslo/v1alpha\nkind: SLO\nmetadata: {{name: checkout}}\nspec:\n  service: shop\n  budgetingMethod: Occurrences\n{more}  objectives:\n  - {objective}\n"  # fmt: skip


_RATIO = f"ratioMetrics: {{good: {_V1ALPHA_METRIC}, total: {_V1ALPHA_METRIC}}}"

V1ALPHA: Mapping[str, str] = {
    "v1alpha no metric": slo_alpha("{target: 0.99}"),
    "v1alpha two metrics": slo_alpha(f"{{target: 0.99, {_RATIO}}}", f"  indicator: {{thresholdMetric: {_V1ALPHA_METRIC}}}\n"),
    "v1alpha no target": slo_alpha(f"{{{_RATIO}}}"),
    "v1alpha mistakes in the second objective": slo_alpha(f"{{target: 0.99, {_RATIO}}}\n  - {{target: 2, {_RATIO.replace('x_total', 'time()')}}}"),
    "v1alpha a query that counts nothing": slo_alpha(f"{{target: 0.99, {_RATIO}}}").replace("query: x_total", "query: 'irate(x_total[5m])'", 1),
    "v1alpha a metric that is not from Prometheus": slo_alpha(f"{{target: 0.99, {_RATIO}}}").replace("source: prometheus", "source: datadog", 1),
    "v1alpha a window of seconds": slo_alpha(f"{{target: 0.99, {_RATIO}}}", "  timeWindows: [{unit: Second, count: 90}]\n"),
    "v1alpha a window of an unknown unit": slo_alpha(f"{{target: 0.99, {_RATIO}}}", "  timeWindows: [{unit: Fortnight, count: 1}]\n"),
    "v1alpha a rolling month": slo_alpha(f"{{target: 0.99, {_RATIO}}}", "  timeWindows: [{unit: Month, count: 1, isRolling: true}]\n"),
    "v1alpha slices without their target": slo_alpha(f"{{target: 0.99, {_RATIO}}}").replace("Occurrences", "Timeslices"),
    "v1alpha a threshold without a comparison": slo_alpha("{target: 0.99, value: 3}", f"  indicator: {{thresholdMetric: {_V1ALPHA_METRIC}}}\n"),
    "v1alpha a kind of v1": document("SLI", "{}", "openslo/v1alpha"),
}  # fmt: skip

LISTS: Mapping[str, str] = {
    "a list with a mistake in an item": "apiVersion: v1\nkind: List\nitems:\n- " + document("Service", "{}").replace("\n", "\n  ").rstrip() + "\n- " + document("Service", "{descripton: x}", name="b").replace("\n", "\n  ").rstrip() + "\n",
    "a list of what is no document": "apiVersion: openslo/v1\nkind: List\nitems:\n- text\n",
}  # fmt: skip

CASES: Mapping[str, str] = {**SLOS, **PARTS, **V2ALPHA, **V1ALPHA, **LISTS}
