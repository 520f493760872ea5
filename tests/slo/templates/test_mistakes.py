"""Mistakes in uses of short forms and in users' own templates, told where they were made."""

from typing import Any

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.slo import RatioIndicator
from controlplane.problems import Severity
from slo.promql.event_query import event_query
from slo.templates.spec import Parameter, ParameterType
from slo.templates.values import ValueFault, value_of
from tests.slo.templates.writing import resolved, template, use

AT = "spec.indicator.spec.ratioMetric.metricSource"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            use("http-latncy", selector={"job": "x"}),
            ".type: no short form is named `http-latncy`, did you mean `http-latency`?",
        ),
        (
            use("grpc", selector={"job": "x"}),
            ".type: no short form is named `grpc` (there are grpc-availability, grpc-latency)",
        ),
        (
            use("http-latency", selector={"job": "x"}, treshold="1s"),
            ".spec.treshold: `http-latency` has no parameter `treshold`, did you mean `threshold`?",
        ),
        (
            use("http-latency", selector={"job": "x"}),
            ".spec: `http-latency` needs `threshold` (such as threshold: 300ms)",
        ),
        (
            use("http-availability", selector={"job": "x"}, route="/pay"),
            ".spec.route: `http-availability` has no parameter `route` (its parameters: selector, metric,"
            " code_label, errors; labels belong into the selector: selector: {route: …})",
        ),
        (
            use("http-latency", selector={"job": "x"}, threshold="fast"),
            ".spec.threshold: threshold: `fast` is not a time"
            " (a number of seconds, or one with its unit: 300ms, 1.5s, 2h)",
        ),
        (
            use("http-latency", selector={"job": "x"}, threshold="-1"),
            ".spec.threshold: threshold: must be above 0, is -1",
        ),
        (
            use("http-availability", selector='job="x"} or vector(1)'),
            ".spec.selector: selector: unexpected `}` in a selector"
            ' (write matchers, such as job="checkout",route=~"/api/.*", or a mapping {job: checkout})',
        ),
        (
            use("http-availability", selector=""),
            ".spec: `http-availability` needs `selector` (such as selector: {job: checkout})",
        ),
        (
            use("istio-availability", selector={"app": "x"}, reporter="client"),
            ".spec.reporter: reporter: `client` is not one of destination, source, waypoint",
        ),
        (
            use("kafka-consumer-lag", selector={"topic": "x"}, max_lag="-3"),
            ".spec.max_lag: max_lag: must be at least 0, is -3",
        ),
        (
            use("http-availability", selector={"job": "x"}, errors="(5"),
            ".spec.errors: errors: `(5` is not a regular expression (Prometheus reads RE2)",
        ),
        (
            use("http-availability", selector={"job": "x"}, metric="a b"),
            ".spec.metric: metric: `a b` is not a metric's name (labels belong into a selector)",
        ),
    ],
)
def test_a_use_with_a_mistake_is_told_once_at_its_field(text: str, expected: str) -> None:
    (problem,) = resolved(text).problems
    assert (problem.path, problem.line, problem.rule) == ("a.yaml", 7, "template")
    said = f"{problem.field}: {problem.message}" + (f" ({problem.hint})" if problem.hint else "")
    assert said == AT + expected


def test_the_place_of_a_mistake_is_that_of_the_value() -> None:
    text = use("http-latency", selector={"job": "x"}, threshold="fast")
    (problem,) = resolved(text).problems
    line = text.splitlines()[problem.line - 1]
    assert line[problem.column - 1 : problem.column - 1 + problem.length] == "fast"


def test_other_mistakes_of_the_same_slo_are_told_too() -> None:
    fields = [problem.field for problem in resolved(use("nothing-like-it", target="1.5")).problems]
    assert fields == ["spec.indicator.spec.ratioMetric.metricSource.type", "spec.objectives[0].target"]


@pytest.mark.parametrize("at", ["ratioMetric", "ratioMetric.raw", "ratioMetric.total", "thresholdMetric"])
def test_a_short_form_may_stand_wherever_one_metric_does(at: str) -> None:
    found = resolved(use("http-availability", at=at, selector={"job": "shop"}))
    assert found.problems == ()
    assert isinstance(found.slos[0].indicator, RatioIndicator)
    assert found.slos[0].indicator.total.text == 'http_requests_total{job="shop"}'


@pytest.mark.parametrize(
    ("beside", "field"),
    [
        ("good: {metricSource: {type: Prometheus, spec: {query: x}}}", "ratioMetric.good"),
        ("total: {metricSource: {type: Prometheus, spec: {query: x}}}", "ratioMetric.total"),
        ("raw: {metricSource: {type: Prometheus, spec: {query: x}}}", "ratioMetric.raw"),
        ("rawType: failure", "ratioMetric.rawType"),
        ("counter: false", "ratioMetric.counter"),
    ],
)
def test_what_stands_beside_a_short_form_is_not_dropped_in_silence(beside: str, field: str) -> None:
    text = use("http-availability", selector={"job": "x"})
    (problem,) = resolved(text.replace("ratioMetric: {", f"ratioMetric: {{{beside}, ")).problems
    assert (problem.field, problem.severity) == (f"spec.indicator.spec.{field}", Severity.ERROR)


def test_two_metrics_are_one_too_many() -> None:
    other = "spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: x}}}, ratioMetric"
    text = use("http-availability", selector={"job": "x"}).replace("spec: {ratioMetric", other)
    assert "spec.indicator.spec.thresholdMetric" in [problem.field for problem in resolved(text).problems]


def test_an_sli_and_a_part_of_a_composite_take_short_forms() -> None:
    sli = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: requests}
spec: {ratioMetric: {metricSource: {type: http-availability, spec: {selector: {job: shop}}}}}
"""
    slo = use("http-availability", selector={"job": "y"}).replace(
        use("http-availability", selector={"job": "y"}).split("  indicator:\n")[1].split("\n")[0] + "\n", ""
    )
    slo = slo.replace("  indicator:\n", "  indicatorRef: requests\n")
    found = resolved(sli, slo)
    assert found.problems == ()
    assert found.slos[0].indicator.total.text == 'http_requests_total{job="shop"}'  # type: ignore[union-attr]


QUEUE = template("queue-errors", "- {name: queue, type: string}", 'x_total{job="a",queue="{{ queue }}",result="bad"}')


def test_users_write_templates_of_their_own_in_any_file() -> None:
    found = resolved(use("queue-errors", queue='a"b\\c'), QUEUE)
    assert found.problems == ()
    indicator = found.slos[0].indicator
    assert isinstance(indicator, RatioIndicator)
    assert indicator.bad is not None
    assert indicator.bad.text == r'x_total{job="a",queue="a\"b\\c",result="bad"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (template("http-latency", "[]", "x"), "metadata.name: `http-latency` is a short form that comes with Flyball"),
        (template("Prometheus", "[]", "x"), "metadata.name: `Prometheus` is taken"),
        (
            template("q", "- {name: queue}", 'x{a="{{ quue }}"}'),
            "no parameter is named `quue`, did you mean `queue`?",
        ),
        (template("q", "- {name: queue}", "x{{{ queue }}}"), "`queue` is a string and must stand in quotes"),
        (template("q", "- {name: s, type: selector}", 'x{a="{{ s }}"}'), "`s` is a selector and must not stand in"),
        (template("q", "- {name: r, type: regex}", 'x{a="{{ r }}"}'), "`r` is a regex and must stand after =~ or !~"),
        (template("q", "- {name: s}", "x{a=`{{ s }}`}"), "`s` stands in backticks"),
        (template("q", "- {name: s}", 'x{a="{{ s }}"'), "is never closed"),
        (template("q", "- {name: n, type: number, default: x}", "x * {{ n }}"), "`x` is not a number"),
        (template("q", "- {name: a b}", "x"), "`a b` is not a name"),
        (template("q", "- {name: s}\n- {name: s}", 'x{a="{{ s }}"}'), "the parameter `s` is there twice"),
        (template("q", "- {name: s, pattern: '(a+)+'}", 'x{a="{{ s }}"}'), "too powerful"),
        (template("q", "- {name: s, pattern: '('}", 'x{a="{{ s }}"}'), "not a regular expression"),
    ],
)
def test_a_template_with_a_mistake_is_told_at_its_own_place(text: str, expected: str) -> None:
    problems = resolved(text).problems
    assert any(expected in f"{problem.field}: {problem.message}" for problem in problems), problems
    assert all(problem.rule in ("template", "promql-syntax", "metadata") for problem in problems)


def test_a_parameter_that_is_not_used_is_a_warning() -> None:
    (problem,) = resolved(template("q", "- {name: s}", "x")).problems
    assert (problem.message, problem.severity) == ("`s` is not used", Severity.WARNING)


def test_what_is_wrong_with_a_written_query_names_the_use_and_the_template() -> None:
    rate = template("odd", "- {name: job}", 'rate(x_total{job="{{ job }}"}[5m])', 'x_total{job="{{ job }}"} * y')
    found = resolved(rate, use("odd", job="a"))
    (problem,) = found.problems
    assert problem.path == "b.yaml"
    assert problem.field == "spec.indicator.spec.ratioMetric.metricSource.type"
    assert problem.message.startswith("in `odd`: ")
    assert "`odd` (a.yaml:3:18) writes this query" in problem.hint


NASTY = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from("\"\\'`{}()[]#$\n\t|.*"),
    max_size=30,
)


@given(NASTY)
def test_no_text_leaves_its_quotes(value: str) -> None:
    found = resolved(use("queue-errors", queue="PUT").replace("PUT", "p"), QUEUE)
    assert found.problems == ()
    written = value_of(Parameter(name="q", type=ParameterType.STRING), value)
    for quote in ('"', "'"):
        for operator, of_regex in (("=", False), ("=~", True)):
            text = f"x_total{{a{operator}{quote}{written.in_string(quote, of_regex=of_regex)}{quote}}}"
            promql_parser.parse(text)
            (selector,) = event_query(text).selectors
            (matcher,) = selector.matchers
            expected = value if not of_regex else matcher.value
            assert matcher.value == expected


@given(
    st.sampled_from(ParameterType),
    st.recursive(
        st.none() | st.booleans() | NASTY | st.from_regex(r"[-+]?[0-9.eE]{1,12}(ms|s|h|d)?", fullmatch=True),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY, inner, max_size=3),
        max_leaves=5,
    ),
)
def test_whatever_is_written_is_a_value_or_a_mistake(kind: ParameterType, written: Any) -> None:
    try:
        found = value_of(Parameter(name="x", type=kind, minimum="1", maximum="9"), written)  # type: ignore[arg-type]
    except ValueFault:
        return
    assert isinstance(found.text, str)


@given(NASTY)
def test_no_selector_leaves_its_braces(value: str) -> None:
    try:
        written = value_of(Parameter(name="s", type=ParameterType.SELECTOR), value)
    except ValueFault:
        return
    (selector,) = event_query(f"x_total{{{written.text}}}").selectors
    assert selector.name == "x_total"


@given(NASTY)
def test_a_mapping_selects_exactly_its_values(value: str) -> None:
    written = value_of(Parameter(name="s", type=ParameterType.SELECTOR), {"a": value})
    (selector,) = event_query(f"x_total{{{written.text}}}").selectors
    assert [(matcher.label, matcher.operator, matcher.value) for matcher in selector.matchers] == [("a", "=", value)]


@pytest.mark.parametrize(
    ("kind", "written", "text"),
    [
        ("seconds", "300ms", "0.3"), ("seconds", "0.30", "0.3"), ("seconds", "1m30s", "90"), ("seconds", "2h", "7200"),
        ("milliseconds", "300ms", "300"), ("milliseconds", "0.25", "0.25"), ("milliseconds", "1s", "1000"),
        ("number", "1e3", "1000"), ("duration", "1h30m", "1h30m"), ("regex", ["4..", "5.."], "4..|5.."),
        ("selector", {"a": ["x.y", "z"]}, 'a=~"x\\\\.y|z"'), ("selector", '{a="b",}', 'a="b"'),
        ("string", True, "true"),
    ],
)  # fmt: skip
def test_values_mean_what_people_write(kind: str, written: object, text: str) -> None:
    assert value_of(Parameter(name="x", type=ParameterType(kind)), written).text == text  # type: ignore[arg-type]
