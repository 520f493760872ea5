from datetime import timedelta

import promql_parser
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from slo.promql.event_query import QueryFault, event_query
from slo.promql.promql_text import tokens, unquoted, without_placeholders

FIVE_MINUTES, HOUR = timedelta(minutes=5), timedelta(hours=1)


@pytest.mark.parametrize(
    ("written", "events"),
    [
        ("x", "sum (rate(x[5m])) * 300"),
        ('x{a="b,}",c=~"5.."}', 'sum (rate(x{a="b,}",c=~"5.."}[5m])) * 300'),
        ('{__name__="x", a=`{`}', 'sum (rate({__name__="x", a=`{`}[5m])) * 300'),
        ("sum(x)", "sum (rate(x[5m])) * 300"),
        ("sum by (a) (x)", "sum (rate(x[5m])) * 300"),
        ("sum(x) without (a)", "sum (rate(x[5m])) * 300"),
        ("max without (replica) (x)", "sum (max without (replica) (rate(x[5m]))) * 300"),
        ("a - b", "sum (rate(a[5m]) - rate(b[5m])) * 300"),
        ("sum by (c) (a) + sum by (c) (b)", "sum (sum by (c) (rate(a[5m])) + sum by (c) (rate(b[5m]))) * 300"),
        ("x offset 5m", "sum (rate(x[5m] offset 5m)) * 300"),
        ("a offset 5m + b", "sum (rate(a[5m] offset 5m) + rate(b[5m])) * 300"),
        ("sum(rate(x[{{.window}}]))", "sum (rate(x[5m])) * 300"),
        ("sum(rate(x[ $__window ]))", "sum (rate(x[5m])) * 300"),
        ("sum(rate(x[${__rate_interval}]))", "sum (rate(x[5m])) * 300"),
        ("sum(rate(x[1h30m]))", "sum (rate(x[5m])) * 300"),
        ("sum(increase(x[28d] offset 1m))", "sum (increase(x[5m] offset 1m))"),
        ("count_over_time(x[1m])", "sum (count_over_time(x[5m]))"),
        ("sum(rate(a[5m])) or vector(0)", "sum (sum(rate(a[5m])) or vector(0)) * 300"),
        ("rate(a[1m]) * on (p) group_left (t) info", "sum (rate(a[5m]) * on (p) group_left (t) info) * 300"),
        ("a # all of it\n  + b # and this", "sum (rate(a[5m]) + rate(b[5m])) * 300"),
        ('a{x="[1h] # no"}', 'sum (rate(a{x="[1h] # no"}[5m])) * 300'),
        ('label_replace(a, "x", "$1", "y", "(.*)")', 'sum (label_replace(rate(a[5m]), "x", "$1", "y", "(.*)")) * 300'),
        ('{__name__="by"}', 'sum (rate({__name__="by"}[5m])) * 300'),
    ],
)
def test_a_count_becomes_events_over_5_minutes(written: str, events: str) -> None:
    found = event_query(written).events(FIVE_MINUTES)
    assert found == events
    promql_parser.parse(found)


@pytest.mark.parametrize(
    ("written", "message", "offset"),
    [
        ("rate(x[5m:1m])", "a subquery cannot be counted over 5 minutes", 6),
        ("sum(irate(x[5m]))", "irate() does not count events", 4),
        ("histogram_quantile(0.9, rate(x[5m]))", "histogram_quantile() does not keep the number of events", 0),
        ("sum(a) / sum(b)", "a ratio is not a count", 7),
        ("a * b", "a product of counts is not a count", 2),
        ("rate(a[5m]) - increase(b[5m])", "events per second - events over the range: not the same thing", 12),
        ("count(x)", "count() does not keep the number of events", 0),
        ("vector(1)", "no counter in it: there is nothing to count", 0),
        ("x > 0", "a comparison `>` is not a count", 2),
        ("rate(x[5m]) > bool 0", "a comparison `>` is not a count", 12),
        ("job:x:rate5m", "`job:x:rate5m` is by its name a recorded rate, and a rate of a rate counts nothing", 0),
        (
            "sum(job:x:sum_rate5m)",
            "`job:x:sum_rate5m` is by its name a recorded rate, and a rate of a rate counts nothing",
            4,
        ),
        ("5 / rate(x[5m])", "a ratio is not a count", 2),
        ('x{a="1"} + x{a="2"}', "`+` finds only series with the same labels on both sides", 9),
        ('rate(x[5m]) - (rate(x{a="2"}[5m]))', "`-` finds only series with the same labels on both sides", 12),
        ("avg(x)", "avg() of all series is not the number of events", 0),
        ("x offset -5m", "a negative offset asks for the future", 9),
        ("x @ end()", "`@` pins the query to a fixed time", 2),
        ("x[5m]", "a range alone is not a count", 1),
        ('{"x.y"}', "a quoted name is known to Prometheus 3 only, and rules must load in 2.42", 1),
        ('x{a="1" or a="2"}', "`or` between matchers is known to VictoriaMetrics only", 8),
        ("by", "a metric is named like a keyword of PromQL", 0),
        ("a + 1", "events per second + a plain number: not the same thing", 2),
        ("a ^ 2", "`^` does not keep the number of events", 2),
    ],
)
def test_what_is_no_count_is_refused_where_it_stands(written: str, message: str, offset: int) -> None:
    with pytest.raises(QueryFault) as caught:
        event_query(written)
    assert (caught.value.message, caught.value.offset) == (message, offset)


@pytest.mark.parametrize(
    ("written", "scaled", "filled"),
    [
        ("60 * sum(rate(x[5m]))", True, False),
        ("sum(rate(x[5m])) / 2", True, False),
        ("sum(rate(a[5m])) or 0 * sum(rate(x[5m]))", False, False),
        ("sum(rate(a[5m])) or (sum(rate(x[5m])) * 0)", False, False),
        ("sum(rate(x[5m])) or on () vector(0)", False, True),
        ("sum(limits:rate_limit_total)", False, False),
    ],
)
def test_factors_and_numbers_for_missing_data_are_noticed(written: str, scaled: bool, filled: bool) -> None:
    found = event_query(written)
    assert (found.scaled, found.filled) == (scaled, filled)


@pytest.mark.parametrize(
    ("written", "events"),
    [
        ("sum(a) + sum(b)", "(A or 0 * (A or B)) + (B or 0 * (A or B))"),
        ("sum(a)-sum(b)", "A - (B or 0 * (A))"),
        ("sum(a) - sum(b) # c\n + sum(a)", "A - (B or 0 * (A)) + (A or 0 * (A))"),
        ("sum(a) + sum(b) * 2", "A + B * 2"),
        ("sum(a) + sum(b) by (c)", "A + B by (c)"),
    ],
)
def test_a_term_that_is_missing_hides_no_other(written: str, events: str) -> None:
    spelled = events.replace("A", "sum(rate(a[5m]))").replace("B", "sum(rate(b[5m]))")
    assert event_query(written).events(FIVE_MINUTES) == f"sum ({spelled}) * 300"


def test_contributors_are_the_same_events_by_label() -> None:
    assert event_query("sum(x)").events_by(["a", "b"], HOUR) == "sum by (a, b) (increase(x[1h]))"
    assert event_query("sum(rate(x[5m]))").events_by(["a"], HOUR) == "sum by (a) (rate(x[1h])) * 3600"
    assert event_query("sum(increase(x[5m]))").events_by(["a"], HOUR) == "sum by (a) (increase(x[1h]))"


@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(token.text for token in tokens(text)) == text
    assert len(without_placeholders(text)) == len(text)


names = st.sampled_from(["x", "http_requests_total", "a:b:c_total", "sum_total", "byte_count"])
values = st.text(st.characters(exclude_categories=("Cs",), exclude_characters='\n"\\'), max_size=8)
chosen = st.builds(
    lambda name, value, offset: f'{name}{{a="{value}"}}{offset}', names, values, st.sampled_from(["", " offset 5m"])
)
counts = st.recursive(
    chosen,
    lambda inner: (
        inner.map(lambda each: f"sum({each})")
        | inner.map(lambda each: f"sum by (job) ({each})")
        | inner.map(lambda each: f"({each}) # it's\n")
        | st.tuples(inner, st.sampled_from(["+", "-", "or", "and on (a)"]), inner).map(" ".join)
    ),
    max_leaves=4,
)


@given(counts)
def test_whatever_counts_stays_promql_and_one_series(text: str) -> None:
    try:
        found = event_query(text).events(FIVE_MINUTES)
    except QueryFault as fault:
        assume("same labels" not in fault.message)
        raise
    promql_parser.parse(found)
    assert found.startswith("sum (")
    assert found.endswith(") * 300")
    assert found.count("[5m]") >= text.count("{a=")


def test_strings_lose_their_quotes_and_escapes() -> None:
    assert unquoted(r'"a\"\n\x41\u00e9\101"') == 'a"\nAéA'
    assert unquoted(r"`a\n`") == r"a\n"
