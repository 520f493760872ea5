from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.model.slo import LatencyIndicator, RatioIndicator
from controlplane.specfile import SourceFile, read
from slo.openslo.kinds import KINDS
from slo.windows import length_of
from tests.slo.reading import an_slo_file, resolved, told


def test_an_objective_is_exact_to_the_last_digit() -> None:
    (slo,) = resolved(an_slo_file(objectives="[{target: 0.999}]")).slos
    assert str(slo.objective) == "0.999"
    assert str(slo.budget_ratio) == "0.001"
    (slo,) = resolved(an_slo_file(objectives="[{targetPercent: 99.95}]")).slos
    assert str(slo.budget_ratio) == "0.0005"


def test_a_ratio_keeps_the_users_text() -> None:
    (slo,) = resolved(an_slo_file()).slos
    assert isinstance(slo.indicator, RatioIndicator)
    assert slo.indicator.bad is not None
    assert slo.indicator.bad.text == 'http_requests_total{code=~"5.."}'
    assert slo.window.length == timedelta(days=30)
    assert str(slo.source) == "a.yaml:4:9"


def test_several_objectives_are_several_slos() -> None:
    found = resolved(an_slo_file(objectives="[{displayName: strict, targetPercent: 99.90}, {target: 0.99}]"))
    assert [(slo.name, slo.objective, slo.display_name) for slo in found.slos] == [
        ("checkout-99", Decimal("0.99"), ""),
        ("checkout-99-9", Decimal("0.999"), "strict"),
    ]


def test_labels_and_annotations_arrive() -> None:
    metadata = """\
  displayName: Checkout
  labels: {team: payments, cost-centre: [a, b], slo: mine}
  annotations:
    flyball.dev/owner: ann
    flyball.dev/runbook-url: https://wiki/x
    flyball.dev/worst-by: route, code
"""
    found = resolved(an_slo_file(metadata=metadata))
    (slo,) = found.slos
    assert slo.labels == (("cost_centre", "a,b"), ("team", "payments"))
    assert (slo.owner, slo.runbook_url, slo.worst_by) == ("ann", "https://wiki/x", ("route", "code"))
    assert told(found) == [
        "a.yaml:6:49: warning: metadata.labels.slo: left out: Flyball sets this label itself (rename it)"
    ]


@pytest.mark.parametrize(
    ("within", "spliced", "threshold"),
    [
        ('x_bucket{le="0.3"}', 'x_bucket{le="0.3"}', "0.3"),
        ('sum(rate(x_bucket{a="b",le="1"}[5m]))', 'sum(rate(x_bucket{a="b",le=~"1|1\\\\.0"}[5m]))', "1"),
        ('x_bucket{le="10.0",a="b"}', 'x_bucket{le=~"10|10\\\\.0",a="b"}', "10.0"),
        ('x_bucket{le="1e+06"}', 'x_bucket{le=~"1000000|1000000\\\\.0|1e\\\\+06"}', "1E+6"),
        (r'x_bucket{le=~"1|1\\.0"}', r'x_bucket{le=~"1|1\\.0"}', "1"),
    ],
)
def test_a_bucket_as_good_is_a_latency(within: str, spliced: str, threshold: str) -> None:
    (slo,) = resolved(an_slo_file(kind="good", bad=within, total="x_count", objectives="[{target: 0.95}]")).slos
    assert isinstance(slo.indicator, LatencyIndicator)
    assert slo.indicator.within.text == spliced
    assert slo.indicator.threshold == Decimal(threshold)


@pytest.mark.parametrize(
    ("total", "spliced"),
    [
        ("x_bucket", 'x_bucket{le="+Inf"}'),
        ("sum(rate(x_bucket[1m]))", 'sum(rate(x_bucket{le="+Inf"}[1m]))'),
        ('x_bucket{a="b"}', 'x_bucket{le="+Inf",a="b"}'),
        ('x_bucket{le="+Inf"}', 'x_bucket{le="+Inf"}'),
        ("x_count", "x_count"),
    ],
)
def test_all_buckets_together_count_each_event_once(total: str, spliced: str) -> None:
    (slo,) = resolved(an_slo_file(kind="good", bad='x_bucket{le="0.3"}', total=total)).slos
    assert isinstance(slo.indicator, LatencyIndicator)
    assert slo.indicator.total.text == spliced


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"kind": "good", "bad": "x_bucket", "total": "x_count"},
            'query: without one `le` a histogram counts each event several times (add the threshold, such as le="0.3")',
        ),
        (
            {"kind": "good", "bad": 'x_bucket{le=~"0.1|0.3"}', "total": "x_count"},
            'query: `le=~"0.1|0.3"` is not one threshold (write the bound of one bucket, such as le="0.3")',
        ),
        (
            {"kind": "good", "bad": 'x_bucket{le="0.3"}', "total": 'x_bucket{le="1"}'},
            'query: this is not the number of all events (use x_count, or le="+Inf")',
        ),
        (
            {"objectives": "[{target: 1}]"},
            "target: an objective of 100 % leaves no error budget, so any error would break it"
            " (choose one below, such as 0.999)",
        ),
        (
            {"objectives": "[{targetPercent: 100.0}]"},
            "targetPercent: an objective of 100 % leaves no error budget, so any error would break it"
            " (choose one below, such as 99.9)",
        ),
        ({"objectives": "[{target: 0}]"}, "target: an objective of 0 % is always met (choose one above)"),
        (
            {"objectives": "[{target: 99.9}]"},
            "target: must be between 0 and 1, is 99.9 (write targetPercent for per cent)",
        ),
        ({"objectives": "[{target: -0.5}]"}, "target: must be between 0 and 1, is -0.5"),
        (
            {"objectives": "[{}]"},
            "spec.objectives[0]: no target (write target: 0.999 or targetPercent: 99.9)",
        ),
        (
            {"objectives": "[{target: 0.9, targetPercent: 90}]"},
            "targetPercent: target and targetPercent say the same thing (remove one of them)",
        ),
        (
            {"objectives": "[{target: 0.99}, {targetPercent: 99}]"},
            "spec.objectives[1]: another objective also asks for 99 %",
        ),
        (
            {"window": "{duration: 1M, isRolling: true}"},
            "duration: months differ in length, so they cannot roll: write days, such as 30d",
        ),
        (
            {"window": "{duration: thirty, isRolling: true}"},
            "duration: `thirty` is not a duration: a whole number and m, h, d or w, as in 30d, 4w or 720h",
        ),
        ({"window": "{duration: 30D}"}, "duration: `30D` is not a duration, did you mean `30d`?"),
        ({"window": "{duration: ۳d}"}, "duration: `۳d` is not a duration: a whole number and m, h, d or w"),
        (
            {"objectives": "[{target: 0.9990000000000000001}]"},
            "target: 0.9990000000000000001 is finer than Prometheus can compute with (at most 15 digits)",
        ),
        (
            {"objectives": "[{target: 0.9999999999999}]"},
            "target: 0.9999999999999 is finer than Prometheus can compute with"
            " (at least one event in 1,000,000,000,000 may be bad, and one must be good)",
        ),
        ({"window": "{duration: 62m}"}, "duration: must be a multiple of 5 minutes"),
        ({"window": "{duration: 10m}"}, "duration: must be between 1h and 3650d"),
        ({"name": "Checkout_1"}, "metadata.name: `Checkout_1` is not a name"),
        ({"name": "a" * 64}, "metadata.name: has 64 characters, at most 63 are allowed"),
        (
            {"metadata": "  annotations: {flyball.dev/runbok-url: https://x}"},
            "unknown annotation `flyball.dev/runbok-url`, did you mean `flyball.dev/runbook-url`?",
        ),
        ({"more": "  indicatorRef: x"}, "spec.indicatorRef: an SLO has one indicator, here are two"),
    ],
)
def test_what_cannot_be_is_told_with_the_way_out(changes: dict[str, str], problem: str) -> None:
    found = resolved(an_slo_file(**changes))
    assert not found.slos
    assert len(found.problems) == 1, told(found)
    assert problem in told(found)[0]


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        (
            {"total": "sum(rate(x[5m])) or vector(0)"},
            "missing data would read as no traffic, and never raise SLONoData (remove `or vector(0)` from total)",
        ),
        (
            {"total": "sum(rate(x[5m])) > 0"},
            "no traffic would read as missing data, and raise SLONoData"
            " (remove the comparison from total: without traffic the budget stands still anyway)",
        ),
        (
            {"total": '{__name__=~"a|b"}'},
            "a.yaml:18:65: warning: spec.indicator.spec.ratioMetric.total.metricSource.spec.query:"
            " Prometheus refuses to count metrics together whose series have the same labels"
            " (add them up: sum(rate(a[5m])) + sum(rate(b[5m])))",
        ),
    ],
)
def test_what_can_be_used_with_care_is_a_warning(changes: dict[str, str], warning: str) -> None:
    found = resolved(an_slo_file(**changes))
    assert len(found.slos) == 1
    assert len(found.problems) == 1, told(found)
    assert "warning" in told(found)[0]
    assert warning in told(found)[0]


def test_a_key_without_a_value_is_a_missing_key() -> None:
    metadata = "  displayName:\n  labels:\n  annotations: ~\n"
    more = "  alertPolicies: # none yet\n  description:\n"
    found = resolved(an_slo_file(metadata=metadata, more=more))
    assert not told(found)
    assert (found.slos[0].display_name, found.slos[0].labels, found.slos[0].description) == ("", (), "")


@pytest.mark.parametrize("written", ["0.999_9", "٠.٩", "99.9%", ".inf", "0x1", "''", "1e99999"])
def test_a_number_is_what_yaml_calls_one(written: str) -> None:
    text = an_slo_file(objectives=f"[{{targetPercent: {written}}}]")
    (problem,) = read([SourceFile("a.yaml", text.encode())], KINDS).problems
    assert problem.message.startswith("expected a number, got ")


def test_short_windows_and_loose_objectives_say_which_alerts_are_left() -> None:
    found = resolved(an_slo_file(window="{duration: 2d}", objectives="[{target: 0.6}]"))
    assert told(found) == [
        "a.yaml:9:27: warning: spec.timeWindow[0].duration:"
        " the window is shorter than some alerts look back, so these are left out: ticket over 3d",
    ]
    assert len(found.slos) == 1
    found = resolved(an_slo_file(objectives="[{target: 0.9}]"))
    assert told(found) == [
        "a.yaml:10:25: warning: spec.objectives[0].target: these alerts can never fire: page at 14.4×"
        " (at 90 % the budget burns at most 10×, with every event bad)",
    ]


def test_a_query_is_wrong_at_its_own_line_and_column() -> None:
    text = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: requests}
spec:
  ratioMetric:
    counter: true
    bad:
      metricSource:
        type: Prometheus
        spec:
          query: |
            sum(
              irate(http_requests_total{code=~"5.."}[5m])
            )
    total:
      metricSource:
        type: prometheus
        spec:
          promql: "sum(rate(http_requests_total{a=\\"b\\"}[5m])"
"""
    assert told(resolved(text)) == [
        "a.yaml:13:15: error: spec.ratioMetric.bad.metricSource.spec.query: irate() does not count events"
        " (use rate(): irate sees only the last two samples and misses the rest)",
        "a.yaml:19:23: error: spec.ratioMetric.total.metricSource.spec.promql: the bracket `(` is never closed"
        " (expected `)`)",
    ]


def test_references_are_followed_across_files_and_misspelled_ones_are_guessed() -> None:
    sli = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: requests}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Prometheus, spec: {query: a}}}
    total: {metricSource: {type: Prometheus, spec: {query: b}}}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: shop, displayName: The shop}
spec: {description: sells}
"""
    slo = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: %s}
spec:
  service: %s
  indicatorRef: %s
  timeWindow: [{duration: 4w}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""
    found = resolved(slo % ("one", "shop", "requests"), slo % ("two", "shp", "request"), sli)
    assert [slo.name for slo in found.slos] == ["one"]
    assert [service.display_name for service in found.services] == ["The shop"]
    assert told(found) == [
        "b.yaml:5:12: error: spec.service: no Service is named `shp`, did you mean `shop`?",
        "b.yaml:6:17: error: spec.indicatorRef: no SLI is named `request`, did you mean `requests`?",
    ]


def test_without_any_service_document_services_need_no_declaration() -> None:
    assert not resolved(an_slo_file()).problems


def test_a_name_made_from_an_objective_may_not_be_taken() -> None:
    found = resolved(an_slo_file(objectives="[{target: 0.99}, {target: 0.999}]"), an_slo_file(name="checkout-99-9"))
    assert told(found) == [
        "b.yaml:4:9: error: metadata.name: the name `checkout-99-9` is taken (first used at a.yaml:4:9)"
    ]


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        (
            "thresholdMetric: {metricSource: {type: Prometheus, spec: {query: 'x[5m]'}}}",
            "a range alone is not a value",
        ),
        (
            "ratioMetric: {counter: true, raw: {metricSource: {type: Prometheus, spec: {query: x}}}}",
            "no rawType",
        ),
        (
            "ratioMetric: {counter: true, bad: {metricSource: {type: Prometheus, spec: {query: x}}},"
            " total: {metricSource: {type: Prometheus, spec: {query: 'histogram_quantile(0.9, x)'}}}}",
            "histogram_quantile() does not keep the number of events",
        ),
        (
            "ratioMetric: {counter: true, good: {metricSource: {type: Datadog, spec: {query: x}}},"
            " total: {metricSource: {type: Prometheus, spec: {query: x}}}}",
            "Datadog is not supported",
        ),
        ("ratioMetric: {counter: true, good: {metricSource: {type: Prometheus, spec: {query: x}}}}", "no total"),
        (
            "ratioMetric: {counter: true, total: {metricSource: {type: Prometheus, spec: {query: x}}}}",
            "neither good nor bad",
        ),
    ],
)
def test_an_indicator_that_cannot_be_counted_is_told(metric: str, problem: str) -> None:
    found = resolved(f"apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: x}}\nspec:\n  {metric}\n")
    assert len(found.problems) == 1, told(found)
    assert problem in told(found)[0]


@pytest.mark.parametrize(
    ("text", "days"), [("30d", 30), ("4w", 28), ("720h", 30), ("43200m", 30), ("12h", 0.5), ("365d", 365)]
)
def test_any_rolling_length_is_taken(text: str, days: float) -> None:
    assert length_of(text) == (timedelta(days=days), "")


def test_the_documents_example_compiles() -> None:
    text = (Path(__file__).parents[2] / "docs/reference/slo.md").read_text()
    example = text.split("```yaml\n")[1].split("```")[0]
    found = resolved(example)
    assert [slo.name for slo in found.slos] == ["checkout-availability"]
    assert not found.problems
