"""Flags that switch off what drives the ladder, and how a signal's metrics are found."""

import pytest

from finops.ladder.lint.metrics_behind import reads
from tests.finops.ladder.reading.documents import DETECTORS, LADDER, REST, STORE, problems_in


def told_of(silences: str, flag: str = "adaptive-sampling", text: str = LADDER + STORE + REST) -> list[str]:
    """What is said when a flag silences metrics."""
    return problems_in(text.replace(f"- {{name: {flag}", f"- {{name: {flag}, silences: [{silences}]"))


def of(silences: str, flag: str = "adaptive-sampling", text: str = LADDER + STORE + REST) -> list[str]:
    """The signals that a flag blinds."""
    told = [one for one in told_of(silences, flag, text) if one.endswith("[ladder-blind]")]
    return [one.partition("signal `")[2].partition("`")[0] for one in told]


def test_a_flag_that_silences_the_usage_behind_a_budget_blinds_every_signal_of_it() -> None:
    first, *others = told_of("gen_ai_tokens_total")
    assert first == (
        "spec.tiers[0].flags.adaptive-sampling «adaptive-sampling» blinds the ladder: `adaptive-sampling` silences"
        " `gen_ai_tokens_total`, from which signal `llm-burn` is made (budget `llm` is made from item `tokens` of"
        " PriceMap `live`) = drive tier 1 `observe` and those above it by a signal that goes on while the flag is set"
        " [ladder-blind]"
    )
    assert len(others) == 3
    assert of("gen_ai_tokens_total") == ["llm-burn", "llm-forecast", "llm-spike", "call-cost"]


def test_what_counts_the_units_of_a_unit_cost_is_behind_it() -> None:
    assert told_of("http_requests_total") == [
        "spec.tiers[0].flags.adaptive-sampling «adaptive-sampling» blinds the ladder: `adaptive-sampling` silences"
        " `http_requests_total`, from which signal `call-cost` is made (unit cost `graphql-calls` counts by it) = drive"
        " tier 1 `observe` and those above it by a signal that goes on while the flag is set [ladder-blind]"
    ]


def test_items_out_of_a_budgets_scope_are_not_behind_it() -> None:
    assert of("node_total_hourly_cost") == ["call-cost"]  # all spend is in its scope; the budget has tokens only


def test_spend_without_a_label_is_in_no_scope_that_asks_for_it() -> None:
    text = (LADDER + STORE + REST).replace("scope: {resource: token}", "scope: {tenant: alpha}")
    assert of("gen_ai_tokens_total", text=text)[0] == "llm-burn"  # tokens keep their tenant
    assert of("node_total_hourly_cost", text=text) == ["call-cost"]
    none = text.replace("scope: {tenant: alpha}", 'scope: {tenant: ["", alpha]}')
    assert of("node_total_hourly_cost", text=none)[0] == "llm-burn"


def test_the_family_of_a_metric_is_behind_what_reads_its_series() -> None:
    text = (LADDER + STORE + REST).replace("query: max(queue_length)", "query: 'sum(rate(queue_seconds_bucket[5m]))'")
    assert of("queue_seconds", text=text) == ["queue"]


def test_what_a_detector_watches_is_behind_its_anomalies_and_behind_spikes_that_wait_for_them() -> None:
    text = (LADDER + STORE + REST).replace("query: max(queue_length)", "anomaly: traffic") + DETECTORS
    assert of("http_requests_total", text=text) == ["queue", "call-cost"]
    assert told_of("http_requests_total", text=text)[0].count("(detector `traffic` watches it)") == 1
    text = text.replace("measure: spike", "measure: spike, anomaly: spend")
    assert of("node_total_hourly_cost", text=text) == ["llm-spike", "call-cost"]


def test_a_query_for_what_spend_moves_is_behind_its_signal() -> None:
    text = (LADDER + STORE + REST).replace("query: max(queue_length)", "query: max(queue_length), perHour: avg(price)")
    assert of("price", text=text) == ["queue"]


def test_a_flag_blinds_no_signal_that_is_needed_only_below_its_tier() -> None:
    text = (LADDER + STORE + REST).replace("{all: {llm-burn: 8}}", "{all: {queue: 8}}")
    text = text.replace("{all: {llm-burn: 4}}\n      journeys", "{all: {queue: 4}}\n      journeys")
    assert of("gen_ai_tokens_total", "enrichers-paused", text) == []
    assert of("gen_ai_tokens_total", "context-limit", text)[:1] == ["llm-burn"]


def test_a_value_as_at_full_service_silences_nothing() -> None:
    text = (LADDER + STORE + REST).replace("{adaptive-sampling: true}", "{adaptive-sampling: false}")
    assert of("queue_length") == ["queue"]
    assert of("queue_length", text=text) == []


@pytest.mark.parametrize(
    ("query", "metric", "is_behind"),
    [
        ("budget:spend:rolling5m{budget='llm'}", "gen_ai_tokens_total", True),
        ("budget:spend:rolling5m{budget='llm'}", "node_total_hourly_cost", False),
        ("unit_cost:ratio{unit_cost='graphql-calls'}", "http_requests_total", True),
        ("sum(cost:spend:rolling5m{resource='node'})", "container_cpu_allocation", True),
        ("sum(cost:spend:rolling5m{resource='node'})", "gen_ai_tokens_total", False),
        ("sum(cost:spend:rolling5m{service='x', currency='EUR'})", "gen_ai_tokens_total", False),
    ],
)
def test_series_that_flyball_records_lead_to_what_they_are_made_from(
    query: str, metric: str, *, is_behind: bool
) -> None:
    text = (LADDER + STORE + REST).replace("query: max(queue_length)", f'query: "{query}"')
    assert of(metric, text=text).count("queue") == is_behind


@pytest.mark.parametrize(
    ("promql", "is_read"),
    [
        ("a", True),
        ("a{x='1'}", True),
        ("sum by (b) (rate(a[5m])) / ignoring (c) b", True),
        ("{__name__=~'a|b'}", True),
        ("{__name__='a'}", True),
        ("{__name__!='a', __name__=~'a.*'}", True),  # a_bucket
        ("quantile(scalar(a), b)", True),
        ("max_over_time((b - -a)[1h:5m] offset 1d)", True),
        ("label_replace(a_total, 'a', '$1', 'b', '')", True),
        ("increase(a[{{.window}}])", True),
        ("b{a='a'}", False),
        ("{__name__=~'b.*'}", False),
        ("{a='a'}", False),
        ("label_replace(b, 'a', 'a', 'a', 'a')", False),
        ("sum by (a) (b)", False),
        ("a[", False),
        ("", False),
    ],
)
def test_the_metrics_that_promql_reads(promql: str, *, is_read: bool) -> None:
    assert reads(promql, "a") is is_read
