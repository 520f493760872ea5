"""Which indicator an OpenSLO SLI means, and what is said of those that mean none."""

from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.model.slo import (
    BoolIndicator,
    Comparison,
    Indicator,
    LatencyIndicator,
    NativeLatencyIndicator,
    RatioIndicator,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from controlplane.specfile import Document, SourceFile, read
from slo.openslo.indicators import Compared, Found, indicator_of
from slo.openslo.kinds import KINDS
from tests.slo.reading import resolved, told
from tests.slo.slos import query

FRACTION = 'histogram_fraction(0, 0.5, sum(rate(x{a="b"}[5m])))'
COUNT = 'histogram_count(sum(rate(x{a="b"}[5m])))'


def document(spec: str) -> Document:
    text = f"apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: x}}\nspec:\n{spec}"
    result = read([SourceFile("a.yaml", text.encode())], KINDS)
    assert not result.problems, result.problems
    return result.documents[0]


def metric(key: str, promql: str) -> str:
    quoted = promql.replace("'", "''")
    return f"    {key}: {{metricSource: {{type: Prometheus, spec: {{query: '{quoted}'}}}}}}\n"


def ratio(*, counter: str = "true", **queries: str) -> Found:
    metrics = "".join(metric(key, text) for key, text in queries.items())
    return indicator_of(document(f"  ratioMetric:\n    counter: {counter}\n{metrics}"), ("spec",))


@pytest.mark.parametrize("fraction", [f"{FRACTION} * {COUNT}", f"{COUNT} * {FRACTION}", f"({FRACTION}) * ({COUNT})"])
def test_a_fraction_of_a_native_histogram_is_a_latency(fraction: str) -> None:
    found = ratio(good=fraction, total=COUNT)
    assert found.problems == ()
    assert found.value == NativeLatencyIndicator(query('sum(rate(x{a="b"}[5m]))'), Decimal("0.5"))


def test_so_is_one_minus_a_fraction_of_bad_events() -> None:
    found = ratio(bad=f"(1 - {FRACTION}) * {COUNT}", total=COUNT)
    assert found.value == NativeLatencyIndicator(query('sum(rate(x{a="b"}[5m]))'), Decimal("0.5"))


@pytest.mark.parametrize(
    ("good", "total", "message"),
    [
        (f"(1 - {FRACTION}) * {COUNT}", COUNT, "this is not the number of good events"),
        (f"{FRACTION} * {COUNT}", 'histogram_count(sum(rate(y{a="b"}[5m])))', "this is not the number of all events"),
        (f"{FRACTION} * {COUNT}", 'sum(rate(x_count{a="b"}[5m]))', "this is not the number of all events"),
        ("histogram_fraction(0.1, 0.5, sum(rate(x[5m])))", "histogram_count(x)", "must reach from 0 up"),
        ("histogram_fraction(0, scalar(y), x)", "histogram_count(x)", "must reach from 0 up"),
        (f"{FRACTION} + {FRACTION}", COUNT, "one histogram_fraction"),
        ("histogram_fraction(0, 0.5, irate(x[5m]))", "histogram_count(irate(x[5m]))", "irate() does not count"),
    ],
)  # fmt: skip
def test_fractions_that_tell_no_latency_are_refused(good: str, total: str, message: str) -> None:
    found = ratio(good=good, total=total)
    assert found.value is None
    assert message in found.problems[0].message


@pytest.mark.parametrize(
    ("good", "total"),
    [
        ('sum(up{job="a"})', 'count(up{job="a"})'),
        ('count(up{job="a"} == 1)', 'count(up{job="a"})'),
        ('sum_over_time(up{job="a"}[5m])', 'count_over_time(up{job="a"}[5m])'),
        ('sum(sum_over_time(up{job="a"}[1m]))', 'sum(count_over_time(up{ job="a" }[1m])) # all'),
    ],
)
def test_ones_among_all_are_a_bool_gauge(good: str, total: str) -> None:
    assert ratio(counter="false", good=good, total=total).value == BoolIndicator(query('up{job="a"}'))


def test_zeros_among_all_are_one_too() -> None:
    assert ratio(counter="false", bad="count(up == 0)", total="count(up)").value == BoolIndicator(query("up"))
    assert ratio(counter="false", bad="sum(up)", total="sum(down)").value == RatioIndicator(
        query("sum(down)"), query("sum(up)"), None, gauges=True
    )


def test_gauges_are_averaged_when_the_file_says_that_they_are_no_counters() -> None:
    found = ratio(counter="false", good="ready", total="wanted")
    assert found.value == RatioIndicator(query("wanted"), None, query("ready"), gauges=True)
    assert found.problems == ()
    recorded = ratio(counter="false", good="job:errors:rate5m", total="job:requests:rate5m")
    assert isinstance(recorded.value, RatioIndicator)
    assert ratio(counter="true", good="job:errors:rate5m", total="job:requests:rate5m").value is None


def test_ranges_make_counters_of_what_is_called_a_gauge() -> None:
    found = ratio(counter="false", good="sum(rate(a[5m]))", total="sum(rate(b[5m]))")
    assert found.value == RatioIndicator(query("sum(rate(b[5m]))"), None, query("sum(rate(a[5m]))"))


@pytest.mark.parametrize(("raw_type", "is_failure"), [("success", False), ("failure", True)])
def test_a_raw_ratio_is_taken_as_it_is(raw_type: str, is_failure: bool) -> None:
    spec = f"  ratioMetric:\n    counter: true\n    rawType: {raw_type}\n{metric('raw', 'a / b')}"
    found = indicator_of(document(spec), ("spec",))
    assert found == Found(RawRatioIndicator(query("a / b"), is_failure), ())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (metric("raw", "a / b"), "no rawType"),
        ("    rawType: success\n" + metric("raw", "a / b") + metric("total", "c"), "raw says it all"),
        ("    rawType: success\n" + metric("raw", "0.5"), "no metric in it"),
        ("    rawType: success\n" + metric("raw", "a["), "bracket"),
        ("    rawType: success\n" + metric("raw", "a @ 5"), "pins the query to a fixed time"),
        ("    rawType: success\n" + metric("raw", "'a'"), "a text is not a value"),
    ],
)
def test_raw_ratios_that_say_nothing_are_refused(spec: str, message: str) -> None:
    found = indicator_of(document(f"  ratioMetric:\n    counter: true\n{spec}"), ("spec",))
    assert found.value is None
    assert any(message in problem.message for problem in found.problems), found.problems


def test_a_threshold_needs_to_know_what_it_is_compared_with() -> None:
    of = document("  thresholdMetric: {metricSource: {type: Prometheus, spec: {query: lag}}}\n")
    compared = Compared(Comparison.AT_MOST, Decimal(5))
    assert indicator_of(of, ("spec",), compared).value == ThresholdIndicator(
        query("lag"), Comparison.AT_MOST, Decimal(5)
    )
    assert indicator_of(of, ("spec",)) == Found(None, ())


def test_both_metrics_are_too_many() -> None:
    text = f"{metric('thresholdMetric', 'lag')[2:]}  ratioMetric:\n{metric('total', 'a')}"
    found = indicator_of(document(text), ("spec",))
    assert [problem.message for problem in found.problems] == ["thresholdMetric and ratioMetric are both given"]


AT_LEAST = ThresholdIndicator(query("bytes"), Comparison.AT_LEAST, Decimal("5e7"))
MINUTE = timedelta(minutes=1)


def indicators() -> list[tuple[Indicator, str]]:
    return [
        (LatencyIndicator(query("a"), query("b"), Decimal(1)), "events within 1 (in the histogram’s unit)"),
        (LatencyIndicator(query("a_seconds_bucket{}"), query("b"), Decimal("0.3")), "events within 0.3 s"),
        (TimeslicesIndicator(AT_LEAST, MINUTE, Decimal(1)), "minutes in which the value is at least 50,000,000"),
        (
            TimeslicesIndicator(AT_LEAST, 5 * MINUTE, Decimal("0.9")),
            "5-minute slices with at least 90 % of minutes in which the value is at least 50,000,000",
        ),
        (BoolIndicator(query("a")), "minutes in which the gauges are 1"),
        (ThresholdIndicator(query("a"), Comparison.ABOVE, Decimal(1)), "minutes in which the value is above 1"),
    ]


@pytest.mark.parametrize(("indicator", "words"), indicators())
def test_what_is_counted_is_said_in_words(indicator: Indicator, words: str) -> None:
    from slo.indicators.indicator_words import counted_in_words

    assert counted_in_words(indicator).startswith(words)


# --- groups -----------------------------------------------------------------------------------------------------------


def grouped(bad: str, total: str = "sum(rate(b[5m]))") -> list[str]:
    text = f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: x, annotations: {{flyball.dev/group-by: tenant}}}}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 30d, isRolling: true}}]
  objectives: [{{target: 0.99}}]
  indicator:
    metadata: {{name: i}}
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{type: Prometheus, spec: {{query: '{bad}'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: '{total}'}}}}}}
"""
    return [line for line in told(resolved(text)) if "drops the label" in line]


@pytest.mark.parametrize(
    "bad",
    [
        "a", "sum(rate(a[5m]))", "sum by (tenant) (rate(a[5m]))", "sum without (pod) (rate(a[5m]))",
        "sum(rate(a[5m])) + sum(rate(c[5m]))", "sum(sum by (tenant, code) (rate(a[5m])))",
        "sum(rate(a[5m]) * on (pod) group_left () c)", "sum(rate(a[5m]) and on (pod) c)",
    ],
)  # fmt: skip
def test_queries_that_carry_the_grouping_label_are_taken(bad: str) -> None:
    assert grouped(bad) == []


@pytest.mark.parametrize(
    ("bad", "operation"),
    [
        ("sum by (code) (rate(a[5m]))", "sum"), ("sum(sum without (tenant) (rate(a[5m])))", "sum"),
        ("sum(sum(rate(a[5m])) + sum by (pod) (rate(c[5m])))", "sum"),
        ("sum(rate(a[5m]) - on (pod) rate(c[5m]))", "on"),
        ("sum(rate(a[5m]) - ignoring (tenant) rate(c[5m]))", "ignoring"),
    ],
)  # fmt: skip
def test_queries_that_drop_it_are_refused(bad: str, operation: str) -> None:
    (line,) = grouped(bad)
    assert line.startswith("a.yaml:14:62: error: : `" + operation + "` drops the label `tenant`, by which x is grouped")
